/**
 * From an untrusted module to what runs: validate, check the profile, pass 1, pass 2 (`spec/vm.md` 1 to 4).
 * Deterministic: the same bytes and parameters give the same bytes on every machine.
 */
import { assert } from '@onus/protocol/errors'
import { decodeModule } from '../binary/decodeModule.js'
import { encodeModule } from '../binary/encodeModule.js'
import { readFunctionNames } from '../binary/nameSection.js'
import { checkProfile, type MachineParameters } from '../profile.js'
import { meterModule } from './meterModule.js'
import { mutableGlobals, trackModule } from './trackModule.js'

export interface LoweredModule {
  /** M1: metered, depth-limited, NaN-canonical; its SHA-256 is registered for disputes. */
  readonly metered: Uint8Array
  /** M1 with the dirty map, for the engine. */
  readonly executable: Uint8Array
  readonly parameters: MachineParameters
  /** 64 KiB pages at genesis and at most. */
  readonly initialMemoryPages: number
  readonly maximumMemoryPages: number
  /** Value type bytes of the mutable globals, in the order of their index. */
  readonly globalTypes: readonly number[]
  readonly hasStart: boolean
  /** By function index, from the name section; for messages only, never for results. */
  readonly functionNames: ReadonlyMap<number, string>
}

/** Rejects with `module-invalid`, `module-malformed` or a `profile-…` code whose message names function and reason. */
export function lowerModule(module: Uint8Array, parameters: MachineParameters): LoweredModule {
  const decoded = checkProfile(module, parameters)
  const meteredModule = meterModule(decoded)
  const metered = encodeModule(meteredModule)
  const executable = encodeModule(trackModule(decodeModule(metered)))
  assert(WebAssembly.validate(bufferSource(metered)), 'pass 1 made an invalid module')
  assert(WebAssembly.validate(bufferSource(executable)), 'pass 2 made an invalid module')
  const memory = meteredModule.memories[0]
  assert(memory !== undefined, 'the profile requires a memory')
  return {
    metered,
    executable,
    parameters,
    initialMemoryPages: memory.minimum,
    maximumMemoryPages: memory.maximum,
    globalTypes: mutableGlobals(meteredModule).map((entry) => entry.valueType),
    hasStart: decoded.start >= 0,
    functionNames: readFunctionNames(decoded),
  }
}

/** The DOM typings want an ArrayBuffer behind the view; ours always have one. */
export function bufferSource(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}
