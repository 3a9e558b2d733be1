/** Trees of RFC 6962 (`spec/encoding.md` 5) against the text of the RFC, for every size to 40 and every index. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { AssertionError } from '../src/errors.js'
import { nobleHasher } from '../src/hash.js'
import { merkleLeaf, merkleProof, merkleRoot, rootOfMerkleProof, verifyMerkleProof } from '../src/merkleTree.js'
import { auditPath, merkleTreeHash, rootOfInclusionProof, sha256 } from './support/naiveTrees.js'
import { seededBytes } from './support/seeded.js'

const largest = 40
const items = Array.from({ length: largest }, (_, index) => seededBytes(`item ${index}`, index % 50))
const leaves = items.map((item) => merkleLeaf(nobleHasher, item))

describe('RFC 6962 trees', () => {
  test('the root is MTH(D[n]) for every n from 0 to 40', () => {
    for (let size = 0; size <= largest; size++)
      assert.deepEqual(merkleRoot(nobleHasher, items.slice(0, size)), merkleTreeHash(items.slice(0, size)))
  })

  test('the root of nothing is SHA-256 of nothing', () => {
    assert.equal(
      Buffer.from(merkleRoot(nobleHasher, [])).toString('hex'),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
  })

  test('a leaf and a node never hash alike', () => {
    const [a, b] = [leaves[0] as Uint8Array, leaves[1] as Uint8Array]
    assert.notDeepEqual(
      merkleRoot(nobleHasher, [Buffer.concat([a, b])]),
      merkleRoot(nobleHasher, [items[0], items[1]] as Uint8Array[]),
    )
  })

  test('the proof is PATH(m, D[n]) and verifies, for every n to 40 and every m', () => {
    for (let size = 1; size <= largest; size++) {
      const root = merkleTreeHash(items.slice(0, size))
      for (let index = 0; index < size; index++) {
        const proof = merkleProof(nobleHasher, leaves.slice(0, size), index)
        assert.deepEqual(proof, auditPath(index, items.slice(0, size)))
        assert.equal(verifyMerkleProof(nobleHasher, root, leaves[index] as Uint8Array, index, size, proof), true)
      }
    }
  })

  test('a proof fails at every other index, with another leaf, and with a sibling more or less', () => {
    for (let size = 1; size <= largest; size++) {
      const root = merkleTreeHash(items.slice(0, size))
      for (let index = 0; index < size; index++) {
        const leaf = leaves[index] as Uint8Array
        const proof = auditPath(index, items.slice(0, size))
        for (let other = -1; other <= size; other++)
          if (other !== index)
            assert.equal(
              verifyMerkleProof(nobleHasher, root, leaf, other, size, proof),
              false,
              `${size} ${index} ${other}`,
            )
        const fails = (changed: Uint8Array, siblings: readonly Uint8Array[]): void =>
          assert.equal(verifyMerkleProof(nobleHasher, root, changed, index, size, siblings), false)
        fails(sha256(leaf), proof)
        fails(leaf, [...proof, leaf])
        if (proof.length > 0) fails(leaf, proof.slice(1))
        if (proof.length > 0) fails(leaf, proof.slice(0, -1))
      }
    }
  })

  test('a proof verifies under another size only where index and size give the same path', () => {
    for (let size = 1; size <= largest; size++) {
      const root = merkleTreeHash(items.slice(0, size))
      for (let index = 0; index < size; index++) {
        const leaf = leaves[index] as Uint8Array
        const proof = auditPath(index, items.slice(0, size))
        for (let other = 0; other <= 2 * largest; other++) {
          const naive = rootOfInclusionProof(leaf, index, other, proof)
          const expected = naive !== null && Buffer.from(naive).equals(root)
          assert.equal(verifyMerkleProof(nobleHasher, root, leaf, index, other, proof), expected)
        }
      }
    }
  })

  test('the size of item 0 is bound only by the length of its path: 5 to 8 items look alike, 4 and 9 do not', () => {
    const root = merkleTreeHash(items.slice(0, 5))
    const proof = auditPath(0, items.slice(0, 5))
    const accepted = Array.from({ length: 20 }, (_, size) => size).filter((size) =>
      verifyMerkleProof(nobleHasher, root, leaves[0] as Uint8Array, 0, size, proof),
    )
    assert.deepEqual(accepted, [5, 6, 7, 8])
  })

  test('any leaf, index, size and siblings give what RFC 9162 2.1.3.2 gives', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const size = fc.oneof(fc.nat(64), fc.nat(2 ** 32 - 1), fc.maxSafeNat())
    const property = fc.property(hash, size, fc.maxSafeNat(), fc.array(hash, { maxLength: 60 }), (leaf, n, m, path) => {
      const index = n === 0 ? m : m % (n + 1)
      assert.deepEqual(rootOfMerkleProof(nobleHasher, leaf, index, n, path), rootOfInclusionProof(leaf, index, n, path))
    })
    fc.assert(property, { seed: 6962, numRuns: 400 })
  })

  test('indexes and sizes that are no integers are refused', () => {
    const leaf = leaves[0] as Uint8Array
    for (const [index, size] of [
      [0.5, 1],
      [0, 1.5],
      [Number.NaN, 1],
      [0, Number.NaN],
      [0, Infinity],
      [-1, 0],
      [0, 0],
    ] as const)
      assert.equal(rootOfMerkleProof(nobleHasher, leaf, index, size, []), null)
  })

  test('asking for a proof of what is not there is a bug', () => {
    assert.throws(() => merkleProof(nobleHasher, leaves.slice(0, 3), 3), AssertionError)
  })
})
