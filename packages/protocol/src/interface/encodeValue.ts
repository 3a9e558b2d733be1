/**
 * Borsh encoder (`spec/interface.md` 3): the one byte string of a value. What the type does not allow is refused with
 * the path of the value: `argument-type` for another kind of value, `argument-range` for a value outside the type.
 */
import { assert, OnusError } from '../errors.js'
import {
  definitionOf,
  type Field,
  type Interface,
  isPrimitiveType,
  maximumValueDepth,
  type PrimitiveType,
  type TypeDefinition,
  type TypeExpression,
} from './description.js'
import { type IntegerType, integerTypes } from './integers.js'
import { compareKeys, type MapKey } from './keyOrder.js'
import { type PathSegment, pathText } from './path.js'
import { appendByte, appendBytes, reserve, type Writer, writeLength, writerOf, writtenBytes } from './writer.js'

interface Encoder {
  readonly description: Interface
  readonly writer: Writer
  /** Records and variants around the current value; also ends objects that contain themselves. */
  depth: number
  readonly path: PathSegment[]
}

/** Bytes of `value` as `type`; `name` begins the path in errors. Rejects `argument-type` and `argument-range`. */
export function encodeValue(description: Interface, type: TypeExpression, value: unknown, name: string): Uint8Array {
  const encoder: Encoder = { description, writer: writerOf(), depth: 0, path: [name] }
  encode(encoder, type, value)
  return writtenBytes(encoder.writer)
}

/** `prefix`, then the values of `fields` in order; `values` has one for each field. Rejects as `encodeValue`. */
export function encodeFields(
  description: Interface,
  fields: readonly Field[],
  values: readonly unknown[],
  prefix: Uint8Array,
): Uint8Array {
  const encoder: Encoder = { description, writer: writerOf(), depth: 0, path: [] }
  appendBytes(encoder.writer, prefix)
  fields.forEach(([name, type], index) => {
    encoder.path.push(name)
    encode(encoder, type, values[index])
    encoder.path.pop()
  })
  return writtenBytes(encoder.writer)
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'without prototype'})`
  return `a ${typeof value}`
}

function wrongType(encoder: Encoder, expected: string, value: unknown): OnusError {
  return new OnusError('argument-type', `expected ${expected}, got ${describe(value)}`, {
    path: pathText(encoder.path),
  })
}

function outOfRange(encoder: Encoder, message: string): OnusError {
  return new OnusError('argument-range', message, { path: pathText(encoder.path) })
}

function encode(encoder: Encoder, type: TypeExpression, value: unknown): void {
  if (typeof type !== 'string') {
    if ('option' in type) encodeOption(encoder, type.option, value)
    else if ('list' in type) encodeList(encoder, type.list, value)
    else encodeMap(encoder, type.map[0], type.map[1], value)
  } else if (isPrimitiveType(type)) encodePrimitive(encoder, type, value)
  else {
    const definition = definitionOf(encoder.description, type)
    if (definition === undefined) throw new OnusError('interface-type', `unknown type ${type}`)
    encodeDefined(encoder, type, definition, value)
  }
}

function encodePrimitive(encoder: Encoder, type: PrimitiveType, value: unknown): void {
  const integer = integerTypes.get(type)
  if (integer !== undefined) encodeInteger(encoder, type, integer, value)
  else if (type === 'f32' || type === 'f64') encodeFloat(encoder, type, value)
  else if (type === 'string') encodeText(encoder, value)
  else if (type === 'bool') {
    if (typeof value !== 'boolean') throw wrongType(encoder, 'a boolean', value)
    appendByte(encoder.writer, value ? 1 : 0)
  } else {
    assert(type === 'bytes', 'every primitive type is encoded')
    if (!(value instanceof Uint8Array)) throw wrongType(encoder, 'a Uint8Array', value)
    writeLength(encoder.writer, value.length)
    appendBytes(encoder.writer, value)
  }
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
    if (type.size === 16) view.setBigUint64(position + 8, BigInt.asUintN(64, number >> 64n), true)
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
  writeLength(encoder.writer, bytes.length)
  appendBytes(encoder.writer, bytes)
}

function encodeOption(encoder: Encoder, type: TypeExpression, value: unknown): void {
  const absent = value === null || value === undefined
  appendByte(encoder.writer, absent ? 0 : 1)
  if (!absent) encode(encoder, type, value)
}

function encodeList(encoder: Encoder, element: TypeExpression, value: unknown): void {
  if (!Array.isArray(value)) throw wrongType(encoder, 'an array', value)
  writeLength(encoder.writer, value.length)
  for (let i = 0; i < value.length; i++) {
    encoder.path.push(i)
    encode(encoder, element, value[i])
    encoder.path.pop()
  }
}

function encodeMap(encoder: Encoder, keyType: TypeExpression, valueType: TypeExpression, value: unknown): void {
  if (!(value instanceof Map)) throw wrongType(encoder, 'a Map', value)
  const encoded: [key: MapKey, bytes: Uint8Array, value: unknown][] = []
  for (const [key, content] of value) {
    encoder.path.push({ key })
    const inner: Encoder = { ...encoder, writer: writerOf() }
    encode(inner, keyType, key)
    encoded.push([key as MapKey, writtenBytes(inner.writer), content])
    encoder.path.pop()
  }
  encoded.sort((a, b) => compareKeys(encoder.description, keyType, a[0], b[0]))
  writeLength(encoder.writer, encoded.length)
  for (const [key, bytes, content] of encoded) {
    encoder.path.push({ key })
    appendBytes(encoder.writer, bytes)
    encode(encoder, valueType, content)
    encoder.path.pop()
  }
}

function encodeDefined(encoder: Encoder, name: string, definition: TypeDefinition, value: unknown): void {
  if ('enum' in definition) {
    if (typeof value !== 'string') throw wrongType(encoder, `one of ${definition.enum.join(', ')}`, value)
    const index = definition.enum.indexOf(value)
    if (index < 0) throw outOfRange(encoder, `expected one of ${definition.enum.join(', ')}, got ${value.slice(0, 40)}`)
    appendByte(encoder.writer, index)
    return
  }
  if (encoder.depth >= maximumValueDepth)
    throw outOfRange(encoder, `expected at most ${maximumValueDepth} records and variants inside each other`)
  encoder.depth++
  if ('record' in definition) encodeRecord(encoder, name, definition.record, value)
  else encodeVariant(encoder, definition.variant, value)
  encoder.depth--
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function encodeRecord(encoder: Encoder, name: string, fields: readonly Field[], value: unknown): void {
  if (!isObject(value)) throw wrongType(encoder, `an object (${name})`, value)
  // A misspelt optional field would otherwise vanish without a word.
  for (const key of Object.keys(value))
    if (!fields.some(([field]) => field === key))
      throw new OnusError('argument-type', `${name} has no field ${key}`, { path: pathText(encoder.path) })
  for (const [field, type] of fields) {
    encoder.path.push(field)
    encode(encoder, type, value[field])
    encoder.path.pop()
  }
}

function encodeVariant(
  encoder: Encoder,
  cases: readonly (readonly [string, TypeExpression | null])[],
  value: unknown,
): void {
  const tags = cases.map(([tag]) => tag).join(', ')
  if (!isObject(value) || typeof value['tag'] !== 'string')
    throw wrongType(encoder, `an object with a tag, one of ${tags}`, value)
  const tag = value['tag']
  const index = cases.findIndex(([name]) => name === tag)
  const chosen = cases[index]
  if (chosen === undefined) throw outOfRange(encoder, `expected one of ${tags}, got ${tag.slice(0, 40)}`)
  appendByte(encoder.writer, index)
  const [, type] = chosen
  if (type === null) return
  encoder.path.push(tag)
  encode(encoder, type, value['value'])
  encoder.path.pop()
}
