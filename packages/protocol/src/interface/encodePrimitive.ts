/**
 * Encoding of the primitive types (`spec/interface.md` 3.1), and what all parts of the encoder share: where it writes,
 * where it is, and how it refuses. Part of encodeValue.ts.
 */
import { fromHex } from '../bytes.js'
import { assert, OnusError } from '../errors.js'
import { isAddressText } from './addressText.js'
import type { Interface, PrimitiveType } from './description.js'
import { type IntegerType, integerTypes } from './integers.js'
import { type PathSegment, pathText } from './path.js'
import { appendByte, appendBytes, reserve, type Writer, writeLength } from './writer.js'

export interface Encoder {
  readonly description: Interface
  readonly writer: Writer
  /** Records and variants around the current value; also ends objects that contain themselves. */
  depth: number
  readonly path: PathSegment[]
  /** Most bytes or elements of the next value that has a length; `noLimit` behind it. */
  limit: number
}

export const noLimit: number = Number.POSITIVE_INFINITY

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'without prototype'})`
  return `a ${typeof value}`
}

export function wrongType(encoder: Encoder, expected: string, value: unknown): OnusError {
  return new OnusError('argument-type', `expected ${expected}, got ${describe(value)}`, {
    path: pathText(encoder.path),
  })
}

export function outOfRange(encoder: Encoder, message: string): OnusError {
  return new OnusError('argument-range', message, { path: pathText(encoder.path) })
}

export function encodePrimitive(encoder: Encoder, type: PrimitiveType, value: unknown): void {
  const integer = integerTypes.get(type)
  if (integer !== undefined) encodeInteger(encoder, type, integer, value)
  else if (type === 'f32' || type === 'f64') encodeFloat(encoder, type, value)
  else if (type === 'string') encodeText(encoder, value)
  else if (type === 'bool') {
    if (typeof value !== 'boolean') throw wrongType(encoder, 'a boolean', value)
    appendByte(encoder.writer, value ? 1 : 0)
  } else if (type === 'address') encodeAddress(encoder, value)
  else {
    assert(type === 'bytes', 'every primitive type is encoded')
    if (!(value instanceof Uint8Array)) throw wrongType(encoder, 'a Uint8Array', value)
    encodeLength(encoder, value.length, 'bytes')
    appendBytes(encoder.writer, value)
  }
}

/** A length prefix, within the limit of the parameter if it is the first one. */
export function encodeLength(encoder: Encoder, length: number, unit: string): void {
  if (length > encoder.limit) throw outOfRange(encoder, `expected at most ${encoder.limit} ${unit}, got ${length}`)
  encoder.limit = noLimit
  writeLength(encoder.writer, length)
}

function encodeAddress(encoder: Encoder, value: unknown): void {
  if (typeof value !== 'string') throw wrongType(encoder, 'an address as 0x and 40 hexadecimal digits', value)
  if (!isAddressText(value))
    throw outOfRange(
      encoder,
      `expected 0x and 40 hexadecimal digits, with a right checksum if in both cases, got ${value.slice(0, 50)}`,
    )
  appendBytes(encoder.writer, fromHex(value.slice(2)))
}

function encodeInteger(encoder: Encoder, name: string, type: IntegerType, value: unknown): void {
  if (typeof value !== (type.big ? 'bigint' : 'number'))
    throw wrongType(encoder, `a ${type.big ? 'bigint' : 'number'} (${name})`, value)
  const number = value as number | bigint
  if (typeof number === 'number' && !Number.isInteger(number))
    throw outOfRange(encoder, `expected an integer (${name}), got ${number}`)
  if (number < type.minimum || number > type.maximum)
    throw outOfRange(
      encoder,
      `expected ${type.minimum} to ${type.maximum} (${name}), got ${String(number).slice(0, 50)}`,
    )
  const position = reserve(encoder.writer, type.size)
  const { view } = encoder.writer
  if (typeof number === 'bigint') {
    view.setBigUint64(position, BigInt.asUintN(64, number), true)
    for (let at = 8; at < type.size; at += 8)
      view.setBigUint64(position + at, BigInt.asUintN(64, number >> BigInt(8 * at)), true)
  } else if (type.size === 4) view.setUint32(position, number, true)
  else if (type.size === 2) view.setUint16(position, number, true)
  else view.setUint8(position, number)
}

function encodeFloat(encoder: Encoder, type: 'f32' | 'f64', value: unknown): void {
  if (typeof value !== 'number') throw wrongType(encoder, `a number (${type})`, value)
  if (Number.isNaN(value)) throw outOfRange(encoder, 'expected a number that is not NaN')
  const { writer } = encoder
  if (type === 'f64') {
    const position = reserve(writer, 8)
    writer.view.setFloat64(position, value, true)
    return
  }
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
    throw outOfRange(encoder, `${value} is beyond the numbers of f32`)
  const position = reserve(writer, 4)
  writer.view.setFloat32(position, value, true)
}

const utf8Encoder = new TextEncoder()

function encodeText(encoder: Encoder, value: unknown): void {
  if (typeof value !== 'string') throw wrongType(encoder, 'a string', value)
  const bytes = utf8Encoder.encode(value)
  // A lone surrogate, and only it, becomes U+FFFD: the text would come back as another one.
  if (/[\ud800-\udfff]/.test(value) && /\p{Surrogate}/u.test(value))
    throw outOfRange(encoder, 'expected a string without lone surrogates')
  encodeLength(encoder, bytes.length, 'bytes')
  appendBytes(encoder.writer, bytes)
}
