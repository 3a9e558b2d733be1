/**
 * JSON Schema (2020-12, as in OpenAPI 3.1) of the JSON form of interface types (`spec/gateway.md` 4): one case for each
 * kind of type. Schemas say what a value looks like; the codec's bounds that JSON Schema has no words for stay the codec's.
 */
import type { Interface, TypeDefinition, TypeExpression, VariantCase } from '@onus/protocol/interface/description'
import { isPrimitiveType } from '@onus/protocol/interface/description'
import { integerTypes } from '@onus/protocol/interface/integers'

export type Schema = { readonly [name: string]: unknown }

export function definitionReference(name: string): Schema {
  return { $ref: `#/components/schemas/type.${name}` }
}

function primitiveSchema(name: string): Schema {
  const integer = integerTypes.get(name)
  if (integer !== undefined && !integer.big)
    return { type: 'integer', minimum: Number(integer.minimum), maximum: Number(integer.maximum) }
  if (integer !== undefined)
    return {
      type: 'string',
      pattern: integer.minimum < 0n ? '^(0|-?[1-9][0-9]*)$' : '^(0|[1-9][0-9]*)$',
      description: `${name}: decimal digits, from ${integer.minimum} to ${integer.maximum}`,
    }
  switch (name) {
    case 'bool':
      return { type: 'boolean' }
    case 'f32':
    case 'f64':
      return { oneOf: [{ type: 'number' }, { enum: ['Infinity', '-Infinity', '-0'] }] }
    case 'bytes':
      return { type: 'string', pattern: '^0x([0-9a-fA-F]{2})*$', description: 'bytes in hexadecimal' }
    case 'address':
      return { type: 'string', pattern: '^0x[0-9a-fA-F]{40}$', description: 'address of 20 bytes' }
    default:
      return { type: 'string' }
  }
}

/** Schema of a value of `type`; definitions by reference. */
export function typeSchema(type: TypeExpression): Schema {
  if (typeof type === 'string') return isPrimitiveType(type) ? primitiveSchema(type) : definitionReference(type)
  if ('option' in type) return { oneOf: [{ type: 'null' }, typeSchema(type.option)] }
  if ('list' in type) return { type: 'array', items: typeSchema(type.list) }
  if ('result' in type)
    return casesSchema([
      ['ok', type.result[0]],
      ['err', type.result[1]],
    ])
  const pair = { type: 'array', prefixItems: type.map.map(typeSchema), items: false, minItems: 2 }
  return { type: 'array', items: pair, description: 'a map: [key, value] pairs, each key once' }
}

function casesSchema(cases: readonly VariantCase[]): Schema {
  return {
    oneOf: cases.map(([tag, type]) => objectSchema(type === null ? [] : [['value', type]], { tag: { const: tag } })),
  }
}

type Fields = readonly (readonly [name: string, type: TypeExpression])[]

/** An object of `fields` and no others; those that are options may be left out. */
export function objectSchema(fields: Fields, more: Readonly<Record<string, Schema>> = {}): Schema {
  const isOption = (type: TypeExpression): boolean => typeof type !== 'string' && 'option' in type
  const required = [...Object.keys(more), ...fields.filter(([, type]) => !isOption(type)).map(([name]) => name)]
  return {
    type: 'object',
    properties: { ...more, ...Object.fromEntries(fields.map(([name, type]) => [name, typeSchema(type)])) },
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  }
}

function definitionSchema(definition: TypeDefinition): Schema {
  if ('record' in definition) return objectSchema(definition.record)
  if ('enum' in definition) return { enum: definition.enum }
  if ('flags' in definition) {
    const flags = Object.fromEntries(definition.flags.map((name) => [name, { type: 'boolean' }]))
    return { type: 'object', properties: flags, additionalProperties: false }
  }
  return casesSchema(definition.variant)
}

/** Schemas of all definitions by the names that `definitionReference` refers to. */
export function definitionSchemas(description: Interface): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(description.types).map(([name, definition]) => {
      const doc = description.docs?.[name]
      return [`type.${name}`, { ...definitionSchema(definition), ...(doc === undefined ? {} : { description: doc }) }]
    }),
  )
}
