/** Reading of a request's parameters and bodies: strict, each refusal with the field's name. */
import { fromHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import type { FastifyRequest } from 'fastify'

const defaultTimeout = 10_000
const maximumTimeout = 60_000

/** Rejects `parameter` unless `text` is an integer from 0 to `most` as one would write it. */
export function integerOf(text: string, field: string, most: number): number {
  const value = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= most))
    throw new OnusError(
      'parameter',
      `expected an integer from 0 to ${most}, got ${JSON.stringify(text.slice(0, 40))}`,
      { path: field },
    )
  return value
}

export function parameter(request: FastifyRequest, name: string): string | null {
  const value = (request.query as Record<string, unknown>)[name]
  if (value === undefined) return null
  if (typeof value !== 'string') throw new OnusError('parameter', 'expected one value', { path: name })
  return value
}

/** All values of a parameter that may stand several times. */
export function parameters(request: FastifyRequest, name: string): readonly string[] {
  const value = (request.query as Record<string, unknown>)[name]
  if (value === undefined) return []
  return Array.isArray(value) ? (value as string[]) : [String(value)]
}

/** Milliseconds; up to a minute. */
export function timeoutOf(request: FastifyRequest, otherwise: number = defaultTimeout): number {
  const text = parameter(request, 'timeout')
  return text === null ? otherwise : integerOf(text, 'timeout', maximumTimeout)
}

export function heightOf(request: FastifyRequest): number | null {
  const text = parameter(request, 'height')
  return text === null ? null : integerOf(text, 'height', Number.MAX_SAFE_INTEGER)
}

/** A copy of a binary body: what goes to a worker must not take Node's pooled buffer along. */
export function bodyOf(request: FastifyRequest): Uint8Array {
  if (!(request.body instanceof Uint8Array))
    throw new OnusError('content-type', 'expected a body of application/octet-stream')
  return new Uint8Array(request.body)
}

/** Whether the answer is to be JSON: asked for by name, or not asked and the question was JSON. */
export function wantsJson(request: FastifyRequest): boolean {
  const { accept } = request.headers
  if (accept?.includes('application/json') === true) return true
  return typeof request.body === 'string' && accept?.includes('application/octet-stream') !== true
}

/** The value of a JSON text of at most `most` bytes. Rejects `too-large` and `json-form`. */
export function jsonOf(text: string, most: number): unknown {
  if (Buffer.byteLength(text) > most) throw new OnusError('too-large', `JSON here has at most ${most} bytes`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new OnusError('json-form', 'expected JSON', { cause })
  }
}

/** The signed envelope in `{"envelope": "0x…"}`, or in base64. Read without a parser, for it may be long. */
export function envelopeOfJson(text: string): Uint8Array {
  const [, digits] = /^\s*\{\s*"envelope"\s*:\s*"([0-9A-Za-z+/=]*)"\s*\}\s*$/.exec(text) ?? []
  if (digits === undefined)
    throw new OnusError('json-form', 'expected {"envelope": "…"} with the envelope as 0x-hexadecimal or base64')
  if (digits.startsWith('0x')) {
    const bytes = new Uint8Array(Buffer.from(digits.slice(2), 'hex'))
    // Node's decoder stops at the first other character.
    if (bytes.length * 2 !== digits.length - 2) fromHex(digits)
    return bytes
  }
  const bytes = new Uint8Array(Buffer.from(digits, 'base64'))
  if (Buffer.from(bytes).toString('base64') !== digits)
    throw new OnusError('json-form', 'expected base64 with its padding', { path: 'envelope' })
  return bytes
}
