/**
 * Borsh encoder (`spec/interface.md` 3): the one byte string of a value. What the type does not allow is refused with
 * the path of the value: `argument-type` for another kind of value, `argument-range` for a value outside the type.
 */
import { OnusError } from '../errors.js'
import {
  definitionOf,
  type Field,
  flagBytes,
  type Interface,
  isPrimitiveType,
  maximumValueDepth,
  type ParameterLimit,
  type TypeDefinition,
  type TypeExpression,
} from './description.js'
import { type Encoder, encodeLength, encodePrimitive, noLimit, outOfRange, wrongType } from './encodePrimitive.js'
import { compareKeys, type MapKey } from './keyOrder.js'
import { pathText } from './path.js'
import { appendByte, appendBytes, writerOf, writtenBytes } from './writer.js'

/** Bytes of `value` as `type`; `name` begins the path in errors. Rejects `argument-type` and `argument-range`. */
export function encodeValue(description: Interface, type: TypeExpression, value: unknown, name: string): Uint8Array {
  const encoder: Encoder = { description, writer: writerOf(), depth: 0, path: [name], limit: noLimit }
  encode(encoder, type, value)
  return writtenBytes(encoder.writer)
}

/**
 * `prefix`, then the values of `fields` in order; `values` has one for each field. Rejects as `encodeValue`, and
 * `argument-range` for a value beyond its limit.
 */
export function encodeFields(
  description: Interface,
  fields: readonly Field[],
  values: readonly unknown[],
  prefix: Uint8Array,
  limits: readonly ParameterLimit[] = [],
): Uint8Array {
  const encoder: Encoder = { description, writer: writerOf(), depth: 0, path: [], limit: noLimit }
  appendBytes(encoder.writer, prefix)
  fields.forEach(([name, type], index) => {
    encoder.path.push(name)
    encoder.limit = limits.find(([parameter]) => parameter === name)?.[1] ?? noLimit
    encode(encoder, type, values[index])
    encoder.path.pop()
  })
  return writtenBytes(encoder.writer)
}

function encode(encoder: Encoder, type: TypeExpression, value: unknown): void {
  if (typeof type !== 'string') {
    if ('option' in type) encodeOption(encoder, type.option, value)
    else if ('list' in type) encodeList(encoder, type.list, value)
    else if ('result' in type) encodeResultValue(encoder, type.result[0], type.result[1], value)
    else encodeMap(encoder, type.map[0], type.map[1], value)
  } else if (isPrimitiveType(type)) encodePrimitive(encoder, type, value)
  else {
    const definition = definitionOf(encoder.description, type)
    if (definition === undefined) throw new OnusError('interface-type', `unknown type ${type}`)
    encodeDefined(encoder, type, definition, value)
  }
}

function encodeOption(encoder: Encoder, type: TypeExpression, value: unknown): void {
  const absent = value === null || value === undefined
  appendByte(encoder.writer, absent ? 0 : 1)
  if (!absent) encode(encoder, type, value)
}

function encodeList(encoder: Encoder, element: TypeExpression, value: unknown): void {
  if (!Array.isArray(value)) throw wrongType(encoder, 'an array', value)
  encodeLength(encoder, value.length, 'elements')
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
    const inner: Encoder = { ...encoder, writer: writerOf(), limit: noLimit }
    encode(inner, keyType, key)
    encoded.push([key as MapKey, writtenBytes(inner.writer), content])
    encoder.path.pop()
  }
  const compare = (a: MapKey, b: MapKey): number => compareKeys(encoder.description, keyType, a, b)
  encoded.sort((a, b) => compare(a[0], b[0]))
  encodeLength(encoder, encoded.length, 'elements')
  let previous: MapKey | undefined
  for (const [key, bytes, content] of encoded) {
    encoder.path.push({ key })
    // Two spellings of one address are two keys of a Map.
    if (previous !== undefined && compare(previous, key) === 0) throw outOfRange(encoder, 'expected each key once')
    previous = key
    appendBytes(encoder.writer, bytes)
    encode(encoder, valueType, content)
    encoder.path.pop()
  }
}

function encodeResultValue(
  encoder: Encoder,
  ok: TypeExpression | null,
  err: TypeExpression | null,
  value: unknown,
): void {
  if (!isObject(value) || (value['tag'] !== 'ok' && value['tag'] !== 'err'))
    throw wrongType(encoder, 'an object with a tag, ok or err', value)
  const isOk = value['tag'] === 'ok'
  appendByte(encoder.writer, isOk ? 1 : 0)
  encodeContent(encoder, value['tag'], isOk ? ok : err, value['value'])
}

function encodeContent(encoder: Encoder, tag: string, type: TypeExpression | null, value: unknown): void {
  if (type === null) return
  encoder.path.push(tag)
  encode(encoder, type, value)
  encoder.path.pop()
}

/** Flags that are left out are false. */
function encodeFlags(encoder: Encoder, name: string, names: readonly string[], value: unknown): void {
  if (!isObject(value)) throw wrongType(encoder, `an object of booleans (${name})`, value)
  checkKeys(encoder, name, names, value)
  const bytes = new Uint8Array(flagBytes(names.length))
  names.forEach((flag, index) => {
    const isSet = value[flag] ?? false
    if (typeof isSet !== 'boolean') throw wrongType(encoder, `a boolean (${name}.${flag})`, isSet)
    if (isSet) bytes[index >>> 3] = (bytes[index >>> 3] as number) | (1 << (index & 7))
  })
  appendBytes(encoder.writer, bytes)
}

function encodeDefined(encoder: Encoder, name: string, definition: TypeDefinition, value: unknown): void {
  if ('enum' in definition) {
    if (typeof value !== 'string') throw wrongType(encoder, `one of ${definition.enum.join(', ')}`, value)
    const index = definition.enum.indexOf(value)
    if (index < 0) throw outOfRange(encoder, `expected one of ${definition.enum.join(', ')}, got ${value.slice(0, 40)}`)
    appendByte(encoder.writer, index)
    return
  }
  if ('flags' in definition) {
    encodeFlags(encoder, name, definition.flags, value)
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

/** A misspelt optional field would otherwise vanish without a word. */
function checkKeys(encoder: Encoder, name: string, known: readonly string[], value: Record<string, unknown>): void {
  for (const key of Object.keys(value))
    if (!known.includes(key))
      throw new OnusError('argument-type', `${name} has no field ${key}`, { path: pathText(encoder.path) })
}

function encodeRecord(encoder: Encoder, name: string, fields: readonly Field[], value: unknown): void {
  if (!isObject(value)) throw wrongType(encoder, `an object (${name})`, value)
  checkKeys(
    encoder,
    name,
    fields.map(([field]) => field),
    value,
  )
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
  encodeContent(encoder, tag, chosen[1], value['value'])
}
