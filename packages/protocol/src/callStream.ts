/**
 * Messages of the call stream (`spec/gateway.md`, WebSocket `/v1/calls`): many envelopes on one connection, and their
 * results as they come. A certificate goes over a connection once; the results under it follow without it. Nothing in
 * an answer is believed before it was verified, as with `gatewayMessages.ts`.
 */
import { BinaryReader, BinaryWriter } from './binary.js'
import { utf8Bytes, utf8Text } from './bytes.js'
import { OnusError } from './errors.js'

/** Subprotocol that both sides name when the connection is opened. */
export const callStreamProtocol = 'onus.calls.1'

export interface StreamRequest {
  /** Chosen by the client; 32 bits, not in use on the connection. */
  readonly number: number
  readonly envelope: Uint8Array
}

/** Each request: u32 number, u32 length, envelope. */
export function encodeStreamRequests(requests: readonly StreamRequest[]): Uint8Array {
  const length = requests.reduce((sum, { envelope }) => sum + 8 + envelope.length, 0)
  const writer = new BinaryWriter(length)
  for (const { number, envelope } of requests) writer.u32(number).u32(envelope.length).bytes(envelope)
  return writer.finish()
}

/** Requests in one message. */
export const maximumStreamRequests = 1024

/** Envelopes are views into `bytes`. Rejects `truncated`, also where there is none, and `stream-form`. */
export function decodeStreamRequests(bytes: Uint8Array): StreamRequest[] {
  const reader = new BinaryReader(bytes, 'call stream request')
  const requests: StreamRequest[] = []
  do {
    const number = reader.u32('number')
    const length = reader.u32('envelope length')
    if (length === 0 || requests.length === maximumStreamRequests)
      throw new OnusError('stream-form', `expected at most ${maximumStreamRequests} requests, none of them empty`)
    requests.push({ number, envelope: reader.take(length, 'envelope') })
  } while (reader.remaining > 0)
  return requests
}

export type StreamAnswer =
  /** An encoded certificate, for this result or later ones. */
  | { readonly kind: 'certificate'; readonly bytes: Uint8Array }
  /** Results of a request (`encodeResults`), without certificates. */
  | { readonly kind: 'results'; readonly number: number; readonly bytes: Uint8Array }
  /** The gateway's error: its HTTP status, milliseconds to wait (0: not said), and its JSON body. */
  | {
      readonly kind: 'error'
      readonly number: number
      readonly status: number
      readonly retryAfter: number
      readonly body: string
    }

const answerKind = { certificate: 1, results: 2, error: 3 } as const

/** Each answer: u8 kind, u32 number (0 for a certificate), u16 status, u32 retry after, u32 length, content. */
export function encodeStreamAnswers(answers: readonly StreamAnswer[]): Uint8Array {
  const writer = new BinaryWriter(1024)
  for (const answer of answers) {
    const content = answer.kind === 'error' ? utf8Bytes(answer.body) : answer.bytes
    writer.u8(answerKind[answer.kind]).u32(answer.kind === 'certificate' ? 0 : answer.number)
    writer.u16(answer.kind === 'error' ? answer.status : 0).u32(answer.kind === 'error' ? answer.retryAfter : 0)
    writer.u32(content.length).bytes(content)
  }
  return writer.finish()
}

/** Content is a view into `bytes`. Rejects `truncated`, `stream-form`, `utf-8`. */
export function decodeStreamAnswers(bytes: Uint8Array): StreamAnswer[] {
  const reader = new BinaryReader(bytes, 'call stream answer')
  const answers: StreamAnswer[] = []
  do {
    const kind = reader.u8('kind')
    const number = reader.u32('number')
    const status = reader.u16('status')
    const retryAfter = reader.u32('retry after')
    const content = reader.take(reader.u32('length'), 'content')
    if (kind === answerKind.error) answers.push({ kind: 'error', number, status, retryAfter, body: utf8Text(content) })
    else if (kind === answerKind.results && status === 0 && retryAfter === 0)
      answers.push({ kind: 'results', number, bytes: content })
    else if (kind === answerKind.certificate && number === 0 && status === 0 && retryAfter === 0)
      answers.push({ kind: 'certificate', bytes: content })
    else throw new OnusError('stream-form', `an answer of kind ${kind} with number ${number} and status ${status}`)
  } while (reader.remaining > 0)
  return answers
}
