/** Test vectors of the interface (`spec/vectors/interface*.json`) as typed values. */
import { readFileSync } from 'node:fs'
import { fromHex } from '@onus/protocol/bytes'
import { definitionOf, type Interface, type TypeExpression } from '@onus/protocol/interface/description'
import { integerTypes } from '@onus/protocol/interface/integers'

interface VectorFile {
  readonly description: Interface
  readonly signatures: readonly { readonly entry: string; readonly signature: string; readonly selector: string }[]
  readonly eventSignatures: readonly { readonly event: string; readonly signature: string; readonly selector: string }[]
  readonly outputs: readonly {
    readonly entry: string
    readonly value: unknown
    readonly events: readonly { readonly name: string; readonly value: unknown }[]
    readonly output: string
  }[]
  readonly requests: readonly { readonly entry: string; readonly args: readonly unknown[]; readonly request: string }[]
}

interface BadInputFile {
  readonly outputs: readonly {
    readonly name: string
    readonly entry: string
    readonly output: string
    readonly code: string
  }[]
  readonly cases: readonly { readonly name: string; readonly request: string; readonly code: string }[]
}

/** `dist/test/` is four folders below the repository's root. */
function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../../spec/vectors/${name}`, import.meta.url), 'utf8'))
}

export const vectors = read('interface.json') as VectorFile
export const badInput = read('interface-bad-input.json') as BadInputFile

/** A value as the vectors write it: 64 bits and more as decimal text, bytes as hexadecimal, a map as pairs. */
export function vectorValue(description: Interface, type: TypeExpression, json: unknown): unknown {
  const inner = (part: TypeExpression, value: unknown): unknown => vectorValue(description, part, value)
  if (typeof type !== 'string') {
    if ('list' in type) return (json as unknown[]).map((item) => inner(type.list, item))
    if ('option' in type) return json === null ? null : inner(type.option, json)
    if ('result' in type) {
      const { tag, value } = json as { tag: 'ok' | 'err'; value: unknown }
      return { tag, value: inner(type.result[tag === 'ok' ? 0 : 1] ?? 'bool', value) }
    }
    const pairs = json as [unknown, unknown][]
    return new Map(pairs.map(([key, value]) => [inner(type.map[0], key), inner(type.map[1], value)]))
  }
  if (integerTypes.get(type)?.big === true) return BigInt(json as string)
  if (type === 'bytes') return fromHex(json as string)
  const definition = definitionOf(description, type)
  if (definition === undefined || 'enum' in definition || 'flags' in definition) return json
  const object = json as Record<string, unknown>
  if ('record' in definition)
    return Object.fromEntries(definition.record.map(([name, part]) => [name, inner(part, object[name])]))
  const chosen = definition.variant.find(([tag]) => tag === object['tag'])
  return { tag: object['tag'], value: inner(chosen?.[1] ?? 'bool', object['value']) }
}

/** The fields of an event as the vectors write them. */
export function vectorEvent(description: Interface, name: string, json: unknown): Record<string, unknown> {
  const fields = description.events?.find((event) => event.name === name)?.fields ?? []
  const object = json as Record<string, unknown>
  return Object.fromEntries(fields.map(([field, type]) => [field, vectorValue(description, type, object[field])]))
}
