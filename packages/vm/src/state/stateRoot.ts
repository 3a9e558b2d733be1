/**
 * Commitment to the state of a backend (`spec/vm.md` 5, disputes.md 2.2): memory, its size, the mutable globals.
 * A lane is 8 bytes big-endian, zero-extended for i32 and f32; four lanes make a leaf of a tree of depth 8.
 */
import { wordLength, wordOfInteger } from '@onus/protocol/bytes'
import { fixedTreeRoot } from '@onus/protocol/fixedTree'
import { type Hasher, recordHash } from '@onus/protocol/hash'

export const globalsTreeDepth = 8
/** Bytes of a global in the state and in a `StateDelta`. */
export const laneBytes = 8
const stateTag = 'onus/app'

/** Root over `globals` (n x 8 bytes, big-endian lanes in the order of the mutable globals' indices). */
export function globalsTreeRoot(hasher: Hasher, globals: Uint8Array): Uint8Array {
  const leaves = new Uint8Array(Math.ceil(globals.length / wordLength) * wordLength)
  leaves.set(globals)
  return fixedTreeRoot(hasher, leaves, globalsTreeDepth)
}

/** `H('onus/app' ‖ memoryRoot ‖ memoryPages ‖ globalsRoot)`, 32 bytes; memoryPages counts 64 KiB. */
export function stateRootOf(
  hasher: Hasher,
  memoryRoot: Uint8Array,
  memoryPages: number,
  globalsRoot: Uint8Array,
): Uint8Array {
  return recordHash(hasher, stateTag, [memoryRoot, wordOfInteger(memoryPages), globalsRoot])
}
