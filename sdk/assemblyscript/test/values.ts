/** Random values of the types that AssemblyScript has, for properties. */
import { toHex } from '@onus/protocol/bytes'
import { definitionOf, type Interface, type TypeExpression } from '@onus/protocol/interface/description'
import { integerTypes } from '@onus/protocol/interface/integers'
import * as fc from 'fast-check'

/** Values of `type` as the decoder makes them; records inside themselves end after a few levels. */
export function valueArbitrary(description: Interface, type: TypeExpression, depth = 0): fc.Arbitrary<unknown> {
  const inner = (part: TypeExpression): fc.Arbitrary<unknown> => valueArbitrary(description, part, depth + 1)
  const maxLength = depth > 4 ? 0 : 5
  if (typeof type !== 'string') {
    if ('option' in type) return fc.option(inner(type.option), { nil: null })
    if ('list' in type) return maxLength === 0 ? fc.constant([]) : fc.array(inner(type.list), { maxLength })
    if ('result' in type) {
      const [ok, err] = type.result
      return fc.oneof(taggedArbitrary('ok', inner(ok ?? 'bool')), taggedArbitrary('err', inner(err ?? 'bool')))
    }
    const [key, value] = type.map
    return fc
      .uniqueArray(fc.tuple(inner(key), inner(value)), { maxLength, selector: ([chosen]) => chosen })
      .map((pairs) => new Map(pairs))
  }
  const definition = definitionOf(description, type)
  if (definition === undefined) return primitiveArbitrary(type)
  if ('enum' in definition) return fc.constantFrom(...definition.enum)
  if ('record' in definition)
    return fc.record(Object.fromEntries(definition.record.map(([name, part]) => [name, inner(part)])), {
      noNullPrototype: true,
    })
  if ('flags' in definition)
    return fc.record(Object.fromEntries(definition.flags.map((name) => [name, fc.boolean()])), {
      noNullPrototype: true,
    })
  return fc.oneof(...definition.variant.map(([tag, part]) => taggedArbitrary(tag, inner(part ?? 'bool'))))
}

function taggedArbitrary(tag: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.record({ tag: fc.constant(tag), value }, { noNullPrototype: true })
}

function primitiveArbitrary(type: string): fc.Arbitrary<unknown> {
  const integer = integerTypes.get(type)
  if (integer !== undefined) {
    const { minimum, maximum, big } = integer
    const values = fc.oneof(fc.bigInt({ min: minimum, max: maximum }), fc.constantFrom(minimum, maximum, 0n))
    return values.map((value) => (big ? value : Number(value)))
  }
  if (type === 'bool') return fc.boolean()
  if (type === 'f32') return fc.float({ noNaN: true })
  if (type === 'f64') return fc.double({ noNaN: true })
  if (type === 'address') return fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => `0x${toHex(bytes)}`)
  if (type === 'string') return fc.string({ unit: 'binary', maxLength: 20 })
  return fc.uint8Array({ maxLength: 20 })
}
