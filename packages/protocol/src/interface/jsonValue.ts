/**
 * The one JSON form of interface values (`spec/gateway.md` 4), for gateways, tools and people: integers of 64 bits and
 * more as decimal strings, bytes as 0x-hexadecimal, maps as lists of pairs, an absent option as null, results as
 * variants. What JSON cannot write of floats is a string. Canonical bytes are the codec's: reading JSON only makes the
 * value that it then encodes.
 */
import { fromHex, toHex } from '../bytes.js'
import { OnusError } from '../errors.js'
import {
  definitionOf,
  type Entry,
  type Interface,
  isPrimitiveType,
  maximumValueDepth,
  type TypeDefinition,
  type TypeExpression,
  type VariantCase,
} from './description.js'
import { integerTypes } from './integers.js'
import { type PathSegment, pathText } from './path.js'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue }

/** JSON of a value as `decodeValue` makes it. */
export function toJsonValue(description: Interface, type: TypeExpression, value: unknown): JsonValue {
  if (typeof type === 'string') return namedToJson(description, type, value)
  if ('option' in type) return value === null ? null : toJsonValue(description, type.option, value)
  if ('list' in type) return (value as readonly unknown[]).map((item) => toJsonValue(description, type.list, item))
  if ('result' in type) return casesToJson(description, casesOfResult(type.result), value)
  const [keyType, valueType] = type.map
  return [...(value as ReadonlyMap<unknown, unknown>)].map(([key, content]) => [
    toJsonValue(description, keyType, key),
    toJsonValue(description, valueType, content),
  ])
}

function namedToJson(description: Interface, type: string, value: unknown): JsonValue {
  if (isPrimitiveType(type)) return primitiveToJson(type, value)
  const definition = definitionOf(description, type)
  if (definition === undefined) throw new OnusError('interface-type', `unknown type ${type}`)
  return definedToJson(description, definition, value)
}

function primitiveToJson(type: string, value: unknown): JsonValue {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return `0x${toHex(value)}`
  if ((type === 'f32' || type === 'f64') && (!Number.isFinite(value) || Object.is(value, -0)))
    return Object.is(value, -0) ? '-0' : String(value)
  return value as JsonValue
}

function definedToJson(description: Interface, definition: TypeDefinition, value: unknown): JsonValue {
  if ('record' in definition) {
    const fields = value as Readonly<Record<string, unknown>>
    return Object.fromEntries(
      definition.record.map(([name, type]) => [name, toJsonValue(description, type, fields[name])]),
    )
  }
  if ('variant' in definition) return casesToJson(description, definition.variant, value)
  return value as JsonValue
}

function casesOfResult([ok, err]: readonly [TypeExpression | null, TypeExpression | null]): readonly VariantCase[] {
  return [
    ['ok', ok],
    ['err', err],
  ]
}

function casesToJson(description: Interface, cases: readonly VariantCase[], value: unknown): JsonValue {
  const { tag, value: content } = value as { readonly tag: string; readonly value?: unknown }
  const type = cases.find(([name]) => name === tag)?.[1] ?? null
  return type === null ? { tag } : { tag, value: toJsonValue(description, type, content) }
}

interface JsonReader {
  readonly description: Interface
  depth: number
  readonly path: PathSegment[]
}

/**
 * The arguments of `entry` in a JSON array (by position) or object (by name), ready for `encodeCall`. Rejects
 * `argument-count`, `argument-type` and `argument-range` with the path of the value; the rest `encodeCall` rejects.
 */
export function argumentsOfJson(description: Interface, entry: Entry, json: unknown): unknown[] {
  const { params, name } = entry
  if (Array.isArray(json)) {
    if (json.length > params.length)
      throw new OnusError('argument-count', `${name} takes ${params.length} arguments, got ${json.length}`)
    return params.map(([field, type], index) => fromJsonValue(description, type, json[index], field))
  }
  if (typeof json !== 'object' || json === null)
    throw new OnusError('argument-type', `expected the arguments of ${name} as a JSON array or object`)
  for (const key of Object.keys(json))
    if (!params.some(([field]) => field === key))
      throw new OnusError('argument-type', `${name} has no parameter ${key.slice(0, 80)}`)
  const named = json as Readonly<Record<string, unknown>>
  return params.map(([field, type]) =>
    fromJsonValue(description, type, Object.hasOwn(named, field) ? named[field] : undefined, field),
  )
}

/**
 * The value that `encodeValue` takes, from its JSON form; `name` begins the path in errors. Only what differs between
 * the two forms is read here (`argument-type`, `argument-range`); every other check is `encodeValue`'s.
 */
export function fromJsonValue(description: Interface, type: TypeExpression, json: unknown, name: string): unknown {
  return read({ description, depth: 0, path: [name] }, type, json)
}

function refusal(reader: JsonReader, expected: string, code = 'argument-type'): OnusError {
  return new OnusError(code, `expected ${expected}`, { path: pathText(reader.path) })
}

function inside(reader: JsonReader, segment: PathSegment, type: TypeExpression, json: unknown): unknown {
  reader.path.push(segment)
  const value = read(reader, type, json)
  reader.path.pop()
  return value
}

function read(reader: JsonReader, type: TypeExpression, json: unknown): unknown {
  if (typeof type === 'string') return readNamed(reader, type, json)
  if ('option' in type) return json === null || json === undefined ? null : read(reader, type.option, json)
  if ('result' in type) return readCases(reader, casesOfResult(type.result), membersOf(reader, json))
  if (!Array.isArray(json))
    throw refusal(reader, 'list' in type ? 'a JSON array' : 'a JSON array of [key, value] pairs')
  if ('list' in type) return json.map((item, index) => inside(reader, index, type.list, item))
  return readMap(reader, type.map[0], type.map[1], json)
}

function readMap(
  reader: JsonReader,
  keyType: TypeExpression,
  valueType: TypeExpression,
  json: readonly unknown[],
): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>()
  for (const [index, pair] of json.entries()) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      reader.path.push(index)
      throw refusal(reader, 'a [key, value] pair')
    }
    const key = inside(reader, index, keyType, pair[0])
    if (map.has(key)) throw refusal(reader, `each key once, got ${String(key).slice(0, 40)} twice`, 'argument-range')
    map.set(key, inside(reader, { key }, valueType, pair[1]))
  }
  return map
}

function readNamed(reader: JsonReader, type: string, json: unknown): unknown {
  if (isPrimitiveType(type)) return readPrimitive(reader, type, json)
  const definition = definitionOf(reader.description, type)
  if (definition === undefined) throw new OnusError('interface-type', `unknown type ${type}`)
  // Else JSON of a type that contains itself would be followed as deep as it goes.
  if (reader.depth >= maximumValueDepth)
    throw refusal(reader, `at most ${maximumValueDepth} records and variants inside each other`, 'argument-range')
  reader.depth += 1
  const value = readDefined(reader, definition, json)
  reader.depth -= 1
  return value
}

function readPrimitive(reader: JsonReader, type: string, json: unknown): unknown {
  if (integerTypes.get(type)?.big === true) return readBigInteger(reader, json)
  if (type === 'bytes') return readHex(reader, json)
  if (type === 'f32' || type === 'f64') {
    if (json === 'Infinity' || json === '-Infinity' || json === '-0') return Number(json)
  }
  return json
}

/** Decimal digits; 2^256 has 78. A JSON number is taken where it is exact. */
function readBigInteger(reader: JsonReader, json: unknown): bigint {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return BigInt(json)
  if (typeof json === 'string' && /^(0|-?[1-9][0-9]{0,77})$/.test(json)) return BigInt(json)
  throw refusal(reader, 'an integer as a decimal string')
}

function readHex(reader: JsonReader, json: unknown): Uint8Array {
  if (typeof json !== 'string' || json.length % 2 !== 0 || !/^0x[0-9a-fA-F]*$/.test(json))
    throw refusal(reader, 'bytes as 0x-hexadecimal')
  return fromHex(json)
}

function membersOf(reader: JsonReader, json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw refusal(reader, 'a JSON object')
  return json as Readonly<Record<string, unknown>>
}

function readDefined(reader: JsonReader, definition: TypeDefinition, json: unknown): unknown {
  if ('enum' in definition || 'flags' in definition) return json
  const members = membersOf(reader, json)
  if ('variant' in definition) return readCases(reader, definition.variant, members)
  const known = new Map(definition.record)
  return Object.fromEntries(
    // What the record does not have stays as it is: the encoder refuses it by its name.
    Object.entries(members).map(([name, value]) => {
      const type = known.get(name)
      return [name, type === undefined ? value : inside(reader, name, type, value)]
    }),
  )
}

function readCases(
  reader: JsonReader,
  cases: readonly VariantCase[],
  members: Readonly<Record<string, unknown>>,
): unknown {
  const { tag, value, ...others } = members
  if (Object.keys(others).length > 0) throw refusal(reader, 'an object of tag and value')
  const chosen = cases.find(([name]) => name === tag)
  // A tag that is none of the cases stays as it is: the encoder refuses it and names them.
  if (chosen === undefined) return { tag }
  const [name, type] = chosen
  if (type !== null) return { tag: name, value: inside(reader, name, type, value) }
  if (value !== undefined) throw refusal(reader, `no value beside tag ${name}`)
  return { tag: name }
}
