/**
 * Binary answers of a gateway (`spec/gateway.md`): results of an envelope (certificates and receipt proofs) and the
 * answer of a query. Nothing in them is believed before `Certificate.verify`, or before f+1 nodes gave the same bytes.
 */
import { BinaryReader, BinaryWriter } from './binary.js'
import { OnusError } from './errors.js'
import { maximumOutputLength } from './receipt.js'

export interface Results {
  /** Encoded certificates of the blocks that `receipts` name, each once. */
  readonly certificates: readonly Uint8Array[]
  /** Encoded receipt proofs in the order of the envelope's transactions. */
  readonly receipts: readonly Uint8Array[]
}

const resultsTag = 'onus/results/1\0\0'

/** Tag (16 bytes), u16 count and certificates behind u32 lengths, u16 count and receipt proofs behind u32 lengths. */
export function encodeResults(results: Results): Uint8Array {
  const writer = new BinaryWriter(4096).tag(resultsTag).u16(results.certificates.length)
  for (const bytes of results.certificates) writer.u32(bytes.length).bytes(bytes)
  writer.u16(results.receipts.length)
  for (const bytes of results.receipts) writer.u32(bytes.length).bytes(bytes)
  return writer.finish()
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
  const results = { certificates: list('certificate'), receipts: list('receipt') }
  reader.finish()
  return results
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
