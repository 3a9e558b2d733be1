/**
 * A backend in this process for unit tests: the module as nodes run it (metered, depth-limited, undone when it traps), with
 * explicit time and callers; no ports, no consensus, no sleeps. `import { testBackend } from 'onus/testing'`.
 * What it does not have: sessions, limits of blocks, certificates.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex } from '@onus/protocol/bytes'
import { encodeCallInput } from '@onus/protocol/callHeader'
import { OnusError } from '@onus/protocol/errors'
import { nobleHasher } from '@onus/protocol/hash'
import { decodeOutput, encodeCall } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import type { CallArguments, CallResult, EmittedEvent, EntryName } from '@onus/protocol/interface/types'
import { type CallOutcome, Machine } from '@onus/vm/engine/machine'
import { lowerModule } from '@onus/vm/lower/lowerModule'
import { defaultMachineParameters } from '@onus/vm/profile'

type TestMethods<I extends Interface, K extends 'entry' | 'query'> = {
  readonly [N in EntryName<I, K>]: (...args: CallArguments<I, N>) => CallResult<I, N>
}

export interface TestBackend<I extends Interface> {
  /** Entries; each call is a block of its own. Throws `call-trapped` with the backend's words; its writes are undone. */
  readonly call: TestMethods<I, 'entry'>
  readonly query: TestMethods<I, 'query'>
  /** The same backend, called by another account: `0x` and 40 hexadecimal digits. */
  as(caller: string): TestBackend<I>
  /** Milliseconds since 1970 of the next blocks. */
  setTime(milliseconds: number): void
  advanceTime(milliseconds: number): void
  /** Blocks so far. */
  readonly height: number
  /** Gas that the last call used. */
  readonly gasUsed: number
  /** What the last call emitted. */
  readonly events: readonly EmittedEvent<I>[]
}

export interface TestOptions {
  /** Default `build/NAME.wasm` below the working directory. */
  readonly wasm: string | Uint8Array
  /** Default 2026-01-01. */
  readonly time?: number
  readonly caller?: string
  readonly gasLimit?: number
}

interface World {
  readonly machine: Machine
  readonly gasLimit: number
  time: number
  height: number
  counter: number
  gasUsed: number
  events: readonly unknown[]
}

const defaultTime = Date.UTC(2026, 0, 1)
const defaultCaller = `0x${'11'.repeat(20)}`
const defaultGas = 200_000_000
const startGas = 1_000_000_000

function readModule(wasm: string | Uint8Array): Uint8Array {
  if (typeof wasm !== 'string') return wasm
  if (!existsSync(wasm))
    throw new OnusError('no-module', `${wasm} is not there`, { remedy: 'build it first: npx onus build' })
  return new Uint8Array(readFileSync(wasm))
}

/** Path of the module that `onus build` writes for a project named `name`. */
export function builtModule(name: string, folder: string = process.cwd()): string {
  return join(folder, 'build', `${name}.wasm`)
}

/** Starts a fresh backend. Rejects `no-module`, `start-trapped` and what the profile of modules refuses. */
export function testBackend<const I extends Interface>(description: I, options: TestOptions): TestBackend<I> {
  const machine = Machine.create(lowerModule(readModule(options.wasm), defaultMachineParameters), nobleHasher)
  const { ok, detail } = machine.start(startGas)
  if (!ok) throw new OnusError('start-trapped', `the top level of the backend trapped: ${detail ?? 'no message'}`)
  machine.accept()
  machine.endBlock()
  const world: World = {
    machine,
    gasLimit: options.gasLimit ?? defaultGas,
    time: options.time ?? defaultTime,
    height: 0,
    counter: 0,
    gasUsed: 0,
    events: [],
  }
  return backendOf(description, world, options.caller ?? defaultCaller)
}

function backendOf<const I extends Interface>(description: I, world: World, caller: string): TestBackend<I> {
  if (!/^0x[0-9a-fA-F]{40}$/.test(caller))
    throw new OnusError('account-address', `expected 0x and 40 hexadecimal digits, got ${caller}`)
  const methods = (kind: 'entry' | 'query'): unknown =>
    Object.fromEntries(
      description.entries
        .filter((entry) => entry.kind === kind)
        .map(({ name }) => [
          name,
          (...args: readonly unknown[]) => run(description, world, caller, name, kind, args as CallArguments<I, never>),
        ]),
    )
  return {
    call: methods('entry') as TestMethods<I, 'entry'>,
    query: methods('query') as TestMethods<I, 'query'>,
    as: (other) => backendOf(description, world, other),
    setTime: (milliseconds) => {
      world.time = milliseconds
    },
    advanceTime: (milliseconds) => {
      world.time += milliseconds
    },
    get height() {
      return world.height
    },
    get gasUsed() {
      return world.gasUsed
    },
    get events() {
      return world.events as readonly EmittedEvent<I>[]
    },
  }
}

function inputOf(world: World, caller: string, request: Uint8Array): Uint8Array {
  const transactionId = nobleHasher.sha256(Uint8Array.of(world.counter & 255, world.counter >> 8, world.height & 255))
  const context = {
    caller: fromHex(caller.slice(2)),
    session: { slot: 0, generation: 1 },
    counter: world.counter,
    height: world.height + 1,
    milliseconds: world.time,
    transactionId,
    previousManifest: new Uint8Array(32),
  }
  return encodeCallInput(nobleHasher, context, request)
}

function run<const I extends Interface, N extends EntryName<I>>(
  description: I,
  world: World,
  caller: string,
  name: N,
  kind: 'entry' | 'query',
  args: CallArguments<I, N>,
): CallResult<I, N> {
  const input = inputOf(world, caller, encodeCall(description, name, args))
  const { machine, gasLimit } = world
  const outcome = kind === 'query' ? machine.query(input, gasLimit) : callOnce(machine, input, gasLimit)
  if (kind === 'entry') {
    world.height += 1
    world.counter += 1
    world.gasUsed = outcome.gasUsed
  }
  const output = outcome.ok ? decodeOutput(description, name, outcome.output) : null
  if (kind === 'entry') world.events = output?.events ?? []
  if (output !== null) return output.value
  throw new OnusError('call-trapped', `${name} trapped: ${outcome.detail ?? 'no message'}`)
}

function callOnce(machine: Machine, input: Uint8Array, gasLimit: number): CallOutcome {
  const outcome = machine.call(input, gasLimit)
  machine.accept()
  machine.endBlock()
  return outcome
}
