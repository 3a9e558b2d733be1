/** Certificates and receipts that are true (`spec/certificate.md`): clusters of 1 to 16, files, who signed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Certificate, certificateOf, decodeCertificate, encodeCertificate } from '../src/certificate.js'
import { nobleHasher } from '../src/hash.js'
import { manifestHash } from '../src/manifest.js'
import { decodeReceiptProof, encodeReceiptProof } from '../src/receipt.js'
import { nobleCurve } from '../src/signature.js'
import {
  itemProof,
  signVote,
  syntheticBlock,
  syntheticCertificate,
  syntheticCluster,
  syntheticCommit,
  syntheticReceiptProof,
} from './support/syntheticCluster.js'

describe('certificates', () => {
  for (const size of [1, 4, 7, 16])
    test(`of ${size} members verify after a trip through their file`, () => {
      const cluster = syntheticCluster(new Array(size).fill(10), `cluster of ${size}`)
      const block = syntheticBlock(cluster)
      const bytes = encodeCertificate(syntheticCertificate(cluster, block))
      const certificate = Certificate.verify(nobleHasher, nobleCurve, decodeCertificate(bytes), cluster.trusted)
      assert.deepEqual(certificate.manifest, block.manifest)
      assert.deepEqual(certificate.header, block.header)
      assert.deepEqual(certificate.manifestHash, manifestHash(nobleHasher, block.encodedManifest))
      const addresses = cluster.trusted.validators.validators.map(({ address }) => address)
      assert.deepEqual(certificate.signers, addresses)
      assert.equal(certificate.round, 0)
    })

  test('leave out absent and nil precommits, and verify with the rest', () => {
    const cluster = syntheticCluster([10, 10, 10, 10, 10, 10, 10])
    const block = syntheticBlock(cluster)
    const commit = syntheticCommit(cluster, block, [0, 1, 3, 4, 6])
    const nil = signVote(cluster, block, 5, { blockId: null })
    const signatures = commit.signatures.map((signature, index) =>
      index === 5
        ? { ...signature, flag: 3 as const, timestamp: nil.vote.timestamp, signature: nil.signature }
        : signature,
    )
    const proof = itemProof(block.items, 0)
    const unverified = certificateOf(block.header, { ...commit, signatures }, block.encodedManifest, 2, proof)
    assert.deepEqual(
      unverified.signatures.map(({ validator }) => validator),
      [0, 1, 3, 4, 6],
    )
    const { signers } = Certificate.verify(nobleHasher, nobleCurve, unverified, cluster.trusted)
    assert.equal(signers.length, 5)
  })

  test('of later rounds, of a first block and of blocks with many items verify', () => {
    const cluster = syntheticCluster([10, 10, 10, 10])
    const first = syntheticBlock(cluster, { height: 1, header: { lastBlockId: null, appHash: new Uint8Array(0) } })
    const later = syntheticCertificate(cluster, first, [1, 2, 3], { round: 3 })
    assert.equal(Certificate.verify(nobleHasher, nobleCurve, later, cluster.trusted).round, 3)
    for (const extra of [0, 1, 2, 6, 20]) {
      const items = (honest: readonly Uint8Array[]): Uint8Array[] => [
        honest[0] as Uint8Array,
        ...Array.from({ length: extra }, (_, index) => Uint8Array.of(index)),
      ]
      const block = syntheticBlock(cluster, { items })
      const certificate = decodeCertificate(encodeCertificate(syntheticCertificate(cluster, block)))
      assert.equal(certificate.itemCount, extra + 1)
      Certificate.verify(nobleHasher, nobleCurve, certificate, cluster.trusted)
    }
  })

  test('cannot be made but by verification', () => {
    assert.throws(() => Reflect.construct(Certificate, []), TypeError)
    assert.deepEqual(
      Object.getOwnPropertyNames(Certificate).filter((name) => !['length', 'name', 'prototype'].includes(name)),
      ['verify'],
    )
  })
})

describe('receipts', () => {
  test('of every transaction verify under the certificate, executed, trapped and rejected', () => {
    const cluster = syntheticCluster([10, 10, 10, 10])
    for (const calls of [1, 2, 6, 33]) {
      const block = syntheticBlock(cluster, { calls })
      const unverified = syntheticCertificate(cluster, block, [0, 1, 2])
      const certificate = Certificate.verify(nobleHasher, nobleCurve, unverified, cluster.trusted)
      block.receipts.forEach((receipt, index) => {
        const proof = decodeReceiptProof(encodeReceiptProof(syntheticReceiptProof(block, index)))
        assert.deepEqual(certificate.verifyReceipt(proof), receipt)
      })
    }
  })
})
