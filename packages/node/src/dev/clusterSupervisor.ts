/**
 * Runs the processes of a local cluster: one for each node (which runs its CometBFT), or one for all with the embedded
 * engine. Any exit that was not asked for is a failure: told, and followed by a restart after a growing pause.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, type WriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OnusError } from '@onus/protocol/errors'
import type { StandbyPool } from './standby/standbyPool.js'

export interface SupervisorOptions {
  readonly homes: readonly string[]
  /** Path of the CometBFT binary; null for the embedded engine. */
  readonly cometbft: string | null
  /** Processes that have loaded already; taken for the first start. */
  readonly standby?: StandbyPool
  /** Told of each exit that nobody asked for. */
  readonly onExit?: (exit: { process: string; code: number | null; signal: string | null; restartIn: number }) => void
}

interface Supervised {
  readonly name: string
  readonly homes: readonly string[]
  readonly log: WriteStream
  readonly logPath: string
  child: ChildProcess | null
  isReady: boolean
  failures: number
  timer: NodeJS.Timeout | null
  /** Its next exit was asked for: no failure, and no pause before it starts again. */
  isRestarting: boolean
}

const script = new URL('../main.js', import.meta.url)
const firstPause = 200
const longestPause = 5000
const stopPatience = 12_000

function spawnNode(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, ['--enable-source-maps', script.pathname, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  })
}

export class ClusterSupervisor {
  readonly #options: SupervisorOptions
  readonly #processes: Supervised[]
  #isStopping = false
  #readyListeners: (() => void)[] = []

  constructor(options: SupervisorOptions) {
    this.#options = options
    const groups = options.cometbft === null ? [options.homes] : options.homes.map((home) => [home])
    this.#processes = groups.map((homes, index) => {
      const logPath = join(homes[0] as string, 'node.log')
      const name = options.cometbft === null ? 'cluster' : `node ${index + 1}`
      const log = createWriteStream(logPath, { flags: 'a' })
      return { name, homes, log, logPath, child: null, isReady: false, failures: 0, timer: null, isRestarting: false }
    })
  }

  /** Resolves when every process said that it is ready. Rejects `cluster-start` with the end of a log. */
  async start(patience = 120_000): Promise<void> {
    for (const supervised of this.#processes) this.#spawn(supervised)
    await this.ready(patience)
  }

  /** Resolves when all processes are ready (again). */
  async ready(patience: number): Promise<void> {
    const end = Date.now() + patience
    while (!this.#processes.every(({ isReady }) => isReady)) {
      const hopeless = this.#processes.find(({ failures, isReady }) => !isReady && failures >= 3)
      if (hopeless !== undefined || Date.now() > end) throw await this.#startError(hopeless)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200)
        this.#readyListeners.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  async #startError(hopeless: Supervised | undefined): Promise<OnusError> {
    const late = hopeless ?? (this.#processes.find(({ isReady }) => !isReady) as Supervised)
    const log = await readFile(late.logPath, 'utf8').catch(() => '')
    const tail = log.trim().split('\n').slice(-8).join('\n')
    return new OnusError('cluster-start', `${late.name} does not start; the end of its log ${late.logPath}:\n${tail}`)
  }

  #spawn(supervised: Supervised): void {
    if (this.#isStopping) return
    const { cometbft, standby } = this.#options
    const args = [...(cometbft === null ? ['--embedded'] : []), ...supervised.homes]
    const env: Record<string, string> = cometbft === null ? {} : { ONUS_COMETBFT: cometbft }
    const child = standby?.take({ args, env }) ?? spawnNode(args, env)
    supervised.child = child
    child.stderr?.pipe(supervised.log, { end: false })
    child.on('message', (message: { readonly ready?: unknown }) => {
      if (message.ready === undefined) return
      supervised.isReady = true
      supervised.failures = 0
      this.#tellReady()
    })
    child.on('exit', (code, signal) => this.#exited(supervised, code, signal))
  }

  #tellReady(): void {
    const listeners = this.#readyListeners
    this.#readyListeners = []
    for (const listener of listeners) listener()
  }

  #exited(supervised: Supervised, code: number | null, signal: string | null): void {
    supervised.child = null
    supervised.isReady = false
    this.#tellReady()
    if (this.#isStopping) return
    if (supervised.isRestarting) {
      supervised.isRestarting = false
      this.#spawn(supervised)
      return
    }
    const restartIn = Math.min(firstPause * 2 ** supervised.failures, longestPause)
    supervised.failures += 1
    this.#options.onExit?.({ process: supervised.name, code, signal, restartIn })
    supervised.timer = setTimeout(() => this.#spawn(supervised), restartIn)
  }

  /**
   * Starts the process of node `index` (from 0) again, with `SIGKILL` as after a power cut; with the embedded engine that
   * is the one process of all nodes. Resolves when it is ready. Rejects as `start`.
   */
  async restart(index: number, signal: 'SIGTERM' | 'SIGKILL', patience = 60_000): Promise<void> {
    const supervised = this.#processes[Math.min(index, this.#processes.length - 1)] as Supervised
    const { child } = supervised
    if (child !== null) {
      supervised.isReady = false
      supervised.isRestarting = true
      child.kill(signal)
    }
    await this.ready(patience)
  }

  /** Ids of the processes that run now, in the order of the nodes; null while one is down. */
  get pids(): (number | null)[] {
    return this.#processes.map(({ child }) => child?.pid ?? null)
  }

  /** Ends all processes: asks, waits, then kills. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#processes.map((supervised) => this.#end(supervised)))
  }

  async #end({ child, timer, log }: Supervised): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), stopPatience)
      await ended
      clearTimeout(killer)
    }
    await new Promise<void>((resolve) => log.end(() => resolve()))
  }
}
