/**
 * What a module's memory means, as the SDK's compiler tells it, and whether the memory of one module may become that of
 * another (`docs/adr/0008-state-over-reload.md`). For development only: a deployed backend keeps its code.
 */

export interface FieldLayout {
  readonly name: string
  /** Bytes from the object's start. */
  readonly offset: number
  readonly type: string
}

export interface ClassLayout {
  /** Id in the header of each of its objects. */
  readonly id: number
  readonly name: string
  readonly fields: readonly FieldLayout[]
}

export interface VariableLayout {
  /** Such as `src/backend/notes`, the name of its WebAssembly global. */
  readonly name: string
  readonly type: string
}

export interface StateLayout {
  readonly classes: readonly ClassLayout[]
  readonly variables: readonly VariableLayout[]
}

/** Ids of objects of the old module that have another id in the new one, by the old id. */
export type ClassIds = ReadonlyMap<number, number>

export type Compared =
  | { readonly kind: 'fits'; readonly ids: ClassIds }
  | { readonly kind: 'differs'; readonly reasons: readonly string[] }

/** `src/backend/Note` is `Note` for people, `~lib/array/Array<src/backend/Note>` is `Array<Note>`. */
export function shortName(name: string): string {
  return name.replaceAll(/(?:~lib\/)?(?:[\w@.-]+\/)+(?=\w)/g, '')
}

function fieldReasons(before: ClassLayout, after: ClassLayout): string[] {
  const name = shortName(before.name)
  const known = new Map(after.fields.map((field) => [field.name, field]))
  const reasons: string[] = []
  for (const field of before.fields) {
    const now = known.get(field.name)
    if (now === undefined) reasons.push(`class ${name}: field ${field.name} is gone`)
    else if (now.type !== field.type)
      reasons.push(`class ${name}: field ${field.name} was ${shortName(field.type)} and is ${shortName(now.type)}`)
    else if (now.offset !== field.offset)
      reasons.push(`class ${name}: field ${field.name} moved from byte ${field.offset} to ${now.offset}`)
  }
  const old = new Set(before.fields.map((field) => field.name))
  for (const field of after.fields) if (!old.has(field.name)) reasons.push(`class ${name}: field ${field.name} is new`)
  return reasons
}

/** Compares the classes of which there are objects, `liveIds`, by their names. */
export function compareClasses(
  before: readonly ClassLayout[],
  after: readonly ClassLayout[],
  liveIds: ReadonlySet<number>,
): Compared {
  const known = new Map(after.map((described) => [described.name, described]))
  const ids = new Map<number, number>()
  const reasons: string[] = []
  for (const old of before) {
    if (!liveIds.has(old.id)) continue
    const now = known.get(old.name)
    if (now === undefined) reasons.push(`class ${shortName(old.name)} is gone, and there are objects of it`)
    else {
      reasons.push(...fieldReasons(old, now))
      if (now.id !== old.id) ids.set(old.id, now.id)
    }
  }
  return reasons.length === 0 ? { kind: 'fits', ids } : { kind: 'differs', reasons }
}

/** Those of the variables `held` (names of globals with a value) whose type changed. */
export function variableReasons(before: StateLayout, after: StateLayout, held: ReadonlySet<string>): string[] {
  const known = new Map(after.variables.map((variable) => [variable.name, variable.type]))
  return before.variables.flatMap(({ name, type }) => {
    const now = known.get(name)
    return now === undefined || now === type || !held.has(name)
      ? []
      : [`variable ${shortName(name)} was ${shortName(type)} and is ${shortName(now)}`]
  })
}
