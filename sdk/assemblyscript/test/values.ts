/** Random values of the types that AssemblyScript has, for properties. */
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
  const cases = definition.variant.map(([tag, part]) =>
    fc.record({ tag: fc.constant(tag), value: inner(part ?? 'bool') }, { noNullPrototype: true }),
  )
  return fc.oneof(...cases)
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
  if (type === 'string') return fc.string({ unit: 'binary', maxLength: 20 })
  return fc.uint8Array({ maxLength: 20 })
}
