/**
 * What a well-shaped description must also satisfy (`spec/interface.md` 1.3): every type name is known, names are
 * unique, map keys have an order, values are finite, and an element of a list takes at least one byte, so that the
 * length of a list is bounded by the bytes that are there.
 */
import { OnusError } from '../errors.js'
import {
  definitionOf,
  type Entry,
  type Field,
  flagBytes,
  type Interface,
  isPrimitiveType,
  reservedTypeNames,
  type TypeDefinition,
  type TypeExpression,
} from './description.js'

/** Rejects `interface-type` and `interface-name` with the path of the offending type. */
export function checkTypes(description: Interface): void {
  const sizes = new Map<string, number>()
  for (const [name, definition] of Object.entries(description.types)) {
    if (isPrimitiveType(name) || reservedTypeNames.includes(name))
      throw new OnusError('interface-name', `${name} is a word of the vocabulary`, { path: `types.${name}` })
    checkDefinition(description, definition, `types.${name}`, sizes)
    minimumSizeOfName(description, name, [], sizes)
  }
  const entryNames = description.entries.map((entry) => entry.name)
  checkUnique(entryNames, 'entries')
  for (const entry of description.entries) {
    checkFields(description, entry.params, entry.name, sizes)
    if (entry.result !== null) checkType(description, entry.result, `${entry.name} result`, sizes)
    checkLimits(entry)
  }
  const events = description.events ?? []
  checkUnique(
    events.map((event) => event.name),
    'events',
  )
  for (const { name, fields } of events) checkFields(description, fields, name, sizes)
  checkDocs(description)
}

function refusal(path: string, message: string): OnusError {
  return new OnusError('interface-type', message, { path })
}

function checkUnique(names: readonly string[], path: string): void {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) throw new OnusError('interface-name', `the name ${name} stands twice`, { path })
    seen.add(name)
  }
}

function checkFields(description: Interface, fields: readonly Field[], path: string, sizes: Map<string, number>): void {
  checkUnique(
    fields.map(([name]) => name),
    path,
  )
  for (const [name, type] of fields) checkType(description, type, `${path}.${name}`, sizes)
}

/** Limits stand in the order of the parameters, so that a description has one text, and on types that have a length. */
function checkLimits(entry: Entry): void {
  let position = -1
  for (const [name] of entry.limits ?? []) {
    const path = `${entry.name}.${name}`
    const index = entry.params.findIndex(([param]) => param === name)
    if (index < 0) throw refusal(path, 'a limit of a parameter that is not there')
    if (index <= position) throw refusal(path, 'limits stand in the order of the parameters, one for each at most')
    position = index
    const type = (entry.params[index] as Field)[1]
    if (!hasLength(typeof type !== 'string' && 'option' in type ? type.option : type))
      throw refusal(path, 'only a string, bytes, a list or a map, or an option of them, has a limit')
  }
}

function hasLength(type: TypeExpression): boolean {
  return typeof type === 'string' ? type === 'string' || type === 'bytes' : 'list' in type || 'map' in type
}

function checkDocs(description: Interface): void {
  const known = new Set<string>()
  for (const [name, definition] of Object.entries(description.types)) {
    known.add(name)
    const parts = 'record' in definition ? definition.record.map(([field]) => field) : namesOf(definition)
    for (const part of parts) known.add(`${name}.${part}`)
  }
  for (const { name, params } of description.entries) for (const [param] of params) known.add(`${name}(${param})`)
  for (const path of Object.keys(description.docs ?? {}))
    if (!known.has(path)) throw new OnusError('interface-name', `docs of ${path.slice(0, 140)}, which is not there`)
}

function checkDefinition(
  description: Interface,
  definition: TypeDefinition,
  path: string,
  sizes: Map<string, number>,
): void {
  if ('record' in definition) {
    checkFields(description, definition.record, path, sizes)
    return
  }
  const names = namesOf(definition)
  if (names.length === 0) throw refusal(path, 'expected at least one case')
  checkUnique(names, path)
  if ('variant' in definition)
    for (const [name, type] of definition.variant)
      if (type !== null) checkType(description, type, `${path}.${name}`, sizes)
}

function namesOf(definition: Exclude<TypeDefinition, { record: unknown }>): readonly string[] {
  if ('enum' in definition) return definition.enum
  if ('flags' in definition) return definition.flags
  return definition.variant.map(([name]) => name)
}

function checkType(description: Interface, type: TypeExpression, path: string, sizes: Map<string, number>): void {
  if (typeof type === 'string') {
    if (!isPrimitiveType(type) && definitionOf(description, type) === undefined)
      throw refusal(path, `unknown type ${type}`)
  } else if ('option' in type) {
    if (typeof type.option !== 'string' && 'option' in type.option)
      throw refusal(path, 'an option directly in an option has no value in the guest languages')
    checkType(description, type.option, path, sizes)
  } else if ('list' in type) {
    checkType(description, type.list, path, sizes)
    if (minimumSize(description, type.list, [], sizes) === 0)
      throw refusal(path, 'an element of a list must take at least one byte')
  } else if ('result' in type) {
    for (const part of type.result) if (part !== null) checkType(description, part, path, sizes)
  } else {
    const [key, value] = type.map
    checkType(description, key, path, sizes)
    if (!isKeyType(description, key)) throw refusal(path, 'a map key is an integer, bool, string, address or enum')
    checkType(description, value, path, sizes)
  }
}

/** Types with an order of values that all guest languages share. */
function isKeyType(description: Interface, type: TypeExpression): boolean {
  if (typeof type !== 'string') return false
  if (isPrimitiveType(type)) return type !== 'f32' && type !== 'f64' && type !== 'bytes'
  const definition = definitionOf(description, type)
  return definition !== undefined && 'enum' in definition
}

const primitiveSizes: ReadonlyMap<string, number> = new Map([
  ['bool', 1],
  ['u8', 1],
  ['i8', 1],
  ['u16', 2],
  ['i16', 2],
  ['u64', 8],
  ['i64', 8],
  ['f64', 8],
  ['u128', 16],
  ['i128', 16],
  ['u256', 32],
  ['i256', 32],
  ['address', 20],
])

/** Least bytes of a value; 4 stands for u32, i32, f32 and every length prefix. `within` are the names being sized. */
function minimumSize(
  description: Interface,
  type: TypeExpression,
  within: readonly string[],
  sizes: Map<string, number>,
): number {
  if (typeof type !== 'string') return 'option' in type || 'result' in type ? 1 : 4
  if (isPrimitiveType(type)) return primitiveSizes.get(type) ?? 4
  return minimumSizeOfName(description, type, within, sizes)
}

function minimumSizeOfName(
  description: Interface,
  name: string,
  within: readonly string[],
  sizes: Map<string, number>,
): number {
  const known = sizes.get(name)
  if (known !== undefined) return known
  if (within.includes(name))
    throw refusal(
      `types.${name}`,
      `contains itself (${[...within, name].join(' in ')}); use a list or an option between`,
    )
  const definition = definitionOf(description, name)
  if (definition === undefined) throw refusal(`types.${within[0] ?? name}`, `unknown type ${name}`)
  const inner = [...within, name]
  let size = 0
  if ('enum' in definition) size = 1
  else if ('flags' in definition) size = flagBytes(definition.flags.length)
  else if ('record' in definition)
    for (const [, type] of definition.record) size += minimumSize(description, type, inner, sizes)
  else {
    const contents = definition.variant.map(([, type]) =>
      type === null ? 0 : minimumSize(description, type, inner, sizes),
    )
    size = 1 + Math.min(...contents)
  }
  sizes.set(name, size)
  return size
}
