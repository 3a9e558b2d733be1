/**
 * The growing Merkle tree over all manifests so far (`spec/manifest.md` 3): RFC 6962 over their hashes, kept as the
 * roots of its perfect subtrees ("peaks", a Merkle mountain range), so that an append touches log2(n) hashes.
 */
import { assert } from './errors.js'
import type { Hasher } from './hash.js'
import { merkleLeaf, merkleNode } from './merkleTree.js'

/** `peaks` are the perfect subtrees from the left (largest) to the right, one for each 1 bit of `size`. */
export interface MerkleRange {
  readonly size: number
  readonly peaks: readonly Uint8Array[]
}

export const emptyRange: MerkleRange = { size: 0, peaks: [] }

/** The range with one more item (not yet hashed as a leaf). */
export function appendToRange(hasher: Hasher, range: MerkleRange, item: Uint8Array): MerkleRange {
  const peaks = [...range.peaks]
  let node = merkleLeaf(hasher, item)
  for (let bits = range.size; bits % 2 === 1; bits = Math.floor(bits / 2)) {
    const left = peaks.pop()
    assert(left !== undefined, 'a range has a peak for each 1 bit of its size')
    node = merkleNode(hasher, left, node)
  }
  return { size: range.size + 1, peaks: [...peaks, node] }
}

/** RFC 6962 root of the range; of none: SHA-256 of nothing. */
export function rangeRoot(hasher: Hasher, range: MerkleRange): Uint8Array {
  const last = range.peaks[range.peaks.length - 1]
  if (last === undefined) return hasher.sha256(new Uint8Array(0))
  let root = last
  for (let i = range.peaks.length - 2; i >= 0; i--) root = merkleNode(hasher, range.peaks[i] as Uint8Array, root)
  return root
}
