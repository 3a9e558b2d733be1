/**
 * The tables of `messages.ts` in the form that decoding and encoding walk: fields by number, wire types, nested layouts
 * resolved. Built once at load; asserts that no message contains itself, so decoding cannot recurse without bound.
 */
import { assert } from '@onus/protocol/errors'
import { messages } from './messages.js'
import type { FieldRow, MessageName, ScalarKind } from './types.js'

export const wireType = { varint: 0, fixed64: 1, lengthDelimited: 2 } as const

export interface Field {
  readonly number: number
  readonly name: string
  readonly kind: ScalarKind | 'message'
  readonly rule: 'single' | 'repeated' | 'required'
  readonly wire: 0 | 1 | 2
  /** Varint of number and wire type. */
  readonly tag: number
  /** Of the nested message. */
  readonly layout: Layout | undefined
}

export interface Layout {
  readonly name: string
  /** In the order of their numbers, as Go writes them. */
  readonly fields: readonly Field[]
  readonly byNumber: readonly (Field | undefined)[]
}

const scalarWire: Record<ScalarKind, 0 | 1 | 2> = {
  uint32: wireType.varint,
  uint64: wireType.varint,
  int32: wireType.varint,
  int64: wireType.varint,
  enum: wireType.varint,
  bool: wireType.varint,
  sfixed64: wireType.fixed64,
  string: wireType.lengthDelimited,
  bytes: wireType.lengthDelimited,
}

const tables: Readonly<Record<string, Readonly<Record<string, FieldRow>>>> = messages
const built = new Map<string, Layout>()

function isScalar(kind: ScalarKind | MessageName): kind is ScalarKind {
  return kind in scalarWire
}

function buildField(name: string, row: FieldRow, within: readonly string[]): Field {
  const [number, kind, rule] = row
  const scalar = isScalar(kind)
  const wire = scalar ? scalarWire[kind] : wireType.lengthDelimited
  return {
    number,
    name,
    kind: scalar ? kind : 'message',
    rule: rule ?? 'single',
    wire,
    tag: number * 8 + wire,
    layout: scalar ? undefined : buildLayout(kind, within),
  }
}

function buildLayout(name: string, within: readonly string[]): Layout {
  const known = built.get(name)
  if (known !== undefined) return known
  assert(!within.includes(name), `message ${name} contains itself`)
  const table = tables[name]
  assert(table !== undefined, `no table of message ${name}`)
  const fields = Object.entries(table).map(([field, row]) => buildField(field, row, [...within, name]))
  fields.sort((a, b) => a.number - b.number)
  const byNumber: (Field | undefined)[] = []
  for (const field of fields) byNumber[field.number] = field
  const layout = { name, fields, byNumber }
  built.set(name, layout)
  return layout
}

for (const name of Object.keys(tables)) buildLayout(name, [])

export function layoutOf(name: MessageName): Layout {
  const layout = built.get(name)
  assert(layout !== undefined, `no layout of message ${name}`)
  return layout
}
