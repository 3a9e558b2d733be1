/**
 * Fixed-depth SHA-256 trees (`spec/state.md` 1, `disputes.md` 2.2): 2^depth leaves of 32 bytes, a node is
 * H(left ‖ right), the empty leaf is 32 zero bytes. Fixed depth makes leaf/node confusion impossible and growth free
 * of proofs. These are the one-shot forms; the VM keeps large trees incrementally.
 */
import { equalBytes, wordLength } from './bytes.js'
import { assert } from './errors.js'
import { type Hasher, nobleHasher } from './hash.js'

/** Deepest tree of the protocol is memory with 27; 64 leaves room and bounds the table. */
const maximumDepth = 64

/** `emptyRoots[d]` is the root of an empty tree of depth d. */
export const emptyRoots: readonly Uint8Array[] = (() => {
  const roots: Uint8Array[] = [new Uint8Array(wordLength)]
  for (let depth = 1; depth <= maximumDepth; depth++) {
    const pair = new Uint8Array(2 * wordLength)
    const below = roots[depth - 1] as Uint8Array
    pair.set(below)
    pair.set(below, wordLength)
    roots.push(nobleHasher.sha256(pair))
  }
  return roots
})()

/** The root of an empty tree of `depth`. */
export function emptyRoot(depth: number): Uint8Array {
  const root = emptyRoots[depth]
  assert(root !== undefined, 'tree depth is at most 64')
  return root
}

/** Next level of a left-packed level: pairs hashed, an odd last node paired with the empty subtree of `depth`. */
function levelAbove(hasher: Hasher, level: Uint8Array, depth: number): Uint8Array {
  const count = level.length / wordLength
  let input = level
  if (count % 2 === 1) {
    input = new Uint8Array(level.length + wordLength)
    input.set(level)
    input.set(emptyRoot(depth), level.length)
  }
  const output = new Uint8Array(input.length / 2)
  hasher.hashPairs(input, output)
  return output
}

/** Root of a tree of `depth` over `leaves` (n x 32 bytes, packed from the left, the rest empty). */
export function fixedTreeRoot(hasher: Hasher, leaves: Uint8Array, depth: number): Uint8Array {
  assert(leaves.length % wordLength === 0 && leaves.length / wordLength <= 2 ** depth, 'leaves fit the tree')
  if (leaves.length === 0) return emptyRoot(depth)
  let level = leaves
  for (let d = 0; d < depth; d++) level = levelAbove(hasher, level, d)
  return level.slice(0, wordLength)
}

/** Siblings of leaf `index` from the bottom up: `depth` x 32 bytes. */
export function fixedTreeProof(hasher: Hasher, leaves: Uint8Array, depth: number, index: number): Uint8Array {
  const siblings = new Uint8Array(depth * wordLength)
  let level = leaves
  let position = index
  for (let d = 0; d < depth; d++) {
    const sibling = (position ^ 1) * wordLength
    siblings.set(sibling < level.length ? level.subarray(sibling, sibling + wordLength) : emptyRoot(d), d * wordLength)
    level = levelAbove(hasher, level, d)
    position = Math.floor(position / 2)
  }
  return siblings
}

/** Root that `leaf` at `index` has under `siblings` (depth x 32 bytes, from the bottom up). */
export function rootOfFixedTreeProof(
  hasher: Hasher,
  leaf: Uint8Array,
  index: number,
  siblings: Uint8Array,
): Uint8Array {
  assert(leaf.length === wordLength && siblings.length % wordLength === 0, 'leaf and siblings are words')
  const pair = new Uint8Array(2 * wordLength)
  const node = leaf.slice()
  let position = index
  for (let at = 0; at < siblings.length; at += wordLength) {
    const sibling = siblings.subarray(at, at + wordLength)
    pair.set(node, position % 2 === 0 ? 0 : wordLength)
    pair.set(sibling, position % 2 === 0 ? wordLength : 0)
    hasher.hashPairs(pair, node)
    position = Math.floor(position / 2)
  }
  return node
}

/** Whether `leaf` at `index` is in the tree of `depth` with `root`. False, never an exception, on any input. */
export function verifyFixedTreeProof(
  hasher: Hasher,
  root: Uint8Array,
  depth: number,
  leaf: Uint8Array,
  index: number,
  siblings: Uint8Array,
): boolean {
  if (leaf.length !== wordLength || siblings.length !== depth * wordLength) return false
  if (!Number.isSafeInteger(index) || index < 0 || index >= 2 ** depth) return false
  return equalBytes(rootOfFixedTreeProof(hasher, leaf, index, siblings), root)
}
