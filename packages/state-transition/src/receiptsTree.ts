/** Receipts of a block as a tree of depth 16 (`spec/receipt.md`): the root and every receipt's siblings in one pass. */
import { wordLength } from '@onus/protocol/bytes'
import { emptyRoot } from '@onus/protocol/fixedTree'
import type { Hasher } from '@onus/protocol/hash'
import { outputRoot, outputTreeDepth, type Receipt, receiptLeafWith, receiptsTreeDepth } from '@onus/protocol/receipt'

export interface ReceiptsTree {
  readonly root: Uint8Array
  /** The 16 siblings (512 bytes) of receipt `index`, from the bottom up. */
  proof(index: number): Uint8Array
}

/**
 * Roots of the outputs, n x 32 bytes. Those of one word, which most are, go up their trees together: 15 calls of the hash
 * function for a block instead of 15 for each receipt.
 */
function outputRoots(hasher: Hasher, receipts: readonly Receipt[]): Uint8Array {
  const roots = new Uint8Array(receipts.length * wordLength)
  const short: number[] = []
  receipts.forEach(({ output }, index) => {
    if (output.length > 0 && output.length <= wordLength) short.push(index)
    else roots.set(outputRoot(hasher, output), index * wordLength)
  })
  const nodes = new Uint8Array(short.length * wordLength)
  short.forEach((index, slot) => {
    nodes.set((receipts[index] as Receipt).output, slot * wordLength)
  })
  const pairs = new Uint8Array(2 * nodes.length)
  for (let depth = 0; depth < outputTreeDepth; depth++) {
    const empty = emptyRoot(depth)
    for (let slot = 0; slot < short.length; slot++) {
      pairs.set(nodes.subarray(slot * wordLength, (slot + 1) * wordLength), 2 * slot * wordLength)
      pairs.set(empty, (2 * slot + 1) * wordLength)
    }
    hasher.hashPairs(pairs, nodes)
  }
  short.forEach((index, slot) => {
    roots.set(nodes.subarray(slot * wordLength, (slot + 1) * wordLength), index * wordLength)
  })
  return roots
}

/** The leaves of receipts: n x 32 bytes. */
export function receiptLeaves(hasher: Hasher, receipts: readonly Receipt[]): Uint8Array {
  const roots = outputRoots(hasher, receipts)
  const leaves = new Uint8Array(receipts.length * wordLength)
  receipts.forEach((receipt, index) => {
    const at = index * wordLength
    leaves.set(receiptLeafWith(hasher, receipt, roots.subarray(at, at + wordLength)), at)
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
