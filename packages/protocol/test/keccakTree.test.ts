/** The tree over the ids of a batch (`spec/transaction.md` 3) against splitting at the largest power of two. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nobleHasher } from '../src/hash.js'
import { keccakTreeRoot } from '../src/keccakTree.js'
import { keccak, keccakTreeHash } from './support/naiveTrees.js'
import { seededHash } from './support/seeded.js'

const ids = Array.from({ length: 130 }, (_, index) => seededHash(`id ${index}`))

test('the root equals the recursion for 1 to 130 ids', () => {
  for (let count = 1; count <= ids.length; count++)
    assert.deepEqual(keccakTreeRoot(nobleHasher, ids.slice(0, count)), keccakTreeHash(ids.slice(0, count)))
})

test('order counts, and a node is keccak256(01 ‖ left ‖ right)', () => {
  const [a, b] = [ids[0] as Uint8Array, ids[1] as Uint8Array]
  assert.deepEqual(keccakTreeRoot(nobleHasher, [a, b]), keccak(Uint8Array.of(1), a, b))
  assert.notDeepEqual(keccakTreeRoot(nobleHasher, [a, b]), keccakTreeRoot(nobleHasher, [b, a]))
})
