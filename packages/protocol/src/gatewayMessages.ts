/**
 * Binary answers of a gateway (`spec/gateway.md`): results of an envelope (certificates and receipt proofs) and the
 * answer of a query. Nothing in them is believed before `Certificate.verify`, or before f+1 nodes gave the same bytes.
 */
import { BinaryReader, BinaryWriter } from './binary.js'
import { utf8Bytes, utf8Text } from './bytes.js'
import { OnusError } from './errors.js'
import { maximumOutputLength } from './receipt.js'

export interface Results {
  /** Encoded certificates of the blocks that `receipts` name, each once. */
  readonly certificates: readonly Uint8Array[]
  /** Encoded receipt proofs in the order of the envelope's transactions. */
  readonly receipts: readonly Uint8Array[]
  /** What the node knows of traps beside their receipts, in the order of these. No part of it is certified. */
  readonly hints?: readonly ReceiptHint[]
}

/** The guest's own words before it trapped, and where (`spec/interface.md` 5.3): one node's word. */
export interface ReceiptHint {
  /** Place among `receipts`. */
  readonly receipt: number
  /** At most `maximumHintLength` bytes of UTF-8. */
  readonly text: string
}

export const maximumHintLength = 4096

const resultsTag = 'onus/results/1\0\0'

/**
 * Tag (16 bytes), u16 count and certificates behind u32 lengths, u16 count and receipt proofs behind u32 lengths; then,
 * if there are hints, u16 count and for each u16 receipt and u16 length, text. Hints too long are left out.
 */
export function encodeResults(results: Results): Uint8Array {
  const writer = new BinaryWriter(4096).tag(resultsTag).u16(results.certificates.length)
  for (const bytes of results.certificates) writer.u32(bytes.length).bytes(bytes)
  writer.u16(results.receipts.length)
  for (const bytes of results.receipts) writer.u32(bytes.length).bytes(bytes)
  const hints = (results.hints ?? []).map(({ receipt, text }) => ({ receipt, bytes: utf8Bytes(text) }))
  const short = hints.filter(({ bytes }) => bytes.length <= maximumHintLength)
  if (short.length > 0) writer.u16(short.length)
  for (const { receipt, bytes } of short) writer.u16(receipt).u16(bytes.length).bytes(bytes)
  return writer.finish()
}

/** Rejects `results-form` unless the hints are in ascending order of receipts that are there. */
function readHints(reader: BinaryReader, receipts: number): ReceiptHint[] {
  const hints: ReceiptHint[] = []
  const count = reader.u16('hint count')
  let previous = -1
  for (let i = 0; i < count; i++) {
    const receipt = reader.u16('hinted receipt')
    const length = reader.u16('hint length')
    if (receipt <= previous || receipt >= receipts || length > maximumHintLength)
      throw new OnusError('results-form', `hint ${i} is of receipt ${receipt} of ${receipts} and has ${length} bytes`)
    previous = receipt
    hints.push({ receipt, text: utf8Text(reader.take(length, 'hint')) })
  }
  if (count === 0) throw new OnusError('results-form', 'expected no count where there are no hints')
  return hints
}

export function decodeResults(bytes: Uint8Array): Results {
  const reader = new BinaryReader(bytes, 'results')
  reader.tag(resultsTag)
  const list = (what: string): Uint8Array[] => {
    const items: Uint8Array[] = []
    const count = reader.u16(`${what} count`)
    for (let i = 0; i < count; i++) items.push(reader.take(reader.u32(`${what} length`), what))
    return items
  }
  const certificates = list('certificate')
  const receipts = list('receipt')
  const hints = reader.remaining === 0 ? [] : readHints(reader, receipts.length)
  reader.finish()
  return { certificates, receipts, ...(hints.length === 0 ? {} : { hints }) }
}

/** What a query gave at a height; equal on every honest node. */
export interface QueryAnswer {
  /** The state after this block. */
  readonly height: number
  readonly trapped: boolean
  /** Empty when trapped. */
  readonly output: Uint8Array
}

const answerTag = 'onus/answer/1\0\0\0'

/** Tag (16 bytes), u64 height, u8 trapped, u32 length, output. */
export function encodeQueryAnswer(answer: QueryAnswer): Uint8Array {
  const writer = new BinaryWriter(answer.output.length + 32).tag(answerTag).u64(answer.height)
  return writer
    .u8(answer.trapped ? 1 : 0)
    .u32(answer.output.length)
    .bytes(answer.output)
    .finish()
}

export function decodeQueryAnswer(bytes: Uint8Array): QueryAnswer {
  const reader = new BinaryReader(bytes, 'query answer')
  reader.tag(answerTag)
  const height = reader.u64('height')
  const trapped = reader.u8('trapped')
  const length = reader.u32('output length')
  if (trapped > 1 || length > maximumOutputLength || (trapped === 1 && length !== 0))
    throw new OnusError(
      'query-answer-form',
      'trapped is 0 or 1, a trapped answer has no output, an output at most 1 MiB',
    )
  const output = reader.take(length, 'output')
  reader.finish()
  return { height, trapped: trapped === 1, output }
}
