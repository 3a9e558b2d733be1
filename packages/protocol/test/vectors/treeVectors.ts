/** Vectors of the trees: fixed depth, RFC 6962, the growing range, and the state root over two of the first. */
import { concatBytes, wordOfInteger } from '../../src/bytes.js'
import { emptyRoot, fixedTreeProof, fixedTreeRoot } from '../../src/fixedTree.js'
import { nobleHasher, recordHash } from '../../src/hash.js'
import { appendToRange, emptyRange, rangeRoot } from '../../src/merkleRange.js'
import { merkleLeaf, merkleProof, merkleRoot } from '../../src/merkleTree.js'
import { seededBytes, seededHash } from '../support/seeded.js'
import { jsonOf, type VectorFile } from './vectorFile.js'

export function fixedTreeVectors(): VectorFile {
  const cases = [
    [0, 1],
    [1, 2],
    [3, 5],
    [8, 3],
    [15, 4],
    [16, 1],
    [16, 7],
    [24, 2],
    [27, 9],
  ].map(([depth = 0, count = 0]) => {
    const leaves = Array.from({ length: count }, (_, index) => seededHash(`leaf ${index}`))
    const packed = concatBytes(...leaves)
    const indexes = [...new Set([0, count - 1, 2 ** depth - 1])]
    const proofs = indexes.map((index) => ({ index, siblings: fixedTreeProof(nobleHasher, packed, depth, index) }))
    return { depth, leaves, root: fixedTreeRoot(nobleHasher, packed, depth), proofs }
  })
  const emptyRoots = Array.from({ length: 28 }, (_, depth) => emptyRoot(depth))
  return {
    note: 'spec/state.md 1. SHA-256 trees of fixed depth; leaves stand from the left, the rest is empty. emptyRoots[d] is the root of an empty tree of depth d. Siblings from the bottom up, 32 bytes each.',
    ...(jsonOf({ emptyRoots, cases }) as object),
  }
}

export function merkleTreeVectors(): VectorFile {
  const items = Array.from({ length: 17 }, (_, index) => seededBytes(`item ${index}`, index))
  const cases = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17].map((size) => {
    const leaves = items.slice(0, size).map((item) => merkleLeaf(nobleHasher, item))
    const proofs = leaves.map((leaf, index) => ({ index, leaf, siblings: merkleProof(nobleHasher, leaves, index) }))
    return { size, root: merkleRoot(nobleHasher, items.slice(0, size)), proofs }
  })
  return {
    note: 'spec/encoding.md 5. RFC 6962 trees over the first `size` items. Siblings from the bottom up.',
    ...(jsonOf({ items, cases }) as object),
  }
}

export function merkleRangeVectors(): VectorFile {
  let range = emptyRange
  const cases: object[] = [{ size: 0, peaks: [], root: rangeRoot(nobleHasher, range) }]
  for (let size = 1; size <= 20; size++) {
    const item = seededHash(`manifest ${size - 1}`)
    range = appendToRange(nobleHasher, range, item)
    cases.push({ size, item, peaks: range.peaks, root: rangeRoot(nobleHasher, range) })
  }
  return {
    note: 'spec/manifest.md 3. The range over manifest hashes after each append of `item`: its peaks from the left, and the root, which is that of the RFC 6962 tree over the items so far.',
    ...(jsonOf({ cases }) as object),
  }
}

export function stateVectors(): VectorFile {
  const cases = [
    { memoryPages: 0, writes: [], globals: new Uint8Array(0) },
    { memoryPages: 1, writes: [], globals: seededBytes('globals', 8) },
    { memoryPages: 1, writes: [{ address: 65_535, bytes: Uint8Array.of(1) }], globals: seededBytes('globals', 32) },
    {
      memoryPages: 3,
      writes: [
        { address: 0, bytes: seededBytes('low', 40) },
        { address: 4090, bytes: seededBytes('across pages', 12) },
        { address: 131_072, bytes: seededBytes('high', 100) },
      ],
      globals: seededBytes('globals', 40),
    },
  ].map(({ memoryPages, writes, globals }) => {
    const memory = new Uint8Array(memoryPages * 65_536)
    for (const { address, bytes } of writes) memory.set(bytes, address)
    const lanes = new Uint8Array(Math.ceil(globals.length / 32) * 32)
    lanes.set(globals)
    const memoryRoot = fixedTreeRoot(nobleHasher, memory, 27)
    const globalsRoot = fixedTreeRoot(nobleHasher, lanes, 8)
    const stateRoot = recordHash(nobleHasher, 'onus/app', [memoryRoot, wordOfInteger(memoryPages), globalsRoot])
    return { memoryPages, writes, globals, memoryRoot, globalsRoot, stateRoot }
  })
  return {
    note: 'spec/state.md 2. Memory of `memoryPages` x 65,536 bytes, zero but for `writes`; globals as lanes of 8 bytes, big-endian.',
    ...(jsonOf({ cases }) as object),
  }
}
