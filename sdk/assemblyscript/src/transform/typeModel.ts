/**
 * Types as the transform sees them: from the syntax of a backend's source to the vocabulary of the interface, keeping
 * what code generation needs (the text of the type in its file, the declaration it comes from).
 * Works on syntax and not on resolved types: enums resolve to i32 and aliases vanish, and errors should name what the
 * author wrote.
 */
import type { Source } from 'assemblyscript'

/** A type at one place of the source. `text` is the AssemblyScript type as it may be written in that file. */
export type Model =
  | { readonly kind: 'number'; readonly type: NumberType }
  | { readonly kind: 'bool' }
  | { readonly kind: 'string' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'address' }
  | { readonly kind: 'wide'; readonly type: WideType }
  | { readonly kind: 'list'; readonly text: string; readonly elementText: string; readonly element: Model }
  | {
      readonly kind: 'map'
      readonly text: string
      readonly keyText: string
      readonly key: Model
      readonly value: Model
    }
  | { readonly kind: 'option'; readonly text: string; readonly contentText: string; readonly content: Model }
  | {
      readonly kind: 'result'
      readonly text: string
      readonly okText: string
      readonly errText: string
      readonly ok: Model
      readonly err: Model
    }
  | { readonly kind: 'named'; readonly named: NamedModel }

export const numberTypes = ['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f32', 'f64'] as const
export type NumberType = (typeof numberTypes)[number]

/** Integers that are classes of the SDK. */
export const wideTypes = ['u128', 'u256', 'i128', 'i256'] as const
export type WideType = (typeof wideTypes)[number]

export interface FieldModel {
  readonly name: string
  readonly model: Model
  readonly readonly: boolean
  /** Empty if there is none. */
  readonly doc: string
}

/** A declared type; `source` is the file that declares it, where its codec is put. */
export interface NamedModel {
  readonly name: string
  readonly source: Source
  /** Empty if there is none. */
  readonly doc: string
  readonly shape: ShapeModel
}

/** `pending` while the declaration is being read, which a type inside itself meets. */
export type ShapeModel =
  | { readonly form: 'pending' }
  | { readonly form: 'record'; readonly base: NamedModel | null; readonly fields: readonly FieldModel[] }
  | { readonly form: 'enum'; readonly cases: readonly string[] }
  | { readonly form: 'flags'; readonly cases: readonly string[] }
  | { readonly form: 'variant'; readonly cases: readonly NamedModel[] }
  | { readonly form: 'alias'; readonly target: Model }

/** The type behind aliases. */
export function unaliased(model: Model): Model {
  let target = model
  while (target.kind === 'named' && target.named.shape.form === 'alias') target = target.named.shape.target
  return target
}
