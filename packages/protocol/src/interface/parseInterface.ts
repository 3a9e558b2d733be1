/**
 * Strict reader of interface descriptions from untrusted bytes (`spec/interface.md` 1.2).
 * Accepts exactly the canonical JSON of `formatInterface`, so a description has one byte string. Refuses unknown keys
 * and type names, everything beyond `interfaceLimits`, and types whose values could be infinite or of no size in a list.
 */
import { equalBytes, utf8Bytes, utf8Text } from '../bytes.js'
import { OnusError } from '../errors.js'
import { checkTypes } from './checkTypes.js'
import {
  type Entry,
  type EventDefinition,
  type Field,
  type Interface,
  interfaceLimits,
  type ParameterLimit,
  type TypeDefinition,
  type TypeExpression,
  type VariantCase,
} from './description.js'
import { selectorTable } from './selector.js'

/** The canonical bytes of a description: JSON without spaces, keys in the order of `description.ts`, UTF-8. */
export function formatInterface(description: Interface): Uint8Array {
  const types: Record<string, TypeDefinition> = {}
  for (const [name, definition] of Object.entries(description.types)) types[name] = definition
  const entries = description.entries.map(({ name, kind, doc, params, result, limits, gas }) => ({
    name,
    kind,
    doc,
    params,
    result,
    limits,
    gas,
  }))
  const events = description.events?.map(({ name, doc, fields }) => ({ name, doc, fields }))
  // `JSON.stringify` leaves out what is undefined.
  return utf8Bytes(JSON.stringify({ version: description.version, types, entries, events, docs: description.docs }))
}

/**
 * The description in `bytes`. Rejects `interface-json`, `interface-shape`, `interface-name`, `interface-type`,
 * `interface-size`, `interface-selector` (two entries with one selector) and `interface-canonical`.
 */
export function parseInterface(bytes: Uint8Array): Interface {
  if (bytes.length > interfaceLimits.bytes)
    throw refusal('size', 'interface', `expected at most ${interfaceLimits.bytes} bytes, got ${bytes.length}`)
  const description = readInterface(parseJson(bytes))
  checkTypes(description)
  selectorTable(description)
  if (!equalBytes(formatInterface(description), bytes))
    throw refusal('canonical', 'interface', 'expected the canonical JSON: no spaces, no repeated keys, keys in order')
  return description
}

function refusal(code: string, path: string, message: string): OnusError {
  return new OnusError(`interface-${code}`, message, { path })
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8Text(bytes))
  } catch (cause) {
    throw new OnusError('interface-json', 'expected JSON in UTF-8', { path: 'interface', cause })
  }
}

function readInterface(json: unknown): Interface {
  const object = readObject(json, 'interface', ['version', 'types', 'entries', 'events', 'docs'])
  if (object['version'] !== 1)
    throw refusal('shape', 'version', `expected 1, got ${String(JSON.stringify(object['version'])).slice(0, 40)}`)
  const types: Record<string, TypeDefinition> = {}
  const definitions = readObject(object['types'], 'types')
  const names = Object.keys(definitions)
  if (names.length > interfaceLimits.types)
    throw refusal('size', 'types', `expected at most ${interfaceLimits.types} types, got ${names.length}`)
  for (const name of names) types[readName(name, 'types')] = readDefinition(definitions[name], `types.${name}`)
  const entries = readArray(object['entries'], 'entries', interfaceLimits.entries)
  return {
    version: 1,
    types,
    entries: entries.map((entry, index) => readEntry(entry, `entries[${index}]`)),
    ...(object['events'] === undefined ? {} : { events: readEvents(object['events']) }),
    ...(object['docs'] === undefined ? {} : { docs: readDocs(object['docs']) }),
  }
}

function readObject(json: unknown, path: string, keys?: readonly string[]): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw refusal('shape', path, 'expected an object')
  const object = json as Record<string, unknown>
  if (keys !== undefined)
    for (const key of Object.keys(object))
      if (!keys.includes(key)) throw refusal('shape', path, `expected only ${keys.join(', ')}, got ${shown(key)}`)
  return object
}

function readArray(json: unknown, path: string, limit: number): readonly unknown[] {
  if (!Array.isArray(json)) throw refusal('shape', path, 'expected an array')
  if (json.length > limit) throw refusal('size', path, `expected at most ${limit} items, got ${json.length}`)
  return json
}

function readPair(json: unknown, path: string): readonly [unknown, unknown] {
  if (!Array.isArray(json) || json.length !== 2) throw refusal('shape', path, 'expected an array of two')
  return [json[0], json[1]]
}

/** Two leading underscores are refused: generated code uses them, and `__proto__` would not be an ordinary field. */
function readName(json: unknown, path: string): string {
  if (
    typeof json !== 'string' ||
    !/^(?!__)[A-Za-z_][A-Za-z0-9_]*$/.test(json) ||
    json.length > interfaceLimits.nameLength
  )
    throw refusal('name', path, `expected a name of ASCII letters, digits and underscores, got ${shown(json)}`)
  return json
}

function shown(json: unknown): string {
  return String(JSON.stringify(json)).slice(0, 80)
}

function readEntry(json: unknown, path: string): Entry {
  const object = readObject(json, path, ['name', 'kind', 'doc', 'params', 'result', 'limits', 'gas'])
  const name = readName(object['name'], `${path}.name`)
  // An object with a method `then` is taken for a promise by `await`.
  if (name === 'then') throw refusal('name', `${path}.name`, 'an entry cannot be called then')
  const kind = object['kind']
  if (kind !== 'entry' && kind !== 'query')
    throw refusal('shape', `${path}.kind`, `expected "entry" or "query", got ${shown(kind)}`)
  const { doc, limits, gas } = object
  return {
    name,
    kind,
    ...(doc === undefined ? {} : { doc: readDoc(doc, `${path}.doc`) }),
    params: readFields(object['params'], `${path}.params`),
    result: object['result'] === null ? null : readType(object['result'], `${path}.result`, 0),
    ...(limits === undefined ? {} : { limits: readLimits(limits, `${path}.limits`) }),
    ...(gas === undefined ? {} : { gas: readInteger(gas, `${path}.gas`, 1, interfaceLimits.gas) }),
  }
}

function readEvents(json: unknown): readonly EventDefinition[] {
  const events = readArray(json, 'events', interfaceLimits.events)
  if (events.length === 0) throw refusal('shape', 'events', 'expected at least one event; leave the key out')
  return events.map((event, index): EventDefinition => {
    const path = `events[${index}]`
    const { name, doc, fields } = readObject(event, path, ['name', 'doc', 'fields'])
    return {
      name: readName(name, `${path}.name`),
      ...(doc === undefined ? {} : { doc: readDoc(doc, `${path}.doc`) }),
      fields: readFields(fields, `${path}.fields`),
    }
  })
}

function readDocs(json: unknown): Record<string, string> {
  const docs: Record<string, string> = {}
  const paths = Object.entries(readObject(json, 'docs'))
  if (paths.length === 0) throw refusal('shape', 'docs', 'expected at least one text; leave the key out')
  for (const [path, doc] of paths) docs[path] = readDoc(doc, `docs.${path.slice(0, 140)}`)
  return docs
}

function readDoc(json: unknown, path: string): string {
  if (typeof json !== 'string') throw refusal('shape', path, 'expected a text')
  if (json.length > interfaceLimits.docLength)
    throw refusal('size', path, `expected at most ${interfaceLimits.docLength} characters`)
  return json
}

function readInteger(json: unknown, path: string, least: number, most: number): number {
  if (typeof json !== 'number' || !Number.isInteger(json) || json < least || json > most)
    throw refusal('shape', path, `expected an integer of ${least} to ${most}, got ${shown(json)}`)
  return json
}

function readLimits(json: unknown, path: string): readonly ParameterLimit[] {
  const limits = readArray(json, path, interfaceLimits.fields)
  if (limits.length === 0) throw refusal('shape', path, 'expected at least one limit; leave the key out')
  return limits.map((pair, index): ParameterLimit => {
    const [name, most] = readPair(pair, `${path}[${index}]`)
    return [
      readName(name, `${path}[${index}]`),
      readInteger(most, `${path}[${index}]`, 0, interfaceLimits.parameterLimit),
    ]
  })
}

function readFields(json: unknown, path: string): readonly Field[] {
  return readArray(json, path, interfaceLimits.fields).map((pair, index): Field => {
    const [name, type] = readPair(pair, `${path}[${index}]`)
    return [readName(name, `${path}[${index}]`), readType(type, `${path}[${index}]`, 0)]
  })
}

function readType(json: unknown, path: string, depth: number): TypeExpression {
  if (typeof json === 'string') return readName(json, path)
  if (depth >= interfaceLimits.typeDepth)
    throw refusal('size', path, `expected at most ${interfaceLimits.typeDepth} types inside each other`)
  const object = readObject(json, path, ['list', 'option', 'map', 'result'])
  if (Object.keys(object).length !== 1) throw refusal('shape', path, 'expected one of list, option, map, result')
  if ('list' in object) return { list: readType(object['list'], path, depth + 1) }
  if ('option' in object) return { option: readType(object['option'], path, depth + 1) }
  if ('result' in object) {
    const [ok, err] = readPair(object['result'], path)
    const part = (json: unknown): TypeExpression | null => (json === null ? null : readType(json, path, depth + 1))
    return { result: [part(ok), part(err)] }
  }
  const [key, value] = readPair(object['map'], path)
  return { map: [readType(key, path, depth + 1), readType(value, path, depth + 1)] }
}

function readDefinition(json: unknown, path: string): TypeDefinition {
  const object = readObject(json, path, ['record', 'enum', 'variant', 'flags'])
  if (Object.keys(object).length !== 1) throw refusal('shape', path, 'expected one of record, enum, variant, flags')
  if ('record' in object) return { record: readFields(object['record'], path) }
  const limit = interfaceLimits.cases
  if ('enum' in object) return { enum: readNames(object['enum'], path, limit) }
  if ('flags' in object) return { flags: readNames(object['flags'], path, interfaceLimits.flags) }
  const cases = readArray(object['variant'], path, limit).map((pair, index): VariantCase => {
    const [name, type] = readPair(pair, `${path}[${index}]`)
    return [readName(name, `${path}[${index}]`), type === null ? null : readType(type, `${path}[${index}]`, 0)]
  })
  return { variant: cases }
}

function readNames(json: unknown, path: string, limit: number): readonly string[] {
  return readArray(json, path, limit).map((name, index) => readName(name, `${path}[${index}]`))
}
