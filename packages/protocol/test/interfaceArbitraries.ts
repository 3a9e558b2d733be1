/** Random interface types and values for properties. */
import { toHex } from '@onus/protocol/bytes'
import {
  definitionOf,
  type Interface,
  type TypeDefinition,
  type TypeExpression,
} from '@onus/protocol/interface/description'
import { integerTypes } from '@onus/protocol/interface/integers'
import * as fc from 'fast-check'

const text = fc.string({ unit: 'binary', maxLength: 12 })

/** Values of `type` as the decoder makes them; records inside themselves end after a few levels. */
export function valueArbitrary(description: Interface, type: TypeExpression, depth = 0): fc.Arbitrary<unknown> {
  const inner = (part: TypeExpression): fc.Arbitrary<unknown> => valueArbitrary(description, part, depth + 1)
  const maxLength = depth > 3 ? 0 : 5
  if (typeof type !== 'string') {
    if ('option' in type) return depth > 5 ? fc.constant(null) : fc.option(inner(type.option), { nil: null })
    if ('list' in type) return maxLength === 0 ? fc.constant([]) : fc.array(inner(type.list), { maxLength })
    if ('result' in type) {
      const [ok, err] = type.result
      return fc.oneof(caseArbitrary('ok', ok, inner), caseArbitrary('err', err, inner))
    }
    const [key, value] = type.map
    return fc
      .uniqueArray(fc.tuple(inner(key), inner(value)), { maxLength, selector: ([chosen]) => chosen })
      .map((pairs) => new Map(pairs))
  }
  const definition = definitionOf(description, type)
  return definition === undefined ? primitiveArbitrary(type) : definedArbitrary(definition, inner)
}

function primitiveArbitrary(type: string): fc.Arbitrary<unknown> {
  const integer = integerTypes.get(type)
  if (integer !== undefined) {
    const { minimum, maximum, big } = integer
    const any = fc.bigInt({ min: minimum, max: maximum })
    const edges = fc.constantFrom(minimum, maximum, 0n, 1n)
    return fc.oneof(any, edges).map((value) => (big ? value : Number(value)))
  }
  if (type === 'bool') return fc.boolean()
  if (type === 'f32') return fc.float({ noNaN: true })
  if (type === 'f64') return fc.double({ noNaN: true })
  if (type === 'string') return text
  if (type === 'address') return fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => `0x${toHex(bytes)}`)
  return fc.uint8Array({ maxLength: 12 })
}

function definedArbitrary(
  definition: TypeDefinition,
  inner: (type: TypeExpression) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  if ('enum' in definition) return fc.constantFrom(...definition.enum)
  if ('record' in definition)
    return fc.record(Object.fromEntries(definition.record.map(([name, type]) => [name, inner(type)])), {
      noNullPrototype: true,
    })
  if ('flags' in definition)
    return fc.record(Object.fromEntries(definition.flags.map((name) => [name, fc.boolean()])), {
      noNullPrototype: true,
    })
  return fc.oneof(...definition.variant.map(([tag, type]) => caseArbitrary(tag, type, inner)))
}

function caseArbitrary(
  tag: string,
  type: TypeExpression | null,
  inner: (type: TypeExpression) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  if (type === null) return fc.constant({ tag })
  return fc.record({ tag: fc.constant(tag), value: inner(type) }, { noNullPrototype: true })
}

const keyTypes = [
  'bool',
  'u8',
  'i16',
  'u32',
  'i32',
  'u64',
  'i64',
  'u128',
  'i128',
  'u256',
  'i256',
  'address',
  'string',
  'Color',
]

/** Type expressions over the definitions of `arbitraryTypes`. */
export const typeArbitrary: fc.Arbitrary<TypeExpression> = fc.letrec<{ type: TypeExpression }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      'bool',
      'u8',
      'i8',
      'u16',
      'i16',
      'u32',
      'i32',
      'u64',
      'i64',
      'u128',
      'i128',
      'u256',
      'i256',
      'address',
      'f32',
      'f64',
      'string',
      'bytes',
      'Color',
      'Node',
      'Shape',
      'Rights',
      'Bits',
    ),
    tie('type').map((list): TypeExpression => ({ list })),
    tie('type').map((type): TypeExpression => (typeof type === 'object' && 'option' in type ? type : { option: type })),
    fc
      .tuple(fc.option(tie('type'), { nil: null }), fc.option(tie('type'), { nil: null }))
      .map((result): TypeExpression => ({ result })),
    fc.tuple(fc.constantFrom(...keyTypes), tie('type')).map((map): TypeExpression => ({ map })),
  ),
})).type

/** Flags, an enum, a record inside itself and a variant with and without content. */
export const arbitraryTypes: Interface['types'] = {
  Rights: { flags: ['read', 'write', 'own'] },
  Bits: { flags: Array.from({ length: 17 }, (_, index) => `bit${index}`) },
  Color: { enum: ['red', 'green', 'blue'] },
  Node: {
    record: [
      ['name', 'string'],
      ['parent', { option: 'Node' }],
      ['children', { list: 'Node' }],
      ['color', 'Color'],
    ],
  },
  Shape: {
    variant: [
      ['circle', 'f64'],
      ['group', { list: 'Shape' }],
      ['none', null],
    ],
  },
}
