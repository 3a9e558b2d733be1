/**
 * What a client signs and a block carries (`spec/transaction.md`). A **transaction** is one call or one opening of a
 * session; it has its own id and receipt. An **envelope** is what travels: a kind byte, one opening or 1 to 1,024
 * calls, and one signature (over the Merkle root of the calls' ids, so that each call is provable alone).
 */
import { BinaryReader, BinaryWriter } from './binary.js'
import { putInteger, wordOfText } from './bytes.js'
import type { ClusterDomain } from './chainId.js'
import { OnusError } from './errors.js'
import type { Hasher } from './hash.js'
import { keccakTreeRoot } from './keccakTree.js'
import type { Expiry, Opening, SessionId } from './opening.js'
import { openingTypedDataDigest } from './openingTypedData.js'
import { addressLength, type Curve, isCanonicalSignature, signatureLength } from './signature.js'

/** First byte of every signed object. 3 and 0x13 are kept for P-256. */
export const envelopeKind = {
  /** Calls signed by the account that owns their sessions. */
  accountCalls: 0x01,
  /** Calls signed by the key of a session that a wallet opened by EIP-712. */
  sessionKeyCalls: 0x02,
  /** Opening signed by the account itself; it signs the calls too. */
  accountOpening: 0x11,
  /** Opening signed by the account as EIP-712 typed data; it names the key that signs the calls. */
  typedOpening: 0x12,
} as const
export type EnvelopeKind = (typeof envelopeKind)[keyof typeof envelopeKind]

export interface Call {
  readonly type: 'call'
  readonly session: SessionId
  readonly counter: number
  readonly expiry: Expiry
  readonly gasLimit: number
  /** 4-byte selector and Borsh arguments. */
  readonly argument: Uint8Array
}

export type Transaction = Call | Opening

export interface Envelope {
  readonly kind: EnvelopeKind
  readonly transactions: readonly Transaction[]
  /** The encodings of `transactions`, as signed. */
  readonly bodies: readonly Uint8Array[]
  readonly signature: Uint8Array
}

export const maximumCallsPerEnvelope = 1024
/** Bytes before the argument of a call: session 8, counter 8, expiry 16, gas limit 8. */
export const callHeaderLength = 40
const minimumCallLength = callHeaderLength + 4

function writeExpiry(writer: BinaryWriter, expiry: Expiry): BinaryWriter {
  return writer.u64(expiry.height).u64(expiry.time)
}

function readExpiry(reader: BinaryReader, field: string): Expiry {
  return { height: reader.u64(`${field} height`), time: reader.u64(`${field} time`) }
}

function readSession(reader: BinaryReader): SessionId {
  return { slot: reader.u32('session slot'), generation: reader.u32('session generation') }
}

export function encodeTransaction(transaction: Transaction): Uint8Array {
  const writer = new BinaryWriter()
  if (transaction.type === 'opening') {
    writer.bytes(transaction.owner).bytes(transaction.key)
    writer.u32(transaction.session.slot).u32(transaction.session.generation)
    writeExpiry(writeExpiry(writer, transaction.closes), transaction.expiry)
    return writer.shortBytes(transaction.admission).finish()
  }
  writer.u32(transaction.session.slot).u32(transaction.session.generation).u64(transaction.counter)
  return writeExpiry(writer, transaction.expiry).u64(transaction.gasLimit).bytes(transaction.argument).finish()
}

function decodeCall(body: Uint8Array, path: string): Call {
  if (body.length < minimumCallLength)
    throw new OnusError('truncated', `a call has at least ${minimumCallLength} bytes, got ${body.length}`, { path })
  const reader = new BinaryReader(body, path)
  const session = readSession(reader)
  const counter = reader.u64('counter')
  const expiry = readExpiry(reader, 'expiry')
  const gasLimit = reader.u64('gas limit')
  return { type: 'call', session, counter, expiry, gasLimit, argument: reader.take(reader.remaining, 'argument') }
}

function readOpening(reader: BinaryReader): Opening {
  const owner = reader.take(addressLength, 'owner')
  const key = reader.take(addressLength, 'key')
  const session = readSession(reader)
  const closes = readExpiry(reader, 'closing')
  const expiry = readExpiry(reader, 'expiry')
  return { type: 'opening', owner, key, session, closes, expiry, admission: reader.shortBytes('admission') }
}

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const writer = new BinaryWriter(1024).u8(envelope.kind)
  if (envelope.kind === envelopeKind.accountOpening || envelope.kind === envelopeKind.typedOpening)
    return writer
      .bytes(envelope.bodies[0] as Uint8Array)
      .bytes(envelope.signature)
      .finish()
  writer.u16(envelope.bodies.length)
  for (const body of envelope.bodies) writer.u32(body.length).bytes(body)
  return writer.bytes(envelope.signature).finish()
}

/** Strict decoding; the signature's form is checked, its maker is not. Rejects with the codes of `BinaryReader`,
 * `envelope-kind`, `envelope-count`, `signature-form`. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const reader = new BinaryReader(bytes, 'envelope')
  const kind = reader.u8('kind')
  const bodies: Uint8Array[] = []
  const transactions: Transaction[] = []
  if (kind === envelopeKind.accountOpening || kind === envelopeKind.typedOpening) {
    const from = reader.position
    transactions.push(readOpening(reader))
    bodies.push(bytes.subarray(from, reader.position))
  } else if (kind === envelopeKind.accountCalls || kind === envelopeKind.sessionKeyCalls) {
    const count = reader.u16('call count')
    if (count === 0 || count > maximumCallsPerEnvelope)
      throw new OnusError('envelope-count', `expected 1 to ${maximumCallsPerEnvelope} calls, got ${count}`)
    for (let i = 0; i < count; i++) {
      const body = reader.take(reader.u32('call length'), 'call')
      bodies.push(body)
      transactions.push(decodeCall(body, `calls[${i}]`))
    }
  } else throw new OnusError('envelope-kind', `expected kind 1, 2, 0x11 or 0x12, got ${kind}`)
  const signature = reader.take(signatureLength, 'signature')
  reader.finish()
  if (!isCanonicalSignature(signature))
    throw new OnusError('signature-form', 'expected R ‖ S ‖ V with V in {0, 1} and S in the lower half')
  return { kind, transactions, bodies, signature }
}

const callLeafPrefix = 0x00
const openingLeafPrefix = 0x02

/** Where short preimages are put together to be hashed at once: an allocation costs more than their hash. */
const scratch = new Uint8Array(4096)

function preimageOf(length: number): Uint8Array {
  return length <= scratch.length ? scratch.subarray(0, length) : new Uint8Array(length)
}

/** Id of a transaction, 32 bytes: keccak256(00 or 02 ‖ cluster id ‖ epoch as u64 ‖ body). */
export function transactionId(
  hasher: Hasher,
  domain: ClusterDomain,
  type: Transaction['type'],
  body: Uint8Array,
): Uint8Array {
  const preimage = preimageOf(41 + body.length)
  // The low 8 bytes of this word are the epoch; the other bytes are written after it.
  putInteger(preimage, 9, domain.epoch)
  preimage[0] = type === 'call' ? callLeafPrefix : openingLeafPrefix
  preimage.set(domain.clusterId, 1)
  preimage.set(body, 41)
  return hasher.keccak256(preimage)
}

/** Ids of the transactions of an envelope, in order. */
export function transactionIds(hasher: Hasher, domain: ClusterDomain, envelope: Envelope): Uint8Array[] {
  return envelope.bodies.map((body, index) =>
    transactionId(hasher, domain, envelope.transactions[index]?.type ?? 'call', body),
  )
}

const callsTag = wordOfText('onus/calls/1')
const openingTag = wordOfText('onus/opening/1')

/** What the signature of an envelope is over, 32 bytes. `ids` are those of `transactionIds`. */
export function envelopeDigest(
  hasher: Hasher,
  domain: ClusterDomain,
  envelope: Pick<Envelope, 'kind' | 'transactions' | 'bodies'>,
  ids: readonly Uint8Array[],
): Uint8Array {
  const first = envelope.transactions[0]
  if (envelope.kind === envelopeKind.typedOpening && first?.type === 'opening')
    return openingTypedDataDigest(hasher, domain, first)
  const isOpening = envelope.kind === envelopeKind.accountOpening
  const content = isOpening ? (envelope.bodies[0] as Uint8Array) : keccakTreeRoot(hasher, ids)
  const headLength = isOpening ? 73 : 75
  const preimage = preimageOf(headLength + content.length)
  // The low 8 bytes of this word are the epoch; the other bytes are written after it.
  putInteger(preimage, 41, domain.epoch)
  preimage[0] = envelope.kind
  preimage.set(isOpening ? openingTag : callsTag, 1)
  preimage.set(domain.clusterId, 33)
  if (!isOpening) {
    preimage[73] = ids.length >>> 8
    preimage[74] = ids.length
  }
  preimage.set(content, headLength)
  return hasher.keccak256(preimage)
}

/** The signed envelope of `transactions`: one opening, or calls only. */
export function signEnvelope(
  hasher: Hasher,
  curve: Curve,
  domain: ClusterDomain,
  kind: EnvelopeKind,
  transactions: readonly Transaction[],
  privateKey: Uint8Array,
): Envelope {
  const bodies = transactions.map(encodeTransaction)
  const ids = bodies.map((body, i) => transactionId(hasher, domain, transactions[i]?.type ?? 'call', body))
  const digest = envelopeDigest(hasher, domain, { kind, transactions, bodies }, ids)
  return { kind, transactions, bodies, signature: curve.sign(digest, privateKey) }
}
