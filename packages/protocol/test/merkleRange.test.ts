/** The range over all manifests (`spec/manifest.md` 3) against the plain tree, and what its proofs need. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AssertionError } from '../src/errors.js'
import { nobleHasher } from '../src/hash.js'
import { appendToRange, emptyRange, rangeRoot } from '../src/merkleRange.js'
import { merkleLeaf, merkleProof, merkleRoot, verifyMerkleProof } from '../src/merkleTree.js'
import { merkleTreeHash } from './support/naiveTrees.js'
import { seededHash } from './support/seeded.js'

const hashes = Array.from({ length: 200 }, (_, index) => seededHash(`manifest ${index}`))

test('after each of 200 appends the range has the root of the plain tree and a peak for each 1 bit', () => {
  let range = emptyRange
  assert.deepEqual(rangeRoot(nobleHasher, range), merkleTreeHash([]))
  hashes.forEach((hash, index) => {
    range = appendToRange(nobleHasher, range, hash)
    const size = index + 1
    assert.equal(range.size, size)
    assert.equal(range.peaks.length, size.toString(2).replaceAll('0', '').length)
    assert.deepEqual(rangeRoot(nobleHasher, range), merkleRoot(nobleHasher, hashes.slice(0, size)))
    assert.deepEqual(rangeRoot(nobleHasher, range), merkleTreeHash(hashes.slice(0, size)))
  })
})

test('appending leaves the range before it as it was', () => {
  const five = hashes.slice(0, 5).reduce((range, hash) => appendToRange(nobleHasher, range, hash), emptyRange)
  const root = rangeRoot(nobleHasher, five)
  appendToRange(nobleHasher, five, hashes[5] as Uint8Array)
  assert.deepEqual(rangeRoot(nobleHasher, five), root)
  assert.deepEqual(emptyRange, { size: 0, peaks: [] })
})

test('an old manifest is proved under the newest range root by its index', () => {
  const range = hashes.reduce((before, hash) => appendToRange(nobleHasher, before, hash), emptyRange)
  const root = rangeRoot(nobleHasher, range)
  const leaves = hashes.map((hash) => merkleLeaf(nobleHasher, hash))
  for (const index of [0, 1, 63, 64, 127, 128, 191, 192, 198, 199]) {
    const proof = merkleProof(nobleHasher, leaves, index)
    assert.equal(verifyMerkleProof(nobleHasher, root, leaves[index] as Uint8Array, index, 200, proof), true)
    assert.equal(
      verifyMerkleProof(nobleHasher, root, leaves[index] as Uint8Array, (index + 1) % 200, 200, proof),
      false,
    )
  }
})

test('a range without the peaks of its size is a bug', () => {
  assert.throws(() => appendToRange(nobleHasher, { size: 3, peaks: [] }, seededHash('x')), AssertionError)
})
