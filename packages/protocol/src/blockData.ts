/**
 * Block data (`spec/block-data.md`): the one byte string that a block executes, addressed by Swarm and named in the
 * manifest. A begin-block record of 8 words, a table with one segment for each transaction, the envelopes, and zeros
 * so that no level of the Swarm tree has a lone last chunk (contracts then need no carrier rule).
 */
import { BinaryReader, BinaryWriter } from './binary.js'
import { equalBytes, isZero, wordLength, wordOfInteger, wordOfText } from './bytes.js'
import { OnusError } from './errors.js'
import { chunkLength, segmentsPerChunk } from './swarm.js'
import { nanosecondsOfTimestamp, type Timestamp, timestampOfNanoseconds } from './timestamp.js'
import { decodeEnvelope, type Envelope, type Transaction } from './transaction.js'

export interface BeginBlock {
  readonly clusterId: Uint8Array
  readonly epoch: number
  readonly height: number
  readonly time: Timestamp
  /** Hash of the last manifest before this block, 32 bytes; zero for the first. */
  readonly previousManifest: Uint8Array
}

export interface BlockData {
  readonly begin: BeginBlock
  /** Encoded envelopes in order. */
  readonly envelopes: readonly Uint8Array[]
}

/** One transaction of a block, where it stands and who must have signed it. */
export interface PlacedTransaction {
  readonly envelopeIndex: number
  readonly envelope: Envelope
  readonly transaction: Transaction
  readonly body: Uint8Array
}

const tag = wordOfText('onus/block/1')
const beginWords = 8
const beginLength: number = beginWords * wordLength
export const maximumTransactionsPerBlock: number = 2 ** 16
/** Below 64 MiB the Swarm tree has at most three levels (`disputes.md` 5). */
export const maximumBlockDataLength: number = 2 ** 26 - chunkLength

/** Length with the zeros behind it: `length`, or 32 bytes into one more chunk where the last would stand alone. */
export function paddedLength(length: number): number {
  const chunks = Math.ceil(length / chunkLength)
  return chunks > 1 && chunks % segmentsPerChunk === 1 ? chunks * chunkLength + wordLength : length
}

/** Bytes that a block takes with one more envelope of `envelopeLength` bytes and `transactions` transactions. */
export function blockDataLength(transactions: number, envelopeBytes: number): number {
  return paddedLength(beginLength + transactions * wordLength + envelopeBytes)
}

function writeBegin(writer: BinaryWriter, begin: BeginBlock, transactions: number, length: number): void {
  writer.bytes(tag).bytes(begin.clusterId).bytes(wordOfInteger(begin.epoch)).bytes(wordOfInteger(begin.height))
  writer.bytes(wordOfInteger(nanosecondsOfTimestamp(begin.time))).bytes(begin.previousManifest)
  writer.bytes(wordOfInteger(transactions)).bytes(wordOfInteger(length))
}

/** Where the body of each transaction stands inside its envelope: offset and length. */
function bodyRanges(envelope: Envelope): { offset: number; length: number }[] {
  if (envelope.transactions[0]?.type === 'opening') return [{ offset: 1, length: envelope.bodies[0]?.length ?? 0 }]
  let offset = 3
  return envelope.bodies.map((body) => {
    offset += 4
    const range = { offset, length: body.length }
    offset += body.length
    return range
  })
}

/** The bytes of a block; `decoded[i]` is the decoding of `data.envelopes[i]`. */
export function encodeDecodedBlock(data: BlockData, decoded: readonly Envelope[]): Uint8Array {
  const transactions = decoded.reduce((sum, envelope) => sum + envelope.bodies.length, 0)
  const content = data.envelopes.reduce((sum, envelope) => sum + envelope.length, 0)
  const length = blockDataLength(transactions, content)
  const writer = new BinaryWriter(length)
  writeBegin(writer, data.begin, transactions, length)
  let at = beginLength + transactions * wordLength
  decoded.forEach((envelope, index) => {
    const envelopeLength = data.envelopes[index]?.length ?? 0
    for (const { offset, length } of bodyRanges(envelope))
      writer
        .u64(at)
        .u64(envelopeLength)
        .u64(at + offset)
        .u64(length)
    at += envelopeLength
  })
  for (const envelope of data.envelopes) writer.bytes(envelope)
  return writer.bytes(new Uint8Array(length - writer.length)).finish()
}

export function encodeBlockData(data: BlockData): Uint8Array {
  return encodeDecodedBlock(data, data.envelopes.map(decodeEnvelope))
}

function readInteger(reader: BinaryReader, field: string): number {
  if (!isZero(reader.take(24, field))) throw new OnusError('block-data-form', `${field} is too large`)
  return reader.u64(field)
}

export interface DecodedBlockData extends BlockData {
  /** `decoded[i]` is the decoding of `envelopes[i]`. */
  readonly decoded: readonly Envelope[]
}

/** The transactions of a block in order. */
export function placedTransactions({ decoded }: DecodedBlockData): PlacedTransaction[] {
  return decoded.flatMap((envelope, envelopeIndex) =>
    envelope.transactions.map((transaction, index) => {
      const body = envelope.bodies[index] as Uint8Array
      return { envelopeIndex, envelope, transaction, body }
    }),
  )
}

function readBegin(reader: BinaryReader): BeginBlock {
  if (!equalBytes(reader.take(wordLength, 'tag'), tag)) throw new OnusError('bad-tag', 'expected block data')
  const clusterId = reader.take(wordLength, 'cluster id')
  const epoch = readInteger(reader, 'epoch')
  const height = readInteger(reader, 'height')
  reader.take(24, 'time')
  const time = timestampOfNanoseconds(reader.bigU64('time'))
  return { clusterId, epoch, height, time, previousManifest: reader.take(wordLength, 'previous manifest') }
}

/**
 * Strict decoding: the bytes must be exactly those that `encodeBlockData` makes of the content. `decode` may give the
 * decoding of an envelope that is known already; it rejects as `decodeEnvelope` does. Rejects `block-data-form`,
 * `bad-tag`, `truncated`, `integer-range` and what `decodeEnvelope` rejects.
 */
export function decodeBlockData(
  bytes: Uint8Array,
  decode: (envelope: Uint8Array) => Envelope = decodeEnvelope,
): DecodedBlockData {
  if (bytes.length > maximumBlockDataLength) throw new OnusError('block-data-form', 'block data is over 64 MiB')
  const reader = new BinaryReader(bytes, 'block data')
  const begin = readBegin(reader)
  const count = readInteger(reader, 'transaction count')
  const length = readInteger(reader, 'length')
  if (length !== bytes.length || count === 0 || count > maximumTransactionsPerBlock)
    throw new OnusError('block-data-form', `length ${length} of ${bytes.length} bytes, ${count} transactions`)
  const envelopes: Uint8Array[] = []
  const decoded: Envelope[] = []
  const table = new BinaryReader(reader.take(count * wordLength, 'table'), 'table')
  while (table.remaining > 0) {
    const entry = table.position
    const envelopeAt = table.u64('envelope offset')
    const envelopeBytes = reader.take(table.u64('envelope length'), 'envelope')
    if (envelopeAt !== envelopeBytes.byteOffset - bytes.byteOffset)
      throw new OnusError('block-data-form', `envelope ${envelopes.length} does not stand where the table says`)
    const envelope = decode(envelopeBytes)
    envelopes.push(envelopeBytes)
    decoded.push(envelope)
    table.position = entry
    if (envelope.bodies.length * wordLength > table.remaining)
      throw new OnusError('block-data-form', 'the table has fewer entries than the envelopes have transactions')
    table.take(envelope.bodies.length * wordLength, 'entries')
  }
  const data = { begin, envelopes }
  if (!equalBytes(encodeDecodedBlock(data, decoded), bytes))
    throw new OnusError('block-data-form', 'the table or the zeros at the end differ from the one canonical form')
  return { ...data, decoded }
}
