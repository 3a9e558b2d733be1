/**
 * A process that has loaded a node's program and keeps loaded threads for its workers; told the arguments, it becomes that
 * node process. `onus dev` keeps one ready, so that a save is reloaded in about a second. Nodes do not know of it: the
 * constructor of `Worker` gives a loaded thread where there is one for the script.
 */
import { readFile } from 'node:fs/promises'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { requiredStackMegabytes } from '@onus/vm/engine/machine'
import type { StandbyData } from './standbyThread.js'

export interface StandbyStart {
  /** As behind `main.js`. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

interface Waiting {
  readonly worker: Worker
  readonly signal: Int32Array
}

const at = (path: string): string => new URL(path, import.meta.url).href
const execution = [
  '../../worker/execution.js',
  '../../worker/openMachine.js',
  '../../store/store.js',
  '../../hashing.js',
]
const threads: readonly { readonly script: string; readonly modules: readonly string[]; readonly deep: boolean }[] = [
  { script: '../../worker/executionWorker.js', modules: execution, deep: true },
  { script: '../../worker/queryWorker.js', modules: [...execution, '../../worker/queryReplica.js'], deep: true },
  { script: '../../worker/signatureWorker.js', modules: ['../../worker/recoverSigner.js'], deep: false },
]
const program = [
  '../../onusNode.js',
  '../../embeddedCluster.js',
  '../../engines/cometbft/cometbftEngine.js',
  '../../nodeConfig.js',
]

function startThread({ script, modules, deep }: (typeof threads)[number], sample: Uint8Array | null): Waiting {
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const workerData: StandbyData = { script: at(script), modules: modules.map(at), sample: deep ? sample : null, signal }
  const resourceLimits = deep ? { stackSizeMb: requiredStackMegabytes } : {}
  return { signal, worker: new Worker(new URL('./standbyThread.js', import.meta.url), { workerData, resourceLimits }) }
}

function keepThreads(nodes: number, sample: Uint8Array | null): Map<string, Waiting[]> {
  const waiting = new Map<string, Waiting[]>()
  for (const thread of threads)
    waiting.set(
      at(thread.script),
      Array.from({ length: nodes }, () => startThread(thread, sample)),
    )
  return waiting
}

/** From now on `new Worker(script, options)` takes a loaded thread. */
function offerThreads(waiting: ReadonlyMap<string, Waiting[]>): void {
  const mutable = createRequire(import.meta.url)('node:worker_threads') as { Worker: unknown }
  mutable.Worker = class {
    constructor(script: string | URL, options: WorkerOptions = {}) {
      const thread = waiting.get(String(script))?.pop()
      // biome-ignore lint/correctness/noConstructorReturn: the loaded thread takes the place of a new one
      if (thread === undefined) return new Worker(script, options)
      thread.worker.postMessage(options.workerData, options.transferList)
      Atomics.store(thread.signal, 0, 1)
      Atomics.notify(thread.signal, 0)
      // biome-ignore lint/correctness/noConstructorReturn: as above
      return thread.worker
    }
  }
  syncBuiltinESMExports()
}

async function become({ args, env }: StandbyStart): Promise<void> {
  process.off('disconnect', end)
  process.argv.splice(2, process.argv.length, ...args)
  Object.assign(process.env, env)
  await import(at('../../main.js'))
}

function end(): void {
  process.exit(0)
}

process.on('disconnect', end)
const [, , nodes, sampleFile] = process.argv
// The file may be gone by now, with the run that it belonged to.
const sample = sampleFile === undefined ? null : await readFile(sampleFile).catch(() => null)
const waiting = keepThreads(Number(nodes), sample)
for (const module of program) await import(at(module))
offerThreads(waiting)
process.once('message', (start: StandbyStart) => void become(start))
process.send?.({ standby: true })
