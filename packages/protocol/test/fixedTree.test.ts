/** Fixed-depth trees (`spec/state.md` 1) against a recursion over all leaves. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AssertionError } from '../src/errors.js'
import {
  emptyRoot,
  emptyRoots,
  fixedTreeProof,
  fixedTreeRoot,
  rootOfFixedTreeProof,
  verifyFixedTreeProof,
} from '../src/fixedTree.js'
import { nobleHasher } from '../src/hash.js'
import { fixedTreeNode, sha256 } from './support/naiveTrees.js'
import { readJson, vectorFolder } from './support/repository.js'
import { seededHash } from './support/seeded.js'

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => seededHash(`leaf ${index}`))
const packed = (leaves: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(leaves))
const siblingsOf = (leaves: readonly Uint8Array[], depth: number, index: number): Uint8Array =>
  packed(Array.from({ length: depth }, (_, d) => fixedTreeNode(leaves, d, (Math.floor(index / 2 ** d) ^ 1) * 2 ** d)))

describe('fixed-depth trees', () => {
  test('empty roots are hashes of pairs of empty roots, from 32 zero bytes to depth 64', () => {
    let expected: Uint8Array = new Uint8Array(32)
    for (let depth = 0; depth <= 64; depth++) {
      assert.deepEqual(emptyRoot(depth), expected)
      expected = sha256(expected, expected)
    }
    assert.equal(emptyRoots.length, 65)
    assert.throws(() => emptyRoot(65), AssertionError)
  })

  test('root and proofs equal the recursion for depths 0 to 6 and every number of leaves', () => {
    for (let depth = 0; depth <= 6; depth++)
      for (let count = 0; count <= 2 ** depth; count++) {
        const leaves = leavesOf(count)
        const root = fixedTreeNode(leaves, depth)
        assert.deepEqual(fixedTreeRoot(nobleHasher, packed(leaves), depth), root)
        for (let index = 0; index < 2 ** depth; index++) {
          const proof = fixedTreeProof(nobleHasher, packed(leaves), depth, index)
          assert.deepEqual(proof, siblingsOf(leaves, depth, index))
          const leaf = leaves[index] ?? new Uint8Array(32)
          assert.equal(verifyFixedTreeProof(nobleHasher, root, depth, leaf, index, proof), true)
        }
      }
  })

  test('root and proofs equal the recursion at the depths of the protocol', () => {
    for (const depth of [8, 15, 16, 24, 27])
      for (const count of [0, 1, 2, 3, 5, 130]) {
        const leaves = leavesOf(count)
        assert.deepEqual(fixedTreeRoot(nobleHasher, packed(leaves), depth), fixedTreeNode(leaves, depth))
        for (const index of [0, 1, 4, 129, 2 ** depth - 1])
          assert.deepEqual(
            fixedTreeProof(nobleHasher, packed(leaves), depth, index),
            siblingsOf(leaves, depth, index),
            `depth ${depth}, ${count} leaves, index ${index}`,
          )
      }
  })

  test('a proof fails at another index, with another leaf, another root or another sibling', () => {
    const depth = 5
    const leaves = leavesOf(21)
    const root = fixedTreeNode(leaves, depth)
    for (let index = 0; index < 21; index++) {
      const leaf = leaves[index] as Uint8Array
      const proof = siblingsOf(leaves, depth, index)
      for (let other = 0; other < 32; other++)
        if (other !== index) assert.equal(verifyFixedTreeProof(nobleHasher, root, depth, leaf, other, proof), false)
      for (let at = 0; at < proof.length; at += 31) {
        const changed = proof.slice()
        changed[at] = (changed[at] as number) ^ 1
        assert.equal(verifyFixedTreeProof(nobleHasher, root, depth, leaf, index, changed), false)
      }
      assert.equal(verifyFixedTreeProof(nobleHasher, root, depth, sha256(leaf), index, proof), false)
      assert.equal(verifyFixedTreeProof(nobleHasher, sha256(root), depth, leaf, index, proof), false)
    }
  })

  test('verification is false and throws nothing for shapes that no proof has', () => {
    const proof = siblingsOf(leavesOf(4), 2, 1)
    const root = fixedTreeNode(leavesOf(4), 2)
    const leaf = seededHash('leaf 1')
    assert.equal(verifyFixedTreeProof(nobleHasher, root, 2, leaf, 1, proof), true)
    for (const index of [-1, 4, 5, 1.5, Number.NaN, Infinity, 2 ** 53])
      assert.equal(verifyFixedTreeProof(nobleHasher, root, 2, leaf, index, proof), false)
    // The low bits of 4 and 8 are those of 0: only the bound on the index refuses them.
    const first = siblingsOf(leavesOf(4), 2, 0)
    const accepted = [0, 4, 8].map((at) => verifyFixedTreeProof(nobleHasher, root, 2, seededHash('leaf 0'), at, first))
    assert.deepEqual(accepted, [true, false, false])
    for (const siblings of [proof.subarray(1), proof.subarray(32), new Uint8Array(0), new Uint8Array(96)])
      assert.equal(verifyFixedTreeProof(nobleHasher, root, 2, leaf, 1, siblings), false)
    assert.equal(verifyFixedTreeProof(nobleHasher, root, 2, leaf.subarray(1), 1, proof), false)
    assert.equal(verifyFixedTreeProof(nobleHasher, root.subarray(1), 2, leaf, 1, proof), false)
  })

  test('an inner node does not pass for a leaf, for the depth is fixed', () => {
    const leaves = leavesOf(8)
    const inner = fixedTreeNode(leaves, 1, 0)
    const root = fixedTreeNode(leaves, 3)
    const short = siblingsOf(leaves, 3, 0).subarray(32)
    assert.deepEqual(rootOfFixedTreeProof(nobleHasher, inner, 0, short), root)
    assert.equal(verifyFixedTreeProof(nobleHasher, root, 3, inner, 0, short), false)
  })

  test('more leaves than fit, or a part of one, is a bug', () => {
    assert.throws(() => fixedTreeRoot(nobleHasher, new Uint8Array(5 * 32), 2), AssertionError)
    assert.throws(() => fixedTreeRoot(nobleHasher, new Uint8Array(33), 2), AssertionError)
  })
})

test('the state roots of state.json follow from their memory and globals by the recursion', () => {
  interface StateCase {
    readonly memoryPages: number
    readonly writes: readonly { readonly address: number; readonly bytes: string }[]
    readonly globals: string
    readonly memoryRoot: string
    readonly globalsRoot: string
    readonly stateRoot: string
  }
  const words = (bytes: Buffer): Uint8Array[] =>
    Array.from({ length: Math.ceil(bytes.length / 32) }, (_, index) => {
      const word = new Uint8Array(32)
      word.set(bytes.subarray(32 * index, 32 * index + 32))
      return word
    })
  const { cases } = readJson(join(vectorFolder, 'state.json')) as { cases: readonly StateCase[] }
  for (const { memoryPages, writes, globals, memoryRoot, globalsRoot, stateRoot } of cases) {
    const memory = Buffer.alloc(memoryPages * 65_536)
    for (const { address, bytes } of writes) memory.set(Buffer.from(bytes, 'hex'), address)
    const roots = [fixedTreeNode(words(memory), 27), fixedTreeNode(words(Buffer.from(globals, 'hex')), 8)] as const
    assert.deepEqual(
      roots.map((root) => Buffer.from(root).toString('hex')),
      [memoryRoot, globalsRoot],
    )
    const pages = Buffer.alloc(32)
    pages.writeUInt32BE(memoryPages, 28)
    const root = sha256(Buffer.from('onus/app'.padEnd(32, '\0')), roots[0], pages, roots[1])
    assert.equal(Buffer.from(root).toString('hex'), stateRoot)
  }
  assert.ok(cases.length >= 4)
})
