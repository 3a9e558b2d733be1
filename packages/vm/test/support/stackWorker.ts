/** Runs one module in a worker with the stack the engine requires (or another) and reports its outcomes. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { nobleHasher } from '@onus/protocol/hash'
import { Machine, requiredStackMegabytes } from '../../src/engine/machine.js'
import { lowerModule } from '../../src/lower/lowerModule.js'

interface Job {
  readonly module: Uint8Array
  readonly calls: number
}

/** Texts of the outcomes of `calls` calls: their detail, or the error that stopped the engine. */
export function callInWorker(
  module: Uint8Array,
  calls: number,
  stackSizeMb = requiredStackMegabytes,
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const job: Job = { module, calls }
    const worker = new Worker(new URL(import.meta.url), { workerData: job, resourceLimits: { stackSizeMb } })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

function run({ module, calls }: Job): string[] {
  const machine = Machine.create(lowerModule(module, { maximumMemoryPages: 2_000 }), nobleHasher)
  const details: string[] = []
  try {
    for (let i = 0; i < calls; i++) {
      const outcome = machine.call(new Uint8Array(0), 1e9)
      details.push(outcome.detail ?? 'ok')
      machine.reject()
    }
  } catch (error) {
    details.push(String(error))
  }
  return details
}

if (!isMainThread && parentPort !== null) parentPort.postMessage(run(workerData as Job))
