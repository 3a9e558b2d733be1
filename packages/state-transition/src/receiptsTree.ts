/** Receipts of a block as a tree of depth 16 (`spec/receipt.md`): the root and every receipt's siblings in one pass. */
import { wordLength } from '@onus/protocol/bytes'
import { emptyRoot } from '@onus/protocol/fixedTree'
import type { Hasher } from '@onus/protocol/hash'
import { type Receipt, receiptLeaf, receiptsTreeDepth } from '@onus/protocol/receipt'

export interface ReceiptsTree {
  readonly root: Uint8Array
  /** The 16 siblings (512 bytes) of receipt `index`, from the bottom up. */
  proof(index: number): Uint8Array
}

/** The leaves of receipts: n x 32 bytes. */
export function receiptLeaves(hasher: Hasher, receipts: readonly Receipt[]): Uint8Array {
  const leaves = new Uint8Array(receipts.length * wordLength)
  receipts.forEach((receipt, index) => {
    leaves.set(receiptLeaf(hasher, receipt), index * wordLength)
  })
  return leaves
}

export function receiptsTree(hasher: Hasher, leaves: Uint8Array): ReceiptsTree {
  let level = leaves
  const levels: Uint8Array[] = []
  for (let depth = 0; depth < receiptsTreeDepth; depth++) {
    const pairs = Math.max(1, Math.ceil(level.length / (2 * wordLength)))
    const padded = new Uint8Array(pairs * 2 * wordLength)
    padded.set(level)
    for (let at = level.length; at < padded.length; at += wordLength) padded.set(emptyRoot(depth), at)
    levels.push(padded)
    level = new Uint8Array(pairs * wordLength)
    hasher.hashPairs(padded, level)
  }
  const proof = (index: number): Uint8Array => {
    const siblings = new Uint8Array(receiptsTreeDepth * wordLength)
    levels.forEach((nodes, depth) => {
      const at = ((index >> depth) ^ 1) * wordLength
      const sibling = at < nodes.length ? nodes.subarray(at, at + wordLength) : emptyRoot(depth)
      siblings.set(sibling, depth * wordLength)
    })
    return siblings
  }
  return { root: level, proof }
}
