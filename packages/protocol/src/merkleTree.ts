/**
 * Merkle trees of RFC 6962 section 2.1 over SHA-256: a leaf is H(00 ‖ data), a node H(01 ‖ left ‖ right), the left
 * subtree holds the largest power of two below the size. CometBFT hashes headers, block items and validators so, and
 * the range over all manifests is the same tree (`spec/manifest.md` 3), whose append costs one path.
 */
import { concatBytes, equalBytes } from './bytes.js'
import { assert } from './errors.js'
import type { Hasher } from './hash.js'

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

export function merkleLeaf(hasher: Hasher, data: Uint8Array): Uint8Array {
  return hasher.sha256(concatBytes(leafPrefix, data))
}

export function merkleNode(hasher: Hasher, left: Uint8Array, right: Uint8Array): Uint8Array {
  return hasher.sha256(concatBytes(nodePrefix, left, right))
}

/** Leaves of the left subtree of a tree of `size` (at least 2): the largest power of two below `size`. */
function leftSize(size: number): number {
  let half = 1
  while (half * 2 < size) half *= 2
  return half
}

/** Root over leaves already hashed by `merkleLeaf`; of none: SHA-256 of nothing. */
export function merkleRootOfLeaves(hasher: Hasher, leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return hasher.sha256(new Uint8Array(0))
  if (leaves.length === 1) return leaves[0] as Uint8Array
  const split = leftSize(leaves.length)
  return merkleNode(
    hasher,
    merkleRootOfLeaves(hasher, leaves.slice(0, split)),
    merkleRootOfLeaves(hasher, leaves.slice(split)),
  )
}

export function merkleRoot(hasher: Hasher, items: readonly Uint8Array[]): Uint8Array {
  return merkleRootOfLeaves(
    hasher,
    items.map((item) => merkleLeaf(hasher, item)),
  )
}

/** Sibling hashes of leaf `index`, from the bottom up (RFC 6962 2.1.1 audit path). */
export function merkleProof(hasher: Hasher, leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  assert(index >= 0 && index < leaves.length, 'a proof is of an existing leaf')
  if (leaves.length === 1) return []
  const split = leftSize(leaves.length)
  const [own, other, position] =
    index < split
      ? [leaves.slice(0, split), leaves.slice(split), index]
      : [leaves.slice(split), leaves.slice(0, split), index - split]
  return [...merkleProof(hasher, own, position), merkleRootOfLeaves(hasher, other)]
}

/**
 * Root that `leaf` at `index` of a tree of `size` has under `siblings` (from the bottom up), or null where index, size
 * and number of siblings do not fit together. The shape of the path follows from index and size alone, so a proof for
 * one place can never serve for another (S7).
 */
export function rootOfMerkleProof(
  hasher: Hasher,
  leaf: Uint8Array,
  index: number,
  size: number,
  siblings: readonly Uint8Array[],
): Uint8Array | null {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return null
  if (size === 1) return siblings.length === 0 ? leaf : null
  const sibling = siblings[siblings.length - 1]
  if (sibling === undefined) return null
  const below = siblings.slice(0, -1)
  const split = leftSize(size)
  if (index < split) {
    const left = rootOfMerkleProof(hasher, leaf, index, split, below)
    return left === null ? null : merkleNode(hasher, left, sibling)
  }
  const right = rootOfMerkleProof(hasher, leaf, index - split, size - split, below)
  return right === null ? null : merkleNode(hasher, sibling, right)
}

export function verifyMerkleProof(
  hasher: Hasher,
  root: Uint8Array,
  leaf: Uint8Array,
  index: number,
  size: number,
  siblings: readonly Uint8Array[],
): boolean {
  const computed = rootOfMerkleProof(hasher, leaf, index, size, siblings)
  return computed !== null && equalBytes(computed, root)
}
