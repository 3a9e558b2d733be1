/**
 * What a well-shaped description must also satisfy (`spec/interface.md` 1.3): every type name is known, names are
 * unique, map keys have an order, values are finite, and an element of a list takes at least one byte, so that the
 * length of a list is bounded by the bytes that are there.
 */
import { OnusError } from '../errors.js'
import {
  definitionOf,
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
    checkUnique(
      entry.params.map(([name]) => name),
      entry.name,
    )
    for (const [name, type] of entry.params) checkType(description, type, `${entry.name}(${name})`, sizes)
    if (entry.result !== null) checkType(description, entry.result, `${entry.name} result`, sizes)
  }
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

function checkDefinition(
  description: Interface,
  definition: TypeDefinition,
  path: string,
  sizes: Map<string, number>,
): void {
  if ('record' in definition) {
    checkUnique(
      definition.record.map(([name]) => name),
      path,
    )
    for (const [name, type] of definition.record) checkType(description, type, `${path}.${name}`, sizes)
    return
  }
  const names = 'enum' in definition ? definition.enum : definition.variant.map(([name]) => name)
  if (names.length === 0) throw refusal(path, 'expected at least one case')
  checkUnique(names, path)
  if ('variant' in definition)
    for (const [name, type] of definition.variant)
      if (type !== null) checkType(description, type, `${path}.${name}`, sizes)
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
  } else {
    const [key, value] = type.map
    checkType(description, key, path, sizes)
    if (!isKeyType(description, key)) throw refusal(path, 'a map key is an integer, bool, string or enum')
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
])

/** Least bytes of a value; 4 stands for u32, i32, f32 and every length prefix. `within` are the names being sized. */
function minimumSize(
  description: Interface,
  type: TypeExpression,
  within: readonly string[],
  sizes: Map<string, number>,
): number {
  if (typeof type !== 'string') return 'option' in type ? 1 : 4
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
