/** A backend built from source text, running on the machine in this thread, whose state can be given to another build. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuiltBackend, buildBackend } from '@onus/assemblyscript/build'
import {
  type Carried,
  carryState,
  type Placement,
  placementOf,
  type StartedBuild,
} from '@onus/node/dev/carry/carryState'
import type { StateLayout } from '@onus/node/dev/carry/layout'
import { mutableGlobalsOf } from '@onus/node/dev/carry/moduleView'
import { encodeCallInput } from '@onus/protocol/callHeader'
import { nobleHasher } from '@onus/protocol/hash'
import { decodeResult, encodeCall } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { decodeModule } from '@onus/vm/binary/decodeModule'
import { Machine } from '@onus/vm/engine/machine'
import { lowerModule } from '@onus/vm/lower/lowerModule'
import { defaultMachineParameters } from '@onus/vm/profile'

const gas = 1_000_000_000
const statePage = 4_096

export interface Live {
  readonly build: StartedBuild
  readonly description: Interface
  readonly older: readonly number[]
  call(name: string, ...args: readonly unknown[]): unknown
  state(): { memory: Uint8Array; globals: Map<string, bigint>; older: readonly number[] }
}

export async function buildSource(
  source: string,
  memoryBase = 0,
): Promise<BuiltBackend & { readonly layout: StateLayout }> {
  const folder = await mkdtemp(join(tmpdir(), 'onus-carry-'))
  try {
    await writeFile(join(folder, 'backend.ts'), source)
    const options = {
      entryFile: join(folder, 'backend.ts'),
      baseDirectory: folder,
      optimize: 'fast' as const,
      memoryBase,
    }
    return (await buildBackend(options)) as BuiltBackend & { readonly layout: StateLayout }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function lanesOf(globals: Uint8Array): bigint[] {
  const view = new DataView(globals.buffer, globals.byteOffset, globals.byteLength)
  return Array.from({ length: globals.byteLength / 8 }, (_, index) => view.getBigUint64(index * 8))
}

function memoryOf(machine: Machine): Uint8Array {
  const memory = new Uint8Array(machine.pageCount * statePage)
  for (let page = 0; page < machine.pageCount; page++) memory.set(machine.readPage(page), page * statePage)
  return memory
}

function startMachine(module: Uint8Array): { machine: Machine; lanes: bigint[] } {
  const machine = Machine.create(lowerModule(module, defaultMachineParameters), nobleHasher)
  const { ok, detail } = machine.start(gas)
  if (!ok) throw new Error(detail ?? 'start trapped')
  machine.accept()
  return { machine, lanes: lanesOf(machine.endBlock().delta.globals) }
}

async function startedBuild(
  source: string,
  memoryBase: number,
): Promise<{ build: StartedBuild; description: Interface }> {
  const built = await buildSource(source, memoryBase)
  const { lanes } = startMachine(built.wasm)
  return {
    build: { module: built.wasm, layout: built.layout, started: lanes, memoryBase },
    description: built.interface,
  }
}

function liveOf(build: StartedBuild, description: Interface, module: Uint8Array, older: readonly number[]): Live {
  const started = startMachine(module)
  const { machine } = started
  let { lanes } = started
  let counter = 0
  return {
    build,
    description,
    older,
    call(name, ...args) {
      const context = {
        caller: new Uint8Array(20),
        session: { slot: 0, generation: 0 },
        counter: counter++,
        height: counter,
        milliseconds: 1_000,
        transactionId: new Uint8Array(32),
        previousManifest: new Uint8Array(32),
      }
      const outcome = machine.call(encodeCallInput(nobleHasher, context, encodeCall(description, name, args)), gas)
      machine.accept()
      lanes = lanesOf(machine.endBlock().delta.globals)
      if (!outcome.ok) throw new Error(outcome.detail ?? 'trapped')
      return decodeResult(description, name, outcome.output)
    },
    state() {
      const names = mutableGlobalsOf(decodeModule(module)).map(({ name }, index) => [name, lanes[index] ?? 0n] as const)
      return { memory: memoryOf(machine), globals: new Map(names), older }
    },
  }
}

export async function startLive(source: string): Promise<Live> {
  const { build, description } = await startedBuild(source, 0)
  return liveOf(build, description, build.module, [])
}

export type Reloaded = { readonly placement: Placement } & (
  | { readonly live: Live }
  | { readonly reasons: readonly string[] }
)

/** What `onus dev` does on a save. */
export async function reload(live: Live, source: string): Promise<Reloaded> {
  let next = await startedBuild(source, live.build.memoryBase)
  const placement = placementOf(live.build, next.build)
  const state = live.state()
  if (placement === 'moved') next = await startedBuild(source, state.memory.length)
  const runStart = (module: Uint8Array): { memory: Uint8Array; lanes: bigint[] } => {
    const { machine, lanes } = startMachine(module)
    return { memory: memoryOf(machine), lanes }
  }
  const carried: Carried = carryState(live.build, next.build, state, placement, runStart)
  if (carried.kind === 'reset') return { placement, reasons: carried.reasons }
  return { placement, live: liveOf(next.build, next.description, carried.module, carried.older) }
}
