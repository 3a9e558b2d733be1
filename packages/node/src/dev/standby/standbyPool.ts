/** Loaded processes for the next start of a cluster (`standbyProcess.ts`). */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { StandbyStart } from './standbyProcess.js'

const script = fileURLToPath(new URL('./standbyProcess.js', import.meta.url))

export class StandbyPool {
  readonly #processes: number
  readonly #nodesOfProcess: number
  #waiting: ChildProcess[] = []

  /** `processes` are needed for a start, each for `nodesOfProcess` nodes. Nothing runs before `fill`. */
  constructor(processes: number, nodesOfProcess: number) {
    this.#processes = processes
    this.#nodesOfProcess = nodesOfProcess
  }

  /** Starts what is missing; it loads in the background. `sample`: path of a module to warm up with. */
  fill(sample: string): void {
    while (this.#waiting.length < this.#processes) {
      const child = spawn(process.execPath, ['--enable-source-maps', script, String(this.#nodesOfProcess), sample], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      })
      child.on('exit', () => this.#forget(child))
      child.on('error', () => this.#forget(child))
      this.#waiting.push(child)
    }
  }

  #forget(child: ChildProcess): void {
    this.#waiting = this.#waiting.filter((other) => other !== child)
  }

  /** A process that becomes the node process of `start`, as far as it has loaded; null without any. */
  take(start: StandbyStart): ChildProcess | null {
    const child = this.#waiting.shift()
    if (child === undefined) return null
    child.removeAllListeners('exit')
    child.removeAllListeners('error')
    child.send(start)
    return child
  }

  close(): void {
    for (const child of this.#waiting.splice(0)) child.kill('SIGKILL')
  }
}
