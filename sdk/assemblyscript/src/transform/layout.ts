/**
 * What the memory of a compiled backend means: classes with their fields, and variables. `onus dev` decides by it whether
 * a new build may go on with the memory of the one before (`docs/adr/0008-state-over-reload.md`).
 */
import { elementKind } from './nodes.js'

export interface StateLayout {
  readonly classes: readonly ClassLayout[]
  readonly variables: readonly VariableLayout[]
}

export interface ClassLayout {
  /** Id in the header of each of its objects. */
  readonly id: number
  /** As the compiler calls it, such as `assembly/notes/Note` or `~lib/array/Array<assembly/notes/Note>`. */
  readonly name: string
  readonly fields: readonly FieldLayout[]
}

export interface FieldLayout {
  readonly name: string
  /** Bytes from the object's start. */
  readonly offset: number
  readonly type: string
}

export interface VariableLayout {
  /** The name of its WebAssembly global, such as `assembly/notes/count`. */
  readonly name: string
  readonly type: string
}

/** The part used here of the compiler's `Program` (assemblyscript 0.28.20). */
export interface CompiledProgram {
  readonly managedClasses: ReadonlyMap<number, CompiledClass>
  readonly elementsByName: ReadonlyMap<string, CompiledElement>
}

interface CompiledClass {
  readonly internalName: string
  readonly members: ReadonlyMap<string, CompiledElement> | null
}

interface CompiledElement {
  readonly kind: number
  readonly type?: { toString(): string }
  /** Of a field. */
  readonly instance?: {
    readonly isField: boolean
    readonly memoryOffset: number
    readonly type: { toString(): string }
  } | null
}

/** The layout of a program that was compiled: classes by id, variables by name, whether they are in the module or not. */
export function stateLayout(program: CompiledProgram): StateLayout {
  const classes = [...program.managedClasses].map(([id, described]) => ({
    id,
    name: described.internalName,
    fields: fieldsOf(described),
  }))
  const variables = [...program.elementsByName].flatMap(([name, { kind, type }]): VariableLayout[] =>
    kind === elementKind('Global') && type !== undefined ? [{ name, type: String(type) }] : [],
  )
  return {
    classes: classes.sort((a, b) => a.id - b.id),
    variables: variables.sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

/** Own and inherited fields in the order of their place. */
function fieldsOf({ members }: CompiledClass): FieldLayout[] {
  const fields = [...(members ?? [])].flatMap(([name, { kind, instance }]): FieldLayout[] =>
    kind === elementKind('PropertyPrototype') && instance?.isField === true
      ? [{ name, offset: instance.memoryOffset, type: String(instance.type) }]
      : [],
  )
  return fields.sort((a, b) => a.offset - b.offset)
}
