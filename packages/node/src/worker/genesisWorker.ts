/** Worker that runs a backend's start function once: what a genesis must say of a module. */
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '@onus/protocol/errors'
import { lowerModule } from '@onus/vm/lower/lowerModule'
import { createHashing } from '../hashing.js'
import { serveWorker } from './channel.js'
import { codeReferenceOf, machineAtGenesis } from './openMachine.js'

export interface GenesisWorkerData {
  readonly module: Uint8Array
  readonly maximumMemoryPages: number
  readonly startGas: number
}

export interface CodeGenesis {
  readonly codeReference: Uint8Array
  readonly stateRoot: Uint8Array
}

export interface GenesisMethods {
  codeGenesis(argument: null): CodeGenesis
}

assert(parentPort !== null, 'this file runs as a worker')
serveWorker<GenesisMethods>(parentPort, {
  codeGenesis: () => {
    const { module, maximumMemoryPages, startGas } = workerData as GenesisWorkerData
    const hashing = createHashing()
    const lowered = lowerModule(module, { maximumMemoryPages })
    const { stateRoot } = machineAtGenesis(lowered, hashing, startGas)
    return { codeReference: codeReferenceOf(hashing, module, lowered), stateRoot }
  },
})
