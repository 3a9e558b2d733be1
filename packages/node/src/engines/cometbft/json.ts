/**
 * Strict reading of JSON values from CometBFT's RPC: each read names its path and rejects `rpc-shape` on anything but the
 * expected kind. Numbers of 64 bits are texts there, hashes upper-case hexadecimal, signatures base64.
 */
import { fromHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'

/** A JSON value with the path that led to it. */
export interface JsonValue {
  readonly value: unknown
  readonly path: string
}

function shapeError({ value, path }: JsonValue, expected: string): OnusError {
  const got = JSON.stringify(value) ?? typeof value
  return new OnusError('rpc-shape', `expected ${expected}, got ${got.slice(0, 80)}`, { path })
}

/** Member `name` of an object; `undefined` inside where it is missing. */
export function member(json: JsonValue, name: string): JsonValue {
  const { value, path } = json
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw shapeError(json, 'an object')
  const found: unknown = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
  return { value: found, path: path === '' ? name : `${path}.${name}` }
}

export function elements(json: JsonValue, maximum: number): JsonValue[] {
  const { value, path } = json
  if (!Array.isArray(value) || value.length > maximum) throw shapeError(json, `a list of at most ${maximum}`)
  return value.map((element: unknown, index) => ({ value: element, path: `${path}[${index}]` }))
}

export function text(json: JsonValue): string {
  if (typeof json.value !== 'string') throw shapeError(json, 'a text')
  return json.value
}

export function truth(json: JsonValue): boolean {
  if (typeof json.value !== 'boolean') throw shapeError(json, 'true or false')
  return json.value
}

/** An integer from 0 to 2^53-1 that stands as a number. */
export function integer(json: JsonValue): number {
  const { value } = json
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw shapeError(json, 'an integer')
  return value
}

/** An integer from 0 to 2^53-1 that stands as a decimal text. */
export function integerText(json: JsonValue): number {
  const digits = text(json)
  const value = Number(digits)
  if (!/^(0|[1-9][0-9]*)$/.test(digits) || !Number.isSafeInteger(value)) throw shapeError(json, 'an integer as text')
  return value
}

/** Hexadecimal bytes of one of the `lengths`. */
export function hexBytes(json: JsonValue, ...lengths: readonly number[]): Uint8Array {
  const digits = text(json)
  if (!/^[0-9A-F]*$/.test(digits) || !lengths.includes(digits.length / 2))
    throw shapeError(json, `${lengths.join(' or ')} bytes in hexadecimal`)
  return fromHex(digits)
}

/** Base64 bytes of any length. */
export function base64(json: JsonValue): Uint8Array {
  const digits = text(json)
  const bytes = new Uint8Array(Buffer.from(digits, 'base64'))
  if (Buffer.from(bytes).toString('base64') !== digits) throw shapeError(json, 'base64')
  return bytes
}

/** Base64 bytes of `length`. */
export function base64Bytes(json: JsonValue, length: number): Uint8Array {
  const bytes = base64(json)
  if (bytes.length !== length) throw shapeError(json, `${length} bytes in base64`)
  return bytes
}
