/**
 * The manifest: the record of one block that its seal carries (`spec/manifest.md`). 32 words of 32 bytes, so that it
 * is one Swarm chunk whose address is its hash, and each field is a segment with a proof of 7 siblings.
 */
import { BinaryReader } from './binary.js'
import { concatBytes, equalBytes, isZero, utf8Bytes, utf8Text, wordLength, wordOfInteger, wordOfText } from './bytes.js'
import { OnusError } from './errors.js'
import type { Hasher } from './hash.js'
import { chunkAddress } from './swarm.js'
import { nanosecondsOfTimestamp, type Timestamp, timestampOfNanoseconds } from './timestamp.js'

/** What the proposer saw of the registry contract at a finalised Ethereum block; all zero when nothing was observed. */
export interface Observation {
  readonly blockNumber: number
  readonly blockHash: Uint8Array
  readonly membershipVersion: number
}

/** All hashes are 32 bytes. `spec/manifest.md` names the proof of each field. */
export interface Manifest {
  readonly clusterId: Uint8Array
  readonly epoch: number
  /** Whose members sign this block. */
  readonly membershipVersion: number
  /** The next membership version and the height from which it signs; the same version and 0 when none is coming. */
  readonly nextMembershipVersion: number
  readonly nextMembershipHeight: number
  /** CometBFT's validators hash of the next version; zero when none is coming. */
  readonly nextMembersHash: Uint8Array
  /** Manifests before this one. */
  readonly index: number
  readonly height: number
  readonly time: Timestamp
  /** Zero in the first manifest of a cluster. */
  readonly previousManifest: Uint8Array
  /** RFC 6962 root over the hashes of all earlier manifests. */
  readonly rangeRoot: Uint8Array
  readonly blockDataReference: Uint8Array
  readonly blockDataLength: number
  readonly transactionCount: number
  readonly receiptsRoot: Uint8Array
  readonly stateRoot: Uint8Array
  readonly sessionRoot: Uint8Array
  readonly codeReference: Uint8Array
  readonly loweringVersion: number
  readonly gasUsed: number
  /** Such as `v20.20.2`; what the cluster registered. */
  readonly nodeVersion: string
  readonly v8Version: string
  readonly observation: Observation
}

const tag = wordOfText('onus/manifest/1')
const words = 32
export const manifestLength: number = words * wordLength

/** 1,024 bytes: tag, the fields in the order of the interface, 6 zero words. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const content = concatBytes(
    tag,
    manifest.clusterId,
    wordOfInteger(manifest.epoch),
    wordOfInteger(manifest.membershipVersion),
    wordOfInteger(manifest.nextMembershipVersion),
    wordOfInteger(manifest.nextMembershipHeight),
    manifest.nextMembersHash,
    wordOfInteger(manifest.index),
    wordOfInteger(manifest.height),
    wordOfInteger(nanosecondsOfTimestamp(manifest.time)),
    manifest.previousManifest,
    manifest.rangeRoot,
    manifest.blockDataReference,
    wordOfInteger(manifest.blockDataLength),
    wordOfInteger(manifest.transactionCount),
    manifest.receiptsRoot,
    manifest.stateRoot,
    manifest.sessionRoot,
    manifest.codeReference,
    wordOfInteger(manifest.loweringVersion),
    wordOfInteger(manifest.gasUsed),
    wordOfText(manifest.nodeVersion),
    wordOfText(manifest.v8Version),
    wordOfInteger(manifest.observation.blockNumber),
    manifest.observation.blockHash,
    wordOfInteger(manifest.observation.membershipVersion),
  )
  const bytes = new Uint8Array(manifestLength)
  bytes.set(content)
  return bytes
}

/** Reads 32-byte words; rejects `manifest-form` on an integer that does not fit or text that is not ASCII. */
class WordReader {
  readonly #reader: BinaryReader

  constructor(bytes: Uint8Array) {
    this.#reader = new BinaryReader(bytes, 'manifest')
  }

  hash(field: string): Uint8Array {
    return this.#reader.take(wordLength, field)
  }

  #high(field: string): void {
    if (!isZero(this.#reader.take(24, field))) throw new OnusError('manifest-form', `${field} is too large`)
  }

  integer(field: string): number {
    this.#high(field)
    return this.#reader.u64(field)
  }

  time(field: string): Timestamp {
    this.#high(field)
    return timestampOfNanoseconds(this.#reader.bigU64(field))
  }

  text(field: string): string {
    const word = this.hash(field)
    const end = word.indexOf(0)
    const text = utf8Text(end < 0 ? word : word.subarray(0, end))
    if (!/^[\x20-\x7e]*$/.test(text) || (end >= 0 && !isZero(word.subarray(end))))
      throw new OnusError('manifest-form', `${field} must be ASCII text with zeros behind it`)
    return text
  }

  zeros(count: number): void {
    if (!isZero(this.#reader.take(count * wordLength, 'reserved words')))
      throw new OnusError('manifest-form', 'reserved words must be zero')
    this.#reader.finish()
  }
}

/** Strict decoding of 1,024 bytes. Rejects `bad-tag`, `manifest-form`, `truncated`, `trailing-bytes`, `integer-range`. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const reader = new WordReader(bytes)
  if (!equalBytes(reader.hash('tag'), tag)) throw new OnusError('bad-tag', 'expected a manifest')
  const manifest: Manifest = {
    clusterId: reader.hash('cluster id'),
    epoch: reader.integer('epoch'),
    membershipVersion: reader.integer('membership version'),
    nextMembershipVersion: reader.integer('next membership version'),
    nextMembershipHeight: reader.integer('next membership height'),
    nextMembersHash: reader.hash('next members hash'),
    index: reader.integer('index'),
    height: reader.integer('height'),
    time: reader.time('time'),
    previousManifest: reader.hash('previous manifest'),
    rangeRoot: reader.hash('range root'),
    blockDataReference: reader.hash('block data reference'),
    blockDataLength: reader.integer('block data length'),
    transactionCount: reader.integer('transaction count'),
    receiptsRoot: reader.hash('receipts root'),
    stateRoot: reader.hash('state root'),
    sessionRoot: reader.hash('session root'),
    codeReference: reader.hash('code reference'),
    loweringVersion: reader.integer('lowering version'),
    gasUsed: reader.integer('gas used'),
    nodeVersion: reader.text('node version'),
    v8Version: reader.text('V8 version'),
    observation: {
      blockNumber: reader.integer('observed block number'),
      blockHash: reader.hash('observed block hash'),
      membershipVersion: reader.integer('observed membership version'),
    },
  }
  reader.zeros(words - 26)
  return manifest
}

/** Hash of a manifest: the Swarm address of its 1,024 bytes. */
export function manifestHash(hasher: Hasher, encoded: Uint8Array): Uint8Array {
  return chunkAddress(hasher, encoded)
}

const sealTag = utf8Bytes('onus/seal/1\0')
export const sealLength: number = sealTag.length + manifestLength

/** First item of a block with content: tag (12 bytes) and manifest (1,024). Nothing else begins with the tag (S7). */
export function encodeSeal(manifest: Uint8Array): Uint8Array {
  return concatBytes(sealTag, manifest)
}

/** The manifest bytes of a seal. Rejects `seal-form`. */
export function manifestOfSeal(seal: Uint8Array): Uint8Array {
  if (seal.length !== sealLength || !equalBytes(seal.subarray(0, sealTag.length), sealTag))
    throw new OnusError('seal-form', `expected a seal of ${sealLength} bytes, got ${seal.length}`)
  return seal.subarray(sealTag.length)
}
