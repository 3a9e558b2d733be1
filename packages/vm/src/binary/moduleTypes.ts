/** A decoded WebAssembly module as plain data. Bodies and constant expressions stay bytes (with their final `end`). */

export const ValueType = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const

export const ExternalKind = { function: 0, table: 1, memory: 2, global: 3 } as const

/** Parameters and results as value type bytes. */
export interface FunctionType {
  readonly parameters: readonly number[]
  readonly results: readonly number[]
}

/** flags bit 0: maximum present, bit 1: shared. maximum is -1 when absent. */
export interface Limits {
  readonly flags: number
  readonly minimum: number
  readonly maximum: number
}

export type ImportDescriptor =
  | { readonly kind: 0; readonly typeIndex: number }
  | { readonly kind: 1; readonly valueType: number; readonly limits: Limits }
  | { readonly kind: 2; readonly limits: Limits }
  | { readonly kind: 3; readonly valueType: number; readonly mutable: number }

export interface ImportEntry {
  readonly module: Uint8Array
  readonly name: Uint8Array
  readonly descriptor: ImportDescriptor
}

export interface TableEntry {
  readonly valueType: number
  readonly limits: Limits
}

export interface GlobalEntry {
  readonly valueType: number
  readonly mutable: number
  readonly initial: Uint8Array
}

export interface ExportEntry {
  readonly name: Uint8Array
  readonly kind: number
  readonly index: number
}

/** Flags as in the binary format: bit 0 passive or declarative, bit 1 explicit index or declarative, bit 2 expressions. */
export interface ElementSegment {
  readonly flags: number
  readonly table: number
  readonly offset: Uint8Array | null
  /** Element kind or reference type byte, -1 when the form has none. */
  readonly elementType: number
  readonly functions: readonly number[] | null
  readonly expressions: readonly Uint8Array[] | null
}

export interface DataSegment {
  readonly flags: number
  readonly memory: number
  readonly offset: Uint8Array | null
  readonly bytes: Uint8Array
}

export interface LocalRun {
  readonly count: number
  readonly valueType: number
}

export interface FunctionBody {
  readonly locals: readonly LocalRun[]
  /** Instructions up to and including the last `end`. */
  readonly code: Uint8Array
}

export interface CustomSection {
  /** Rank of the section it follows, see `sectionRank`. */
  readonly after: number
  readonly name: Uint8Array
  readonly bytes: Uint8Array
}

export interface Module {
  readonly types: FunctionType[]
  readonly imports: ImportEntry[]
  /** Type index of each defined function. */
  readonly functions: number[]
  readonly tables: TableEntry[]
  readonly memories: Limits[]
  readonly globals: GlobalEntry[]
  readonly exports: ExportEntry[]
  /** Function index, or -1. */
  readonly start: number
  readonly elements: ElementSegment[]
  /** -1 when the section is absent. */
  readonly dataCount: number
  readonly bodies: FunctionBody[]
  readonly data: DataSegment[]
  readonly customs: CustomSection[]
  /** Ids of the sections that were there, so that empty ones survive a round trip. */
  readonly sections: ReadonlySet<number>
}

export const SectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const

/** Position of each section id in the file: data count (12) stands before code (10). */
export const sectionRank: readonly number[] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11]

export function isFunctionImport(
  entry: ImportEntry,
): entry is ImportEntry & { descriptor: { kind: 0; typeIndex: number } } {
  return entry.descriptor.kind === ExternalKind.function
}

/** Type index of every function, imported ones first: the function index space. */
export function functionTypeIndices(module: Module): number[] {
  const indices: number[] = []
  for (const entry of module.imports) if (isFunctionImport(entry)) indices.push(entry.descriptor.typeIndex)
  return indices.concat(module.functions)
}

export function importedFunctionCount(module: Module): number {
  return module.imports.filter(isFunctionImport).length
}

/** Declared locals of a body, parameters not counted. */
export function declaredLocals(body: FunctionBody): number {
  let count = 0
  for (const run of body.locals) count += run.count
  return count
}
