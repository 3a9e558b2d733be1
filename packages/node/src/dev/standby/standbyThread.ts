/**
 * A worker thread that has loaded what its script imports and waits, blocked, for its data; then it becomes that worker.
 * Loading is three quarters of the time that a node takes to start (measured: 130 of 190 ms a thread).
 */
import { createRequire, syncBuiltinESMExports } from 'node:module'
import * as threads from 'node:worker_threads'
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { assert } from '@onus/protocol/errors'

export interface StandbyData {
  /** URL of the worker's script. */
  readonly script: string
  /** URLs of modules that it imports. */
  readonly modules: readonly string[]
  /** A backend that is lowered and started once, so that the compiled code of that is there; null without any. */
  readonly sample: Uint8Array | null
  /** One cell: 1 once the data was sent. */
  readonly signal: Int32Array
}

const sampleGas = 1_000_000_000
const { script, modules, sample, signal } = workerData as StandbyData
for (const module of modules) await import(module)
if (sample !== null) await runOnce(sample)
Atomics.wait(signal, 0, 0)
assert(threads.parentPort !== null, 'this file runs as a worker')
const received = receiveMessageOnPort(threads.parentPort) as { readonly message: unknown } | undefined
assert(received !== undefined, 'the data is sent before the signal')
const mutable = createRequire(import.meta.url)('node:worker_threads') as { workerData: unknown }
mutable.workerData = received.message
syncBuiltinESMExports()
await import(script)

async function runOnce(module: Uint8Array): Promise<void> {
  const { lowerModule } = await import('@onus/vm/lower/lowerModule')
  const { defaultMachineParameters } = await import('@onus/vm/profile')
  const { machineAtGenesis } = await import('../../worker/openMachine.js')
  const { createHashing } = await import('../../hashing.js')
  try {
    machineAtGenesis(lowerModule(module, defaultMachineParameters), createHashing(), sampleGas)
  } catch {
    // A node tells what is wrong with a module; here it is only for warmth.
  }
}
