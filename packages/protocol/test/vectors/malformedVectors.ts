/** Vectors of bytes that a decoder must refuse, with the code that it gives: every rule of `spec/` once. */

import { encodeBlockData } from '../../src/blockData.js'
import { encodeCertificate } from '../../src/certificate.js'
import { encodeGenesis } from '../../src/genesis.js'
import { nobleHasher } from '../../src/hash.js'
import { encodeManifest, encodeSeal } from '../../src/manifest.js'
import { encodeReceiptProof } from '../../src/receipt.js'
import { nobleCurve } from '../../src/signature.js'
import { encodeEnvelope, envelopeKind, signEnvelope } from '../../src/transaction.js'
import { syntheticOpening } from '../support/codecs.js'
import { mirrored } from '../support/naiveCurve.js'
import { seededHash, seededKey } from '../support/seeded.js'
import {
  syntheticBlock,
  syntheticCall,
  syntheticCertificate,
  syntheticCluster,
  syntheticReceiptProof,
} from '../support/syntheticCluster.js'
import { jsonOf, type VectorFile } from './vectorFile.js'

type Case = readonly [what: string, code: string, bytes: Uint8Array]

const cluster = syntheticCluster([10, 10, 10, 10])
const owner = seededKey('owner')

function patched(bytes: Uint8Array, at: number, patch: readonly number[]): Uint8Array {
  const copy = bytes.slice()
  copy.set(patch, at < 0 ? bytes.length + at : at)
  return copy
}

function longer(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(...bytes, 0)
}

const tooLarge = [0, 0x20, 0, 0, 0, 0, 0, 0]

function envelopeCases(): Case[] {
  const call = syntheticCall(0, { argument: Uint8Array.of(1, 2, 3, 4) })
  const signed = signEnvelope(nobleHasher, nobleCurve, cluster.domain, envelopeKind.accountCalls, [call], owner)
  const bytes = encodeEnvelope(signed)
  const opening = encodeEnvelope(
    signEnvelope(
      nobleHasher,
      nobleCurve,
      cluster.domain,
      envelopeKind.typedOpening,
      [syntheticOpening(owner, owner)],
      owner,
    ),
  )
  const short = { ...signed, bodies: [(signed.bodies[0] as Uint8Array).subarray(0, 43)] }
  return [
    ['nothing', 'truncated', new Uint8Array(0)],
    ['kind 0', 'envelope-kind', patched(bytes, 0, [0])],
    ['kind 3, kept for P-256', 'envelope-kind', patched(bytes, 0, [3])],
    ['no calls', 'envelope-count', patched(bytes, 1, [0, 0])],
    ['1,025 calls', 'envelope-count', patched(bytes, 1, [4, 1])],
    ['a second call that is not there', 'truncated', patched(bytes, 1, [0, 2])],
    ['a call longer than the envelope', 'truncated', patched(bytes, 3, [0, 0, 1, 0])],
    ['a call with three bytes of selector', 'truncated', encodeEnvelope(short)],
    ['a counter of 2^53', 'integer-range', patched(bytes, 15, tooLarge)],
    ['an opening whose admission is longer than the rest', 'truncated', patched(opening, 81, [255])],
    ['S in the upper half', 'signature-form', encodeEnvelope({ ...signed, signature: mirrored(signed.signature) })],
    ['V of 27', 'signature-form', patched(bytes, -1, [27])],
    ['one byte less', 'truncated', bytes.subarray(0, -1)],
    ['one byte more', 'trailing-bytes', longer(bytes)],
  ]
}

function blockDataCases(): Case[] {
  const { clusterId, epoch } = cluster.genesis
  const call = syntheticCall(0, { argument: Uint8Array.of(1, 2, 3, 4) })
  const signed = signEnvelope(nobleHasher, nobleCurve, cluster.domain, envelopeKind.accountCalls, [call, call], owner)
  const time = { seconds: 1, nanoseconds: 0 }
  const begin = { clusterId, epoch, height: 2, time, previousManifest: seededHash('previous') }
  const bytes = encodeBlockData({ begin, envelopes: [encodeEnvelope(signed)] })
  const entries = 256
  return [
    ['another tag', 'bad-tag', patched(bytes, 11, [0x32])],
    ['a height over 64 bits', 'block-data-form', patched(bytes, 96, [1])],
    ['a height of 2^53', 'integer-range', patched(bytes, 120, tooLarge)],
    ['no transactions', 'block-data-form', patched(bytes, 223, [0])],
    ['one transaction less than the envelope has', 'block-data-form', patched(bytes, 223, [1])],
    ['65,536 transactions', 'truncated', patched(bytes, 221, [1, 0, 0])],
    ['another length than it has', 'block-data-form', longer(bytes)],
    [
      'an envelope that stands elsewhere',
      'block-data-form',
      patched(bytes, entries + 7, [(bytes[entries + 7] as number) + 1]),
    ],
    ['an envelope longer than the rest', 'truncated', patched(bytes, entries + 8, [0, 0, 0, 1, 0, 0, 0, 0])],
    [
      'a body that stands elsewhere',
      'block-data-form',
      patched(bytes, entries + 23, [(bytes[entries + 23] as number) + 1]),
    ],
    [
      'a body of another length',
      'block-data-form',
      patched(bytes, entries + 63, [(bytes[entries + 63] as number) - 1]),
    ],
    ['an envelope that does not decode', 'envelope-kind', patched(bytes, entries + 64, [9])],
  ]
}

function manifestCases(): Case[] {
  const bytes = encodeManifest(syntheticBlock(cluster).manifest)
  return [
    ['another tag', 'bad-tag', patched(bytes, 14, [0x32])],
    ['a reserved word in use', 'manifest-form', patched(bytes, -1, [1])],
    ['an epoch over 64 bits', 'manifest-form', patched(bytes, 64, [1])],
    ['gas of 2^53', 'integer-range', patched(bytes, 664, tooLarge)],
    ['a version that goes on behind a zero', 'manifest-form', patched(bytes, 703, [0x61])],
    ['a version with a control character', 'manifest-form', patched(bytes, 672, [0x0a])],
    ['a version that is no UTF-8', 'utf-8', patched(bytes, 672, [0xff])],
    ['one byte less', 'truncated', bytes.subarray(0, -1)],
    ['one byte more', 'trailing-bytes', longer(bytes)],
  ]
}

function sealCases(): Case[] {
  const bytes = encodeSeal(encodeManifest(syntheticBlock(cluster).manifest))
  return [
    ['another tag', 'seal-form', patched(bytes, 10, [0x32])],
    ['one byte less', 'seal-form', bytes.subarray(0, -1)],
    ['one byte more', 'seal-form', longer(bytes)],
  ]
}

function genesisCases(): Case[] {
  const { genesis } = cluster
  const bytes = encodeGenesis(genesis)
  const members = bytes.length - 4 * 41
  const limits = { ...genesis.limits, sessionCapacity: 2 ** 24 + 1 }
  const first = bytes.slice(members, members + 41)
  const second = bytes.slice(members + 41, members + 82)
  return [
    ['another tag', 'bad-tag', patched(bytes, 13, [0x32])],
    ['epoch 0', 'genesis-form', encodeGenesis({ ...genesis, epoch: 0 })],
    ['an epoch over 32 bits', 'genesis-form', encodeGenesis({ ...genesis, epoch: 2 ** 32 })],
    ['initial height 0', 'genesis-form', encodeGenesis({ ...genesis, initialHeight: 0 })],
    ['no Node version', 'genesis-form', encodeGenesis({ ...genesis, nodeVersion: '' })],
    ['a space in a version', 'genesis-form', encodeGenesis({ ...genesis, v8Version: 'a b' })],
    ['more sessions than the tree has leaves', 'genesis-form', encodeGenesis({ ...genesis, limits })],
    ['no members', 'validator-set', patched(bytes, members - 1, [0]).subarray(0, members)],
    ['members out of order', 'validator-set', patched(patched(bytes, members, [...second]), members + 41, [...first])],
    ['a member twice', 'validator-set', patched(bytes, members + 41, [...first])],
    ['a key that is no point', 'validator-set', patched(bytes, members, [5])],
    ['a member without power', 'validator-set', patched(bytes, -1, [0])],
    ['one byte more', 'trailing-bytes', longer(bytes)],
  ]
}

function certificateCases(): Case[] {
  const bytes = encodeCertificate(syntheticCertificate(cluster, syntheticBlock(cluster)))
  const chainIdLength = 16 + 1 + 16
  const flag = chainIdLength + 1 + (bytes[chainIdLength] as number) + 16
  return [
    ['another tag', 'bad-tag', patched(bytes, 15, [0x45])],
    ['version 2', 'certificate-form', patched(bytes, 16, [2])],
    ['a chain id that is no UTF-8', 'utf-8', patched(bytes, chainIdLength + 1, [0xff])],
    ['a flag of 2 for the last block', 'certificate-form', patched(bytes, flag, [2])],
    ['a hash of 31 bytes', 'certificate-form', patched(bytes, flag + 1 + 68, [31])],
    ['17 signatures', 'certificate-form', patched(bytes, -(1 + 32 + 4 + 1024 + 4 * 74 + 1), [17])],
    ['a sibling that is not there', 'truncated', patched(bytes, -(1 + 32), [2])],
    ['one byte more', 'trailing-bytes', longer(bytes)],
  ]
}

function receiptCases(): Case[] {
  const bytes = encodeReceiptProof(syntheticReceiptProof(syntheticBlock(cluster), 1))
  const status = 16 + 8 + 2 + 512 + 32
  return [
    ['another tag', 'bad-tag', patched(bytes, 13, [0x32])],
    ['an unknown status', 'receipt-form', patched(bytes, status, [3])],
    ['an unknown rejection', 'receipt-form', patched(bytes, status, [2, 10])],
    ['executed, but with a rejection', 'receipt-form', patched(bytes, status + 1, [1])],
    ['trapped, but with output', 'receipt-form', patched(bytes, status, [1])],
    ['rejected without a rejection', 'receipt-form', patched(bytes, status, [2])],
    ['an output of over 1 MiB', 'receipt-form', patched(bytes, status + 10, [0, 0x10, 0, 1])],
    ['an output longer than the rest', 'truncated', patched(bytes, status + 10, [0, 0, 1, 0])],
    ['one byte more', 'trailing-bytes', longer(bytes)],
  ]
}

export function malformedVectors(): VectorFile {
  const named = (cases: readonly Case[]): object[] => cases.map(([what, code, bytes]) => ({ what, code, bytes }))
  return {
    note: 'Bytes that decoders refuse, by format, with the code of the rejection. Codes are stable; messages are not.',
    ...(jsonOf({
      envelope: named(envelopeCases()),
      blockData: named(blockDataCases()),
      manifest: named(manifestCases()),
      seal: named(sealCases()),
      genesis: named(genesisCases()),
      certificate: named(certificateCases()),
      receiptProof: named(receiptCases()),
    }) as object),
  }
}
