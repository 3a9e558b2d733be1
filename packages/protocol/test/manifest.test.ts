/** The manifest and its seal (`spec/manifest.md`): words in order, hash, proofs of single fields, rejections. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AssertionError } from '../src/errors.js'
import { nobleHasher } from '../src/hash.js'
import {
  decodeManifest,
  encodeManifest,
  encodeSeal,
  type Manifest,
  manifestHash,
  manifestLength,
  manifestOfSeal,
  sealLength,
} from '../src/manifest.js'
import { addressOfSegmentProof, segmentProof } from '../src/swarm.js'
import { envelopeKind } from '../src/transaction.js'
import { naiveChunkAddress } from './support/naiveTrees.js'
import { assertRejects } from './support/rejection.js'
import { seededHash } from './support/seeded.js'

const nanoseconds = 1_700_000_000_987_654_321n
const manifest: Manifest = {
  clusterId: seededHash('cluster'),
  epoch: 2,
  membershipVersion: 3,
  nextMembershipVersion: 4,
  nextMembershipHeight: 5,
  nextMembersHash: seededHash('next members'),
  index: 6,
  height: 7,
  time: { seconds: 1_700_000_000, nanoseconds: 987_654_321 },
  previousManifest: seededHash('previous'),
  rangeRoot: seededHash('range'),
  blockDataReference: seededHash('data'),
  blockDataLength: 8,
  transactionCount: 9,
  receiptsRoot: seededHash('receipts'),
  stateRoot: seededHash('state'),
  sessionRoot: seededHash('sessions'),
  codeReference: seededHash('code'),
  loweringVersion: 10,
  gasUsed: 11,
  nodeVersion: 'v20.20.2',
  v8Version: '11.3.244.8-node.38',
  observation: { blockNumber: 12, blockHash: seededHash('observed'), membershipVersion: 13 },
}
const encoded = encodeManifest(manifest)
const integer = (value: number | bigint): string => BigInt(value).toString(16).padStart(64, '0')
const text = (value: string): string => Buffer.from(value).toString('hex').padEnd(64, '0')
const hash = (label: string): string => Buffer.from(seededHash(label)).toString('hex')
const words = [
  text('onus/manifest/1'),
  hash('cluster'),
  ...[2, 3, 4, 5].map(integer),
  hash('next members'),
  ...[6, 7, nanoseconds].map(integer),
  ...['previous', 'range', 'data'].map(hash),
  ...[8, 9].map(integer),
  ...['receipts', 'state', 'sessions', 'code'].map(hash),
  ...[10, 11].map(integer),
  text('v20.20.2'),
  text('11.3.244.8-node.38'),
  integer(12),
  hash('observed'),
  integer(13),
  ...new Array<string>(6).fill(integer(0)),
]
const patched = (at: number, patch: readonly number[]): Uint8Array => {
  const copy = encoded.slice()
  copy.set(patch, at)
  return copy
}

describe('manifests', () => {
  test('are 32 words in the order of the specification', () => {
    assert.equal(words.length, 32)
    assert.equal(Buffer.from(encoded).toString('hex'), words.join(''))
    assert.equal(encoded.length, manifestLength)
    assert.deepEqual(decodeManifest(encoded), manifest)
  })

  test('hash to the address of their Swarm chunk, under which each word has a proof of 7 siblings', () => {
    const address = manifestHash(nobleHasher, encoded)
    assert.deepEqual(address, naiveChunkAddress(encoded, 1024))
    for (let index = 0; index < 32; index++) {
      const segment = encoded.subarray(32 * index, 32 * index + 32)
      const proof = segmentProof(nobleHasher, encoded, index)
      assert.deepEqual(addressOfSegmentProof(nobleHasher, segment, index, proof, 1024), address)
    }
  })

  test('may have empty versions and a time to the end of 64 bits', () => {
    const time = { seconds: 18_446_744_073, nanoseconds: 709_551_615 }
    const unusual = { ...manifest, nodeVersion: '', v8Version: 'x'.repeat(32), time }
    assert.deepEqual(decodeManifest(encodeManifest(unusual)), unusual)
    assert.throws(() => encodeManifest({ ...manifest, nodeVersion: 'x'.repeat(33) }), AssertionError)
  })

  test('are refused with another tag, another length or reserved words in use', () => {
    assertRejects('bad-tag', () => decodeManifest(patched(0, [0])))
    assertRejects('bad-tag', () => decodeManifest(patched(15, [1])))
    assertRejects('truncated', () => decodeManifest(encoded.subarray(0, 1023)))
    assertRejects('trailing-bytes', () => decodeManifest(Uint8Array.of(...encoded, 0)))
    for (let at = 26 * 32; at < 1024; at++) assertRejects('manifest-form', () => decodeManifest(patched(at, [1])))
  })

  test('are refused when an integer leaves 64 bits, or 53 where it is no time', () => {
    for (const index of [2, 3, 4, 5, 7, 8, 9, 13, 14, 19, 20, 23, 25])
      for (let at = 0; at < 24; at++)
        assertRejects('manifest-form', () => decodeManifest(patched(32 * index + at, [1])))
    for (const index of [2, 3, 4, 5, 7, 8, 13, 14, 19, 20, 23, 25])
      assertRejects('integer-range', () => decodeManifest(patched(32 * index + 24, [0, 0x20])))
  })

  test('are refused when a version is not ASCII with zeros behind it', () => {
    for (const index of [21, 22]) {
      for (const patch of [[0x1f], [0x7f], [0x0a], [0, 0x61], [0xc3, 0xa9]])
        assertRejects('manifest-form', () => decodeManifest(patched(32 * index, patch)))
      assertRejects('utf-8', () => decodeManifest(patched(32 * index, [0xff])))
      assertRejects('manifest-form', () => decodeManifest(patched(32 * index + 31, [0x61])))
    }
  })
})

describe('seals', () => {
  const seal = encodeSeal(encoded)

  test('are 12 bytes of tag and the manifest', () => {
    assert.equal(seal.length, sealLength)
    assert.equal(sealLength, 1036)
    assert.equal(Buffer.from(seal.subarray(0, 12)).toString('latin1'), 'onus/seal/1\0')
    assert.deepEqual(manifestOfSeal(seal).slice(), encoded)
  })

  test('of another length or tag are refused', () => {
    for (const bytes of [seal.subarray(1), seal.subarray(0, -1), Uint8Array.of(...seal, 0), new Uint8Array(0)])
      assertRejects('seal-form', () => manifestOfSeal(bytes))
    for (let at = 0; at < 12; at++)
      assertRejects('seal-form', () => manifestOfSeal(seal.map((byte, index) => (index === at ? byte ^ 1 : byte))))
  })

  test('begin like no envelope and no block data, so that nothing else can be taken for one (S7)', () => {
    const known: readonly number[] = Object.values(envelopeKind)
    assert.ok(!known.includes(seal[0] as number))
    assert.notEqual(Buffer.from(seal.subarray(0, 12)).toString(), 'onus/block/1')
  })
})
