/**
 * TypeScript types of the messages, derived from the tables in `messages.ts`, so that table and type cannot differ.
 * Types only. Integers are `number`: CometBFT's 64-bit fields here are heights, sizes and seconds, and `decode.ts`
 * rejects one outside ±(2^53-1).
 */
import type { messages } from './messages.js'

type Tables = typeof messages
export type MessageName = keyof Tables
export type ScalarKind = 'uint32' | 'uint64' | 'int32' | 'int64' | 'enum' | 'bool' | 'sfixed64' | 'string' | 'bytes'

/** One row of a table; see `messages.ts`. */
export type FieldRow =
  | readonly [number: number, kind: ScalarKind | MessageName]
  | readonly [number: number, kind: ScalarKind | MessageName, rule: 'repeated' | 'required']

type Value<Kind> = Kind extends MessageName
  ? Message<Kind>
  : Kind extends 'bytes'
    ? Uint8Array
    : Kind extends 'string'
      ? string
      : Kind extends 'bool'
        ? boolean
        : number

type FieldValue<Row> = Row extends readonly [number, infer Kind, 'repeated']
  ? readonly Value<Kind>[]
  : Row extends readonly [number, infer Kind, 'required']
    ? Value<Kind>
    : Row extends readonly [number, infer Kind]
      ? Kind extends MessageName
        ? Value<Kind> | undefined
        : Value<Kind>
      : never

/** A decoded message: every field is there, with its default value (or `undefined`: no nested message) if not sent. */
export type Message<Name extends MessageName> = {
  readonly [Field in keyof Tables[Name]]: FieldValue<Tables[Name][Field]>
}

type Init<Kind> = Kind extends MessageName ? MessageInit<Kind> : Value<Kind>

type FieldInit<Row> = Row extends readonly [number, infer Kind, 'repeated']
  ? readonly Init<Kind>[]
  : Row extends readonly [number, infer Kind, ...unknown[]]
    ? Init<Kind>
    : never

type RequiredFields<Table> = {
  [Field in keyof Table]: Table[Field] extends readonly [number, unknown, 'required'] ? Field : never
}[keyof Table]

/** What may be encoded: fields left out have their default value, only 'required' nested messages must be given. */
export type MessageInit<Name extends MessageName> = {
  readonly [Field in Exclude<keyof Tables[Name], RequiredFields<Tables[Name]>>]?:
    | FieldInit<Tables[Name][Field]>
    | undefined
} & {
  readonly [Field in RequiredFields<Tables[Name]>]: FieldInit<Tables[Name][Field]>
}

/** The messages that are one `oneof`. */
export type UnionName = 'Request' | 'Response' | 'SignerMessage'

type UnionKind<Name extends UnionName, Field extends keyof Tables[Name]> = Tables[Name][Field] extends readonly [
  number,
  infer Kind extends MessageName,
]
  ? Kind
  : never

/** A decoded `oneof`: which member, and its message. */
export type Union<Name extends UnionName> = {
  readonly [Field in keyof Tables[Name]]: {
    readonly kind: Field
    readonly value: Message<UnionKind<Name, Field>>
  }
}[keyof Tables[Name]]

/** What may be encoded as member `Field` of the `oneof`. */
export type UnionInit<Name extends UnionName, Field extends keyof Tables[Name]> = MessageInit<UnionKind<Name, Field>>
export type UnionField<Name extends UnionName> = keyof Tables[Name]
