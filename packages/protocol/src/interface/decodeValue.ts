/**
 * Strict Borsh decoder (`spec/interface.md` 3): one byte string per value. Refuses trailing bytes, bool, option and
 * result tags other than 0 and 1, malformed UTF-8, NaN, map keys out of order, unknown cases and flags, values nested too
 * deep, and parameters beyond their limits.
 * Work and memory are bounded by the input: a list's length is checked against the bytes that are left.
 */
import { toHex, utf8Text } from '../bytes.js'
import { OnusError } from '../errors.js'
import {
  definitionOf,
  type Field,
  flagBytes,
  type Interface,
  isPrimitiveType,
  maximumValueDepth,
  type ParameterLimit,
  type PrimitiveType,
  type TypeDefinition,
  type TypeExpression,
} from './description.js'
import { type IntegerType, integerTypes } from './integers.js'
import { compareKeys, type MapKey } from './keyOrder.js'
import { type PathSegment, pathText } from './path.js'

interface Reader {
  readonly description: Interface
  readonly bytes: Uint8Array
  readonly view: DataView
  position: number
  /** Records and variants around the current value. */
  depth: number
  readonly path: PathSegment[]
  /** Most bytes or elements of the next value that has a length; `noLimit` behind it. */
  limit: number
}

const addressLength = 20
const noLimit = Number.POSITIVE_INFINITY

/** The value of `type` that `bytes` encode; `name` begins the path in errors. Rejects `decode-…`. */
export function decodeValue(description: Interface, type: TypeExpression, bytes: Uint8Array, name: string): unknown {
  const reader = readerOf(description, bytes, 0)
  reader.path.push(name)
  const value = readValue(reader, type)
  finish(reader)
  return value
}

/** The value of `type` at `offset`, and the offset behind it. Rejects `decode-…`. */
export function decodeValueAt(
  description: Interface,
  type: TypeExpression,
  bytes: Uint8Array,
  offset: number,
  name: string,
): { value: unknown; end: number } {
  const reader = readerOf(description, bytes, offset)
  reader.path.push(name)
  const value = readValue(reader, type)
  return { value, end: reader.position }
}

/**
 * The values of `fields`, one after another, in `bytes` from `offset` to the end. Rejects `decode-…`, `decode-limit`
 * for a parameter beyond its limit.
 */
export function decodeFields(
  description: Interface,
  fields: readonly Field[],
  bytes: Uint8Array,
  offset: number,
  limits: readonly ParameterLimit[] = [],
): unknown[] {
  const reader = readerOf(description, bytes, offset)
  const values = fields.map(([name, type]) => {
    reader.path.push(name)
    reader.limit = limits.find(([parameter]) => parameter === name)?.[1] ?? noLimit
    const value = readValue(reader, type)
    reader.path.pop()
    return value
  })
  finish(reader)
  return values
}

function readerOf(description: Interface, bytes: Uint8Array, position: number): Reader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { description, bytes, view, position, depth: 0, path: [], limit: noLimit }
}

function finish(reader: Reader): void {
  const left = reader.bytes.length - reader.position
  if (left !== 0) throw refusal(reader, 'trailing', `${left} bytes too many`)
}

function refusal(reader: Reader, code: string, message: string): OnusError {
  return new OnusError(`decode-${code}`, message, { path: pathText(reader.path) })
}

/** Position of the next `count` bytes, which are then taken. */
function take(reader: Reader, count: number): number {
  const position = reader.position
  const left = reader.bytes.length - position
  if (count > left) throw refusal(reader, 'short', `expected ${count} bytes more, got ${left}`)
  reader.position = position + count
  return position
}

function readByteBelow(reader: Reader, limit: number, code: string): number {
  const byte = reader.view.getUint8(take(reader, 1))
  if (byte >= limit) throw refusal(reader, code, `expected a byte below ${limit}, got ${byte}`)
  return byte
}

/** A length prefix, within the limit of the parameter if it is the first one. */
function readLength(reader: Reader, unit: string): number {
  const length = reader.view.getUint32(take(reader, 4), true)
  if (length > reader.limit) throw refusal(reader, 'limit', `expected at most ${reader.limit} ${unit}, got ${length}`)
  reader.limit = noLimit
  return length
}

function readBytes(reader: Reader): Uint8Array {
  const length = readLength(reader, 'bytes')
  const start = take(reader, length)
  return reader.bytes.subarray(start, start + length)
}

/** A count of elements of at least one byte each. */
function readCount(reader: Reader): number {
  const count = readLength(reader, 'elements')
  const left = reader.bytes.length - reader.position
  if (count > left) throw refusal(reader, 'short', `expected ${count} elements, got ${left} bytes`)
  return count
}

function readValue(reader: Reader, type: TypeExpression): unknown {
  if (typeof type === 'string') {
    if (isPrimitiveType(type)) return readPrimitive(reader, type)
    const definition = definitionOf(reader.description, type)
    if (definition === undefined) throw new OnusError('interface-type', `unknown type ${type}`)
    return readDefined(reader, definition)
  }
  if ('option' in type) return readByteBelow(reader, 2, 'option') === 0 ? null : readValue(reader, type.option)
  if ('list' in type) return readList(reader, type.list)
  if ('result' in type) return readResult(reader, type.result[0], type.result[1])
  return readMap(reader, type.map[0], type.map[1])
}

function readPrimitive(reader: Reader, type: PrimitiveType): unknown {
  const { view } = reader
  switch (type) {
    case 'bool':
      return readByteBelow(reader, 2, 'bool') === 1
    case 'u8':
      return view.getUint8(take(reader, 1))
    case 'i8':
      return view.getInt8(take(reader, 1))
    case 'u16':
      return view.getUint16(take(reader, 2), true)
    case 'i16':
      return view.getInt16(take(reader, 2), true)
    case 'u32':
      return view.getUint32(take(reader, 4), true)
    case 'i32':
      return view.getInt32(take(reader, 4), true)
    case 'u64':
      return view.getBigUint64(take(reader, 8), true)
    case 'i64':
      return view.getBigInt64(take(reader, 8), true)
    case 'f32':
      return notNaN(reader, view.getFloat32(take(reader, 4), true))
    case 'f64':
      return notNaN(reader, view.getFloat64(take(reader, 8), true))
    case 'string':
      return readText(reader)
    case 'bytes':
      return readBytes(reader).slice()
    case 'address': {
      const start = take(reader, addressLength)
      return `0x${toHex(reader.bytes.subarray(start, start + addressLength))}`
    }
    default:
      return readWideInteger(reader, integerTypes.get(type) as IntegerType)
  }
}

/** Integers of 128 and 256 bits: words of 64 bits, the lowest first. */
function readWideInteger(reader: Reader, type: IntegerType): bigint {
  const start = take(reader, type.size)
  let value = 0n
  for (let at = type.size - 8; at >= 0; at -= 8) value = (value << 64n) | reader.view.getBigUint64(start + at, true)
  return type.minimum < 0n ? BigInt.asIntN(8 * type.size, value) : value
}

function notNaN(reader: Reader, value: number): number {
  if (Number.isNaN(value)) throw refusal(reader, 'nan', 'expected a number, got NaN')
  return value
}

function readText(reader: Reader): string {
  const bytes = readBytes(reader)
  try {
    return utf8Text(bytes)
  } catch {
    throw refusal(reader, 'utf8', 'expected well-formed UTF-8')
  }
}

function readList(reader: Reader, element: TypeExpression): unknown[] {
  const count = readCount(reader)
  const list: unknown[] = []
  for (let i = 0; i < count; i++) {
    reader.path.push(i)
    list.push(readValue(reader, element))
    reader.path.pop()
  }
  return list
}

function readMap(reader: Reader, keyType: TypeExpression, valueType: TypeExpression): Map<unknown, unknown> {
  const count = readCount(reader)
  const map = new Map<unknown, unknown>()
  let previous: MapKey | undefined
  for (let i = 0; i < count; i++) {
    reader.path.push(i)
    const key = readValue(reader, keyType) as MapKey
    if (previous !== undefined && compareKeys(reader.description, keyType, previous, key) >= 0)
      throw refusal(reader, 'map-order', 'expected map keys in ascending order, each once')
    previous = key
    reader.path[reader.path.length - 1] = { key }
    map.set(key, readValue(reader, valueType))
    reader.path.pop()
  }
  return map
}

/** Borsh's tags of a result: 1 is ok, 0 is err. */
function readResult(reader: Reader, ok: TypeExpression | null, err: TypeExpression | null): unknown {
  const isOk = readByteBelow(reader, 2, 'result') === 1
  const tag = isOk ? 'ok' : 'err'
  const type = isOk ? ok : err
  if (type === null) return { tag }
  reader.path.push(tag)
  const value = readValue(reader, type)
  reader.path.pop()
  return { tag, value }
}

/** Bit i of the bytes, the lowest first, is flag i; the bits behind the last flag are zero. */
function readFlags(reader: Reader, names: readonly string[]): Record<string, boolean> {
  const length = flagBytes(names.length)
  const start = take(reader, length)
  const last = reader.bytes[start + length - 1] as number
  if (last >>> (names.length - 8 * (length - 1)) !== 0)
    throw refusal(reader, 'flags', `expected no bits behind the ${names.length} flags, got a last byte ${last}`)
  const flags: Record<string, boolean> = {}
  names.forEach((name, index) => {
    flags[name] = (((reader.bytes[start + (index >>> 3)] as number) >>> (index & 7)) & 1) === 1
  })
  return flags
}

function readDefined(reader: Reader, definition: TypeDefinition): unknown {
  if ('enum' in definition) return definition.enum[readByteBelow(reader, definition.enum.length, 'enum')]
  if ('flags' in definition) return readFlags(reader, definition.flags)
  if (reader.depth >= maximumValueDepth)
    throw refusal(reader, 'depth', `expected at most ${maximumValueDepth} records and variants inside each other`)
  reader.depth++
  const value = 'record' in definition ? readRecord(reader, definition.record) : readVariant(reader, definition)
  reader.depth--
  return value
}

function readRecord(reader: Reader, fields: readonly Field[]): Record<string, unknown> {
  const record: Record<string, unknown> = {}
  for (const [name, type] of fields) {
    reader.path.push(name)
    record[name] = readValue(reader, type)
    reader.path.pop()
  }
  return record
}

function readVariant(reader: Reader, definition: Extract<TypeDefinition, { variant: unknown }>): unknown {
  const index = readByteBelow(reader, definition.variant.length, 'variant')
  const [tag, type] = definition.variant[index] as (typeof definition.variant)[number]
  if (type === null) return { tag }
  reader.path.push(tag)
  const value = readValue(reader, type)
  reader.path.pop()
  return { tag, value }
}
