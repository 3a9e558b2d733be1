/**
 * Order of map keys (`spec/interface.md` 3.3): the order of the values, not of their encodings. Integers by size,
 * false before true, strings by their UTF-8 bytes (equal to code point order), addresses by their bytes, enum cases by
 * index.
 */
import { definitionOf, type Interface, type TypeExpression } from './description.js'

/** A map key as `decodeValue` makes it. */
export type MapKey = number | bigint | boolean | string

/** Negative, zero or positive. Both keys must be values of `type`. */
export function compareKeys(description: Interface, type: TypeExpression, a: MapKey, b: MapKey): number {
  if (typeof a === 'string' && typeof b === 'string') {
    const definition = typeof type === 'string' ? definitionOf(description, type) : undefined
    if (type === 'address') return compareCodePoints(a.toLowerCase(), b.toLowerCase())
    if (definition !== undefined && 'enum' in definition) return definition.enum.indexOf(a) - definition.enum.indexOf(b)
    return compareCodePoints(a, b)
  }
  return a < b ? -1 : a > b ? 1 : 0
}

/** UTF-16 unit moved so that surrogates, which stand for the highest code points, come last. */
function rank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit
}

/** Order of well-formed strings by code point, which is the order of their UTF-8 bytes. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
