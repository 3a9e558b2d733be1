/**
 * TypeScript types inferred from a description `as const` (`spec/interface.md` 4): nothing is generated for an entry
 * beyond the description itself. Integers below 64 bits are `number`, the others `bigint`; an option is `T | null`;
 * a variant or result is `{ tag, value }`, flags are an object of booleans, an address is its text. Arguments are readonly and may leave out fields and trailing parameters that are options.
 */
import type { EntryKind, Field, Interface, TypeExpression, VariantCase } from './description.js'

type Small = 'u8' | 'u16' | 'u32' | 'i8' | 'i16' | 'i32' | 'f32' | 'f64'
type Big = 'u64' | 'i64' | 'u128' | 'i128' | 'u256' | 'i256'

/** `0x` and 40 hexadecimal digits, lower case when decoded. */
export type AddressText = `0x${string}`

type Primitive<T> = T extends 'bool'
  ? boolean
  : T extends Small
    ? number
    : T extends Big
      ? bigint
      : T extends 'string'
        ? string
        : T extends 'bytes'
          ? Uint8Array
          : T extends 'address'
            ? AddressText
            : never

/** Shows a mapped type as a plain object in editors. */
type Shown<T> = { [K in keyof T]: T[K] } & {}

/** The TypeScript type of a value that comes out of the type expression `T` of interface `I`; unknown if `T` is not known. */
export type Value<I extends Interface, T> = [TypeExpression] extends [T]
  ? unknown
  : T extends { readonly list: infer E }
    ? Value<I, E>[]
    : T extends { readonly option: infer E }
      ? Value<I, E> | null
      : T extends { readonly map: readonly [infer K, infer V] }
        ? Map<Value<I, K>, Value<I, V>>
        : T extends { readonly result: readonly [infer O, infer E] }
          ? CaseValue<I, readonly ['ok', O]> | CaseValue<I, readonly ['err', E]>
          : T extends keyof I['types']
            ? DefinedValue<I, I['types'][T]>
            : Primitive<T>

type DefinedValue<I extends Interface, D> = D extends { readonly record: infer F extends readonly Field[] }
  ? Shown<{ [P in F[number] as P[0]]: Value<I, P[1]> }>
  : D extends { readonly enum: readonly (infer N)[] }
    ? N
    : D extends { readonly variant: readonly (infer C)[] }
      ? CaseValue<I, C>
      : D extends { readonly flags: readonly (infer N extends string)[] }
        ? Shown<{ [P in N]: boolean }>
        : never

type CaseValue<I extends Interface, C> = C extends readonly [infer N, infer T]
  ? T extends null
    ? { tag: N }
    : { tag: N; value: Value<I, T> }
  : never

/** The TypeScript type that may be given for the type expression `T` of interface `I`. */
export type Input<I extends Interface, T> = [TypeExpression] extends [T]
  ? unknown
  : T extends { readonly list: infer E }
    ? readonly Input<I, E>[]
    : T extends { readonly option: infer E }
      ? Input<I, E> | null | undefined
      : T extends { readonly map: readonly [infer K, infer V] }
        ? ReadonlyMap<Input<I, K>, Input<I, V>>
        : T extends { readonly result: readonly [infer O, infer E] }
          ? CaseInput<I, readonly ['ok', O]> | CaseInput<I, readonly ['err', E]>
          : T extends keyof I['types']
            ? DefinedInput<I, I['types'][T]>
            : Primitive<T>

type IsOption<T> = T extends { readonly option: unknown } ? true : false

type DefinedInput<I extends Interface, D> = D extends { readonly record: infer F extends readonly Field[] }
  ? Shown<
      { readonly [P in F[number] as IsOption<P[1]> extends true ? never : P[0]]: Input<I, P[1]> } & {
        readonly [P in F[number] as IsOption<P[1]> extends true ? P[0] : never]?: Input<I, P[1]>
      }
    >
  : D extends { readonly enum: readonly (infer N)[] }
    ? N
    : D extends { readonly variant: readonly (infer C extends VariantCase)[] }
      ? CaseInput<I, C>
      : D extends { readonly flags: readonly (infer N extends string)[] }
        ? Shown<{ readonly [P in N]?: boolean | undefined }>
        : never

type CaseInput<I extends Interface, C> = C extends readonly [infer N, infer T]
  ? T extends null
    ? { readonly tag: N }
    : { readonly tag: N; readonly value: Input<I, T> }
  : never

/** Names of the entries of one kind, or of all. */
export type EntryName<I extends Interface, K extends EntryKind = EntryKind> = Extract<
  I['entries'][number],
  { readonly kind: K }
>['name']

/** Whether the entries of `I` are not known to the compiler: a description that is not `as const`. */
type IsUnknown<I extends Interface> = string extends EntryName<I> ? true : false

type EntryNamed<I extends Interface, N> = Extract<I['entries'][number], { readonly name: N }>

type IsOptionField<F> = F extends readonly [string, { readonly option: unknown }] ? true : false

/** Arguments of the fields `P`; `Tail` are those already made, from the end, while only options have been seen. */
type Positional<I extends Interface, P, Tail extends readonly unknown[]> = P extends readonly [
  ...infer Front,
  infer Last,
]
  ? IsOptionField<Last> extends true
    ? Positional<I, Front, [Input<I, TypeOf<Last>>?, ...Tail]>
    : [...Mandatory<I, P>, ...Tail]
  : Tail

type TypeOf<F> = F extends readonly [string, infer T] ? T : never
type Mandatory<I extends Interface, P extends readonly unknown[]> = { -readonly [K in keyof P]: Input<I, TypeOf<P[K]>> }
type AsArray<T> = T extends readonly unknown[] ? T : never

/** Arguments of an entry in order; those at the end that are options may be left out. Unknown for a description not `as const`. */
export type CallArguments<I extends Interface, N> = AsArray<
  IsUnknown<I> extends true ? readonly unknown[] : Positional<I, EntryNamed<I, N>['params'], []>
>

/** Result of an entry: `undefined` if it returns nothing. */
export type CallResult<I extends Interface, N> =
  IsUnknown<I> extends true
    ? unknown
    : EntryNamed<I, N>['result'] extends infer R
      ? R extends null
        ? undefined
        : Value<I, R>
      : never

/** An event that a call of `I` may emit; of a description not `as const`, any. */
export type EmittedEvent<I extends Interface> = I extends { readonly events: readonly (infer E)[] }
  ? E extends { readonly name: infer N extends string; readonly fields: infer F extends readonly Field[] }
    ? { readonly name: N; readonly value: Shown<{ [P in F[number] as P[0]]: Value<I, P[1]> }> }
    : never
  : IsUnknown<I> extends true
    ? { readonly name: string; readonly value: Record<string, unknown> }
    : never

/** What a call of `N` puts out. */
export interface CallOutput<I extends Interface, N> {
  readonly value: CallResult<I, N>
  readonly events: readonly EmittedEvent<I>[]
}

/** The entries of kind `K` as methods with positional arguments. */
type Methods<I extends Interface, K extends EntryKind, Report> = {
  readonly [N in EntryName<I, K>]: (
    ...args: CallArguments<I, N>
  ) => Promise<K extends 'query' ? Answer<CallResult<I, N>, Report> : CallResult<I, N>>
}

/** A verified answer and how it was verified. */
export interface Answer<V, Report> {
  readonly value: V
  readonly report: Report
}

/** A client of `I`: `client.call.add('hello')` resolves to the result, `client.query.list(0, 10)` to value and report. */
export interface Client<I extends Interface, Report = unknown> {
  readonly call: Methods<I, 'entry', Report>
  readonly query: Methods<I, 'query', Report>
}
