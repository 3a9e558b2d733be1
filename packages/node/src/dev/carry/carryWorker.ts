/** Worker for the carrying of state: runs start functions and reads stores with the stack that backends need. */
import { join } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { assert, OnusError } from '@onus/protocol/errors'
import { decodeModule } from '@onus/vm/binary/decodeModule'
import { Machine } from '@onus/vm/engine/machine'
import { lowerModule } from '@onus/vm/lower/lowerModule'
import { defaultMachineParameters, maximumModuleBytes } from '@onus/vm/profile'
import { createHashing } from '../../hashing.js'
import { storeFolder } from '../../nodeWorkers.js'
import { Store } from '../../store/store.js'
import { serveWorker } from '../../worker/channel.js'
import type { CodeGenesis } from '../../worker/genesisWorker.js'
import { codeReferenceOf } from '../../worker/openMachine.js'
import {
  type Carried,
  carryState,
  type Placement,
  type RunningState,
  type StartedBuild,
  type StartedState,
} from './carryState.js'
import { mutableGlobalsOf } from './moduleView.js'

export interface StartedModule {
  readonly code: CodeGenesis
  /** Lanes of the mutable globals, in order. */
  readonly started: readonly bigint[]
}

export interface CarryRequest {
  readonly before: StartedBuild
  /** The module that runs: `before` with a state in it, or as it was built. */
  readonly running: Uint8Array
  readonly older: readonly number[]
  readonly homes: readonly string[]
}

export interface ReadState extends RunningState {
  /** Last height whose effects are in the state. */
  readonly height: number
}

export interface CarryMethods {
  /** Rejects `start-trapped` and what the profile refuses. */
  start(module: Uint8Array): StartedModule
  /** The newest state of nodes that do not run. Rejects `state-gone`. */
  read(request: CarryRequest): Promise<ReadState>
  carry(argument: { before: StartedBuild; after: StartedBuild; state: RunningState; placement: Placement }): Carried
}

const statePage = 4_096
const startGas = 1_000_000_000
const hashing = createHashing()

function lanesOf(globals: Uint8Array): bigint[] {
  const view = new DataView(globals.buffer, globals.byteOffset, globals.byteLength)
  return Array.from({ length: globals.byteLength / 8 }, (_, index) => view.getBigUint64(index * 8))
}

/** The state after the start function: the machine, and its globals. */
function startMachine(module: Uint8Array): { machine: Machine; globals: Uint8Array; code: CodeGenesis } {
  const lowered = lowerModule(module, defaultMachineParameters)
  const machine = Machine.create(lowered, hashing)
  const outcome = machine.start(startGas)
  if (!outcome.ok)
    throw new OnusError('start-trapped', `the top level of the backend trapped: ${outcome.detail ?? 'no message'}`, {
      remedy: 'make what runs at the top level of the backend cheaper or correct',
    })
  machine.accept()
  const { delta, stateRoot } = machine.endBlock()
  return {
    machine,
    globals: delta.globals,
    code: { codeReference: codeReferenceOf(hashing, module, lowered), stateRoot },
  }
}

function memoryOf(machine: Machine): Uint8Array {
  const memory = new Uint8Array(machine.pageCount * statePage)
  for (let page = 0; page < machine.pageCount; page++) memory.set(machine.readPage(page), page * statePage)
  return memory
}

function runStart(module: Uint8Array): StartedState {
  const { machine, globals } = startMachine(module)
  return { memory: memoryOf(machine), lanes: lanesOf(globals) }
}

async function newestStore(homes: readonly string[]): Promise<Store | null> {
  let newest: Store | null = null
  for (const home of homes) {
    const store = new Store(join(home, storeFolder))
    const isNewer = (store.position?.height ?? -1) > (newest?.position?.height ?? -2)
    if (store.dissent !== null || !isNewer) {
      await store.close()
      continue
    }
    await newest?.close()
    newest = store
  }
  return newest
}

async function readState({ running, older, homes }: CarryRequest): Promise<ReadState> {
  const started = startMachine(running)
  const { machine } = started
  const store = await newestStore(homes)
  if (store === null) throw new OnusError('state-gone', 'every node dissents: there is no state that they agree on')
  let { globals } = started
  const { position } = store
  if (position !== null && position.chain.range.size > 0) {
    globals = position.globals
    machine.apply({ memoryPages: position.memoryPages, globals, pages: [...store.pages()] })
  }
  await store.close()
  const memory = memoryOf(machine)
  const lanes = lanesOf(globals)
  const named = mutableGlobalsOf(decodeModule(running)).map(({ name }, index) => [name, lanes[index] ?? 0n] as const)
  return { memory, globals: new Map(named), older, height: position?.height ?? 0 }
}

assert(parentPort !== null, 'this file runs as a worker')
serveWorker<CarryMethods>(parentPort, {
  start: (module) => {
    const { code, globals } = startMachine(module)
    return { code, started: lanesOf(globals) }
  },
  read: readState,
  carry: ({ before, after, state, placement }) => {
    const carried = carryState(before, after, state, placement, runStart)
    if (carried.kind === 'reset' || carried.module.length <= maximumModuleBytes) return carried
    const size = (carried.module.length / 2 ** 20).toFixed(1)
    return {
      kind: 'reset',
      reasons: [`the state takes ${size} MiB, at most ${maximumModuleBytes / 2 ** 20} can be carried`],
    }
  },
})
