/**
 * The interface description of a backend: what it can be asked and with which types (`spec/interface.md` 1).
 * It is derived by an SDK from the backend's source, stands in the module's custom section `onus:interface` and is
 * repeated in the generated TypeScript file `as const`, from which `types.ts` infers all types of a client.
 * This module holds the shape and the limits; `parseInterface.ts` reads untrusted bytes.
 */

/** Name of the module's custom section that holds the description. */
export const interfaceSectionName = 'onus:interface'

/** Types that are one word: booleans, integers little-endian, IEEE 754 floats, UTF-8 text, bytes, Ethereum addresses. */
export const primitiveTypes = [
  'bool',
  'u8',
  'u16',
  'u32',
  'u64',
  'u128',
  'u256',
  'i8',
  'i16',
  'i32',
  'i64',
  'i128',
  'i256',
  'f32',
  'f64',
  'string',
  'bytes',
  'address',
] as const

export type PrimitiveType = (typeof primitiveTypes)[number]

/** Words of the vocabulary, of today or of a later version, that no definition may take. */
export const reservedTypeNames: readonly string[] = [
  'void',
  'char',
  'list',
  'option',
  'map',
  'tuple',
  'result',
  'record',
  'enum',
  'variant',
  'flags',
]

/** A primitive type, the name of a definition, or a type made of others. An option directly in an option is refused. */
export type TypeExpression =
  | string
  | { readonly list: TypeExpression }
  | { readonly option: TypeExpression }
  | { readonly map: readonly [key: TypeExpression, value: TypeExpression] }
  | { readonly result: readonly [ok: TypeExpression | null, err: TypeExpression | null] }

export type Field = readonly [name: string, type: TypeExpression]

/** A case of a variant; `null` is a case without content. */
export type VariantCase = readonly [name: string, type: TypeExpression | null]

export type TypeDefinition =
  | { readonly record: readonly Field[] }
  | { readonly enum: readonly string[] }
  | { readonly variant: readonly VariantCase[] }
  | { readonly flags: readonly string[] }

/** At most so many bytes of a string or bytes, elements of a list or map: of a parameter, or of the option it is. */
export type ParameterLimit = readonly [parameter: string, most: number]

/** `entry` may change the state and is a transaction; a `query` changes nothing and is answered by one node. */
export type EntryKind = 'entry' | 'query'

export interface Entry {
  readonly name: string
  readonly kind: EntryKind
  readonly doc?: string
  readonly params: readonly Field[]
  /** `null`: the entry returns nothing. */
  readonly result: TypeExpression | null
  /** In the order of the parameters; absent if there are none. */
  readonly limits?: readonly ParameterLimit[]
  /** Gas limit that a client gives when its user gives none. */
  readonly gas?: number
}

/** What an entry may emit beside its result. */
export interface EventDefinition {
  readonly name: string
  readonly doc?: string
  readonly fields: readonly Field[]
}

export interface Interface {
  readonly version: 1
  readonly types: { readonly [name: string]: TypeDefinition }
  readonly entries: readonly Entry[]
  /** Absent if there are none. */
  readonly events?: readonly EventDefinition[]
  /** Texts by path: `Type`, `Type.field` (or case) and `entry(parameter)`; absent if there are none. */
  readonly docs?: { readonly [path: string]: string }
}

/** Bounds of a description; a reader of untrusted bytes refuses what is beyond them. */
export const interfaceLimits = {
  /** Bytes of the description. */
  bytes: 262_144,
  types: 1_024,
  entries: 1_024,
  /** Fields of a record, parameters of an entry. */
  fields: 256,
  /** Cases of an enum or variant: their index is one byte. */
  cases: 256,
  flags: 64,
  events: 1_024,
  nameLength: 64,
  docLength: 4_096,
  /** Bytes or elements in a limit of a parameter: any length fits. */
  parameterLimit: 4_294_967_295,
  /** Gas, the machine's highest limit. */
  gas: 70_368_744_177_664,
  /** Nesting of list, option, map and result inside one type expression. */
  typeDepth: 16,
  /** Characters of an expanded signature. */
  signatureLength: 16_384,
} as const

/** Records and variants inside each other in one value; deeper values are refused by encoder, decoder and guest. */
export const maximumValueDepth = 64

/** The definition called `name`, if the description has it as its own. */
export function definitionOf(description: Interface, name: string): TypeDefinition | undefined {
  return Object.hasOwn(description.types, name) ? description.types[name] : undefined
}

const primitiveNames: ReadonlySet<string> = new Set(primitiveTypes)

export function isPrimitiveType(name: string): name is PrimitiveType {
  return primitiveNames.has(name)
}

/** Bytes of a value of `count` flags. */
export function flagBytes(count: number): number {
  return Math.ceil(count / 8)
}
