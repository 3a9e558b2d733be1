/** Swarm addresses (`spec/block-data.md` 3): a real Bee's references, a naive tree, and segment proofs. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AssertionError } from '../src/errors.js'
import { nobleHasher } from '../src/hash.js'
import {
  addressOfSegmentProof,
  chunkAddress,
  chunkLength,
  segmentProof,
  segmentsPerChunk,
  swarmReference,
} from '../src/swarm.js'
import { naiveChunkAddress, naiveSwarmReference } from './support/naiveTrees.js'
import { readJson, sharedTestData } from './support/repository.js'
import { seededBytes } from './support/seeded.js'

interface References {
  readonly vectors: readonly { readonly size: number; readonly fill?: 'zero'; readonly reference: string }[]
}

/** The content that the vectors name: byte i of a vector of size n, with 32-bit wrapping products. */
function content(size: number, fill: 'zero' | undefined): Uint8Array {
  const bytes = new Uint8Array(size)
  if (fill === undefined)
    for (let i = 0; i < size; i++) bytes[i] = Math.imul(Math.imul(i, i), 31) + Math.imul(i, 7) + size
  return bytes
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('Swarm addresses', () => {
  // noble hashes a chunk in 0.6 ms, so the vector of many megabytes is left to the node's hasher.
  const largest = 3 * 2 ** 20

  test('references equal those of a real Bee', (t) => {
    const path = sharedTestData('swarm/references.json')
    if (path === null) {
      console.log('NOT RUN: Swarm references of a real Bee: ../shared/testdata/swarm/references.json is absent')
      t.skip('needs shared: ../shared/testdata/swarm/references.json is absent')
      return
    }
    const { vectors } = readJson(path) as References
    assert.ok(vectors.length > 10)
    for (const { size, fill, reference } of vectors) {
      if (size > largest) console.log(`NOT RUN here: Swarm reference of ${size} bytes (noble is too slow)`)
      else assert.equal(hex(swarmReference(nobleHasher, content(size, fill))), reference, `${size} bytes`)
    }
  })

  test('the address of nothing is the known one', () => {
    const known = 'b34ca8c22b9e982354f9c7f50b470d66db428d880c8a904d5fe4ec9713171526'
    assert.equal(hex(swarmReference(nobleHasher, new Uint8Array(0))), known)
  })

  test('a chunk equals the naive tree over its padded payload', () => {
    for (const length of [0, 1, 31, 32, 33, 64, 65, 1024, 2048, 4064, 4095, 4096]) {
      const payload = seededBytes(`payload ${length}`, length)
      assert.deepEqual(chunkAddress(nobleHasher, payload), naiveChunkAddress(payload, length))
      assert.deepEqual(chunkAddress(nobleHasher, payload, 2 ** 40 + 5), naiveChunkAddress(payload, 2 ** 40 + 5))
    }
    assert.throws(() => chunkAddress(nobleHasher, new Uint8Array(4097)), AssertionError)
  })

  test('references equal the top-down definition around every border', () => {
    const border = chunkLength * segmentsPerChunk
    for (const length of [0, 4095, 4096, 4097, 8192, 8193, border - 1, border, border + 1, border + chunkLength + 1]) {
      const data = seededBytes(`data ${length}`, length)
      assert.deepEqual(swarmReference(nobleHasher, data), naiveSwarmReference(data), `${length} bytes`)
    }
  })
})

describe('segment proofs', () => {
  test('each of 128 segments is proved at its index and at no other', () => {
    for (const length of [0, 100, 1024, 4096]) {
      const payload = seededBytes(`payload ${length}`, length)
      const padded = new Uint8Array(chunkLength)
      padded.set(payload)
      const address = naiveChunkAddress(payload, length)
      for (let index = 0; index < segmentsPerChunk; index++) {
        const segment = padded.subarray(32 * index, 32 * index + 32)
        const proof = segmentProof(nobleHasher, payload, index)
        assert.equal(proof.length, 224)
        assert.deepEqual(addressOfSegmentProof(nobleHasher, segment, index, proof, length), address)
        const other = (index + 1) % segmentsPerChunk
        const same = Buffer.from(padded.subarray(32 * other, 32 * other + 32)).equals(segment)
        if (!same) assert.notDeepEqual(addressOfSegmentProof(nobleHasher, segment, other, proof, length), address)
      }
    }
  })

  test('another span, segment or sibling gives another address', () => {
    const payload = seededBytes('payload', 4096)
    const address = chunkAddress(nobleHasher, payload)
    const proof = segmentProof(nobleHasher, payload, 77)
    const segment = payload.slice(77 * 32, 78 * 32)
    assert.notDeepEqual(addressOfSegmentProof(nobleHasher, segment, 77, proof, 4095), address)
    for (let at = 0; at < 224; at += 32) {
      const changed = proof.slice()
      changed[at] = (changed[at] as number) ^ 0x80
      assert.notDeepEqual(addressOfSegmentProof(nobleHasher, segment, 77, changed, 4096), address)
    }
    segment[0] = (segment[0] as number) ^ 1
    assert.notDeepEqual(addressOfSegmentProof(nobleHasher, segment, 77, proof, 4096), address)
  })

  test('an index outside the chunk is refused: 128 must not prove what 0 proves', () => {
    const payload = seededBytes('payload', 4096)
    const proof = segmentProof(nobleHasher, payload, 0)
    for (const index of [-1, 128, 256, 0.5, Number.NaN])
      assert.throws(
        () => addressOfSegmentProof(nobleHasher, payload.subarray(0, 32), index, proof, 4096),
        AssertionError,
      )
    assert.throws(() => segmentProof(nobleHasher, payload, 128), AssertionError)
  })
})
