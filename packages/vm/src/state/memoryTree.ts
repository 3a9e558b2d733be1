/**
 * State tree of the linear memory (`spec/vm.md` 5, disputes.md 2.2): depth 27 over 32-byte leaves. Kept are the roots
 * of the 4 KiB pages (height 7) and everything above them, 64 bytes a page; the 127 nodes inside a page are hashed
 * again whenever the page is dirty. Levels are hashed in batches over all dirty pages, because the native hasher takes
 * 35 ns a hash in batches and 220 ns alone.
 */

import { assert } from '@onus/protocol/errors'
import { emptyRoot } from '@onus/protocol/fixedTree'
import type { Hasher } from '@onus/protocol/hash'
import { statePageBytes } from '../lower/layout.js'

export const memoryTreeDepth = 27
/** Height of a page's root above the leaves. */
export const pageHeight = 7
/** Siblings of a page's root up to the root of the tree. */
export const pageProofLength: number = memoryTreeDepth - pageHeight

const nodeBytes = 32
const pagesPerBatch = 64

export class MemoryTree {
  private readonly hasher: Hasher
  /** levels[k] holds the left-most nodes of height 7 + k, as many as the capacity needs. */
  private levels: Uint8Array[] = []
  private readonly pages = new Uint8Array(pagesPerBatch * statePageBytes)
  private readonly halves = new Uint8Array((pagesPerBatch * statePageBytes) / 2)
  /** Left-most nodes of the levels above those in `levels`, up to the root; everything to their right is empty. */
  private spine: Uint8Array[] = []

  constructor(hasher: Hasher) {
    this.hasher = hasher
    this.reserve(1)
    this.extendSpine()
  }

  /** Root over the whole address space, 32 bytes. */
  get root(): Uint8Array {
    return this.node(pageProofLength, 0).slice()
  }

  /** Root of one page, 32 bytes. */
  pageRoot(page: number): Uint8Array {
    return this.node(0, page).slice()
  }

  /** 20 siblings of the page's root from the bottom up, 640 bytes. */
  pageProof(page: number): Uint8Array {
    const proof = new Uint8Array(pageProofLength * nodeBytes)
    for (let level = 0; level < pageProofLength; level++) {
      const sibling = Math.floor(page / 2 ** level) ^ 1
      proof.set(this.node(level, sibling), level * nodeBytes)
    }
    return proof
  }

  /** Takes new content of `dirty` pages (ascending, distinct) from `memory`. */
  update(memory: Uint8Array, dirty: readonly number[]): void {
    if (dirty.length === 0) return
    this.reserve((dirty[dirty.length - 1] as number) + 1)
    for (let at = 0; at < dirty.length; at += pagesPerBatch) this.hashPages(memory, dirty.slice(at, at + pagesPerBatch))
    this.rehashPaths(dirty)
  }

  private node(level: number, index: number): Uint8Array {
    const nodes = this.levels[level] ?? this.spine[level - this.levels.length]
    const at = index * nodeBytes
    if (nodes === undefined || at >= nodes.length) return emptyRoot(pageHeight + level)
    return nodes.subarray(at, at + nodeBytes)
  }

  /** Room for `pages` pages: the capacity is a power of two, new nodes are those of empty pages. */
  private reserve(pages: number): void {
    const capacity = (this.levels[0]?.length ?? 0) / nodeBytes
    if (pages <= capacity) return
    let larger = Math.max(capacity, 16)
    while (larger < pages) larger *= 2
    const levels: Uint8Array[] = []
    for (let level = 0, count = larger; count >= 1; level++, count /= 2) {
      const nodes = new Uint8Array(count * nodeBytes)
      const old = this.levels[level]
      if (old !== undefined) nodes.set(old)
      const empty = emptyRoot(pageHeight + level)
      for (let at = old?.length ?? 0; at < nodes.length; at += nodeBytes) nodes.set(empty, at)
      levels.push(nodes)
    }
    // Levels that are new at the top cover the old pages too: rebuild them from the left edge.
    const oldDepth = this.levels.length
    this.levels = levels
    if (oldDepth > 0) for (let level = oldDepth; level < levels.length; level++) this.hashNodes(level, [0])
  }

  private hashPages(memory: Uint8Array, batch: readonly number[]): void {
    batch.forEach((page, slot) => {
      this.pages.set(memory.subarray(page * statePageBytes, (page + 1) * statePageBytes), slot * statePageBytes)
    })
    let input = this.pages
    let output = this.halves
    let length = batch.length * statePageBytes
    for (let height = 0; height < pageHeight; height++) {
      this.hasher.hashPairs(input.subarray(0, length), output.subarray(0, length / 2))
      length /= 2
      const next = input
      input = output
      output = next
    }
    const roots = this.levels[0]
    assert(roots !== undefined, 'the tree has a level of pages')
    batch.forEach((page, slot) => {
      roots.set(input.subarray(slot * nodeBytes, (slot + 1) * nodeBytes), page * nodeBytes)
    })
  }

  private rehashPaths(dirty: readonly number[]): void {
    let children = dirty
    for (let level = 1; level < this.levels.length; level++) {
      const parents: number[] = []
      for (const child of children) {
        const parent = child >> 1
        if (parents[parents.length - 1] !== parent) parents.push(parent)
      }
      this.hashNodes(level, parents)
      children = parents
    }
    this.extendSpine()
  }

  /** Hashes nodes of `level` from the level below, in batches. */
  private hashNodes(level: number, indices: readonly number[]): void {
    const below = this.levels[level - 1]
    const nodes = this.levels[level]
    assert(below !== undefined && nodes !== undefined, 'a level and the one below exist')
    const batch = this.halves.length / (2 * nodeBytes)
    for (let at = 0; at < indices.length; at += batch) {
      const part = indices.slice(at, at + batch)
      part.forEach((index, slot) => {
        this.pages.set(below.subarray(2 * index * nodeBytes, (2 * index + 2) * nodeBytes), slot * 2 * nodeBytes)
      })
      const output = this.halves.subarray(0, part.length * nodeBytes)
      this.hasher.hashPairs(this.pages.subarray(0, part.length * 2 * nodeBytes), output)
      part.forEach((index, slot) => {
        nodes.set(output.subarray(slot * nodeBytes, (slot + 1) * nodeBytes), index * nodeBytes)
      })
    }
  }

  private extendSpine(): void {
    const spine: Uint8Array[] = []
    const pair = new Uint8Array(2 * nodeBytes)
    let node = this.node(this.levels.length - 1, 0)
    for (let height = pageHeight + this.levels.length - 1; height < memoryTreeDepth; height++) {
      pair.set(node)
      pair.set(emptyRoot(height), nodeBytes)
      node = new Uint8Array(nodeBytes)
      this.hasher.hashPairs(pair, node)
      spine.push(node)
    }
    this.spine = spine
  }
}
