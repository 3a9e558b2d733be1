/**
 * Every decoder of `protocol`, with its encoder and valid samples: the bad-input tests run over this table, so a new
 * format is fuzzed once it has a row here.
 */
import { BinaryReader, BinaryWriter } from '../../src/binary.js'
import { decodeBlockData, encodeBlockData } from '../../src/blockData.js'
import { decodeCertificate, encodeCertificate } from '../../src/certificate.js'
import { decodeQueryAnswer, decodeResults, encodeQueryAnswer, encodeResults } from '../../src/gatewayMessages.js'
import { decodeGenesis, encodeGenesis } from '../../src/genesis.js'
import { nobleHasher } from '../../src/hash.js'
import { decodeManifest, encodeManifest, encodeSeal, manifestOfSeal } from '../../src/manifest.js'
import type { Opening } from '../../src/opening.js'
import { decodeReceiptProof, encodeReceiptProof } from '../../src/receipt.js'
import { addressOf, nobleCurve, publicKeyOf } from '../../src/signature.js'
import {
  decodeEnvelope,
  type EnvelopeKind,
  encodeEnvelope,
  envelopeKind,
  signEnvelope,
  type Transaction,
} from '../../src/transaction.js'
import { readValidators, writeValidators } from '../../src/validatorSet.js'
import { seededBytes, seededHash, seededKey } from './seeded.js'
import {
  type SyntheticCluster,
  syntheticBlock,
  syntheticCall,
  syntheticCertificate,
  syntheticCluster,
  syntheticReceiptProof,
} from './syntheticCluster.js'

export interface Codec {
  readonly name: string
  /** Decodes and encodes again: for bytes that decode, these bytes. */
  readonly recode: (bytes: Uint8Array) => Uint8Array
  readonly samples: readonly Uint8Array[]
}

function codec<Value>(
  name: string,
  decode: (bytes: Uint8Array) => Value,
  encode: (value: Value) => Uint8Array,
  samples: readonly Uint8Array[],
): Codec {
  return { name, recode: (bytes) => encode(decode(bytes)), samples }
}

export function syntheticOpening(
  owner: Uint8Array,
  key: Uint8Array,
  admission: Uint8Array = new Uint8Array(0),
): Opening {
  return {
    type: 'opening',
    owner: addressOf(publicKeyOf(owner)),
    key: addressOf(publicKeyOf(key)),
    session: { slot: 300, generation: 4 },
    closes: { height: 100_000, time: 1_700_003_600_000 },
    expiry: { height: 90, time: 1_700_000_010_000 },
    admission,
  }
}

/** One envelope of each kind, and batches. */
export function sampleEnvelopes(cluster: SyntheticCluster): Uint8Array[] {
  const owner = seededKey('owner')
  const device = seededKey('device')
  const calls = (count: number): Transaction[] => Array.from({ length: count }, (_, index) => syntheticCall(index))
  const make = (kind: EnvelopeKind, transactions: readonly Transaction[], key: Uint8Array): Uint8Array =>
    encodeEnvelope(signEnvelope(nobleHasher, nobleCurve, cluster.domain, kind, transactions, key))
  return [
    make(envelopeKind.accountCalls, calls(1), owner),
    make(envelopeKind.sessionKeyCalls, calls(3), device),
    make(envelopeKind.accountOpening, [syntheticOpening(owner, owner)], owner),
    make(envelopeKind.typedOpening, [syntheticOpening(owner, device, seededBytes('admission', 21))], owner),
  ]
}

function sampleBlockData(cluster: SyntheticCluster): Uint8Array[] {
  const { clusterId, epoch } = cluster.genesis
  const time = { seconds: 1_700_000_100, nanoseconds: 7 }
  const begin = { clusterId, epoch, height: 12, time, previousManifest: seededHash('previous') }
  const envelopes = sampleEnvelopes(cluster)
  return [encodeBlockData({ begin, envelopes }), encodeBlockData({ begin, envelopes: envelopes.slice(0, 1) })]
}

function validatorsCodec(cluster: SyntheticCluster): Codec {
  const decode = (bytes: Uint8Array): ReturnType<typeof readValidators> => {
    const reader = new BinaryReader(bytes, 'validators')
    const set = readValidators(reader)
    reader.finish()
    return set
  }
  const encode = (set: ReturnType<typeof readValidators>): Uint8Array => {
    const writer = new BinaryWriter()
    writeValidators(writer, set)
    return writer.finish()
  }
  return codec('validators', decode, encode, [encode(cluster.trusted.validators)])
}

export function allCodecs(): Codec[] {
  const cluster = syntheticCluster([10, 20, 10, 10])
  const block = syntheticBlock(cluster)
  const certificate = encodeCertificate(syntheticCertificate(cluster, block))
  const firstBlock = syntheticBlock(cluster, { height: 1, header: { lastBlockId: null, appHash: new Uint8Array(0) } })
  const receipts = [0, 3, 4].map((index) => encodeReceiptProof(syntheticReceiptProof(block, index)))
  return [
    codec('envelope', decodeEnvelope, encodeEnvelope, sampleEnvelopes(cluster)),
    codec('block data', decodeBlockData, encodeBlockData, sampleBlockData(cluster)),
    codec('manifest', decodeManifest, encodeManifest, [block.encodedManifest]),
    codec('seal', manifestOfSeal, encodeSeal, [encodeSeal(block.encodedManifest)]),
    codec('genesis', decodeGenesis, encodeGenesis, [encodeGenesis(cluster.genesis)]),
    validatorsCodec(cluster),
    codec('certificate', decodeCertificate, encodeCertificate, [
      certificate,
      encodeCertificate(syntheticCertificate(cluster, firstBlock, [0, 1, 3], { round: 2 })),
    ]),
    codec('receipt proof', decodeReceiptProof, encodeReceiptProof, receipts),
    codec('results', decodeResults, encodeResults, [
      encodeResults({ certificates: [certificate], receipts }),
      encodeResults({ certificates: [], receipts: [] }),
    ]),
    codec('query answer', decodeQueryAnswer, encodeQueryAnswer, [
      encodeQueryAnswer({ height: 12, trapped: false, output: seededBytes('answer', 77) }),
      encodeQueryAnswer({ height: 12, trapped: true, output: new Uint8Array(0) }),
    ]),
  ]
}
