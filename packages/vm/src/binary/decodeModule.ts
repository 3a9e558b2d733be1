/**
 * Reader of the WebAssembly binary format (core specification 5). Strict in structure: order and sizes of sections,
 * counts, integer widths. Types are not checked: `WebAssembly.validate` runs before it (see profile.ts).
 * Rejections: `module-malformed`; `profile-exceptions` and `profile-gc` for forms that it cannot represent.
 */
import { OnusError } from '@onus/protocol/errors'
import { ByteReader, malformed } from './byteReader.js'
import { DecodedCode } from './decodedCode.js'
import {
  type CustomSection,
  type DataSegment,
  type ElementSegment,
  type ExportEntry,
  ExternalKind,
  type FunctionBody,
  type FunctionType,
  type GlobalEntry,
  type ImportDescriptor,
  type ImportEntry,
  type Limits,
  type LocalRun,
  type Module,
  SectionId,
  sectionRank,
  type TableEntry,
} from './moduleTypes.js'

/** V8's own limit; without one, run lengths would let ten bytes announce four billion locals. */
export const maximumLocals = 50_000

const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

interface Parts {
  types: FunctionType[]
  imports: ImportEntry[]
  functions: number[]
  tables: TableEntry[]
  memories: Limits[]
  globals: GlobalEntry[]
  exports: ExportEntry[]
  start: number
  elements: ElementSegment[]
  dataCount: number
  bodies: FunctionBody[]
  data: DataSegment[]
}

export function decodeModule(bytes: Uint8Array): Module {
  const reader = new ByteReader(bytes)
  for (const expected of magicAndVersion)
    if (reader.u8() !== expected) throw malformed('expected the magic number and version 1', reader.position - 1)
  const parts: Parts = {
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: -1,
    elements: [],
    dataCount: -1,
    bodies: [],
    data: [],
  }
  const customs: CustomSection[] = []
  const sections = new Set<number>()
  let last = 0
  while (reader.remaining > 0) {
    const id = reader.u8()
    const size = reader.u32()
    if (size > reader.remaining) throw malformed(`section ${id} of ${size} bytes`, reader.position)
    const section = new ByteReader(bytes, reader.position, reader.position + size)
    if (id === SectionId.custom)
      customs.push({ after: last, name: section.lengthPrefixed(), bytes: section.take(section.remaining) })
    else {
      last = nextRank(id, last, reader.position)
      sections.add(id)
      decodeSection(section, id, parts)
    }
    if (section.remaining !== 0)
      throw malformed(`section ${id} has ${section.remaining} bytes too many`, section.position)
    reader.position += size
  }
  if (parts.bodies.length !== parts.functions.length)
    throw malformed('function and code sections differ', reader.position)
  return { ...parts, customs, sections }
}

function nextRank(id: number, last: number, position: number): number {
  if (id === 13) throw new OnusError('profile-exceptions', 'the module has a tag section (exceptions)')
  const rank = sectionRank[id]
  if (rank === undefined || rank <= last) throw malformed(`unexpected section ${id}`, position)
  return rank
}

function decodeSection(reader: ByteReader, id: number, parts: Parts): void {
  const scratch = new DecodedCode()
  switch (id) {
    case SectionId.type:
      parts.types = reader.vector(() => functionType(reader))
      return
    case SectionId.import:
      parts.imports = reader.vector(() => importEntry(reader))
      return
    case SectionId.function:
      parts.functions = reader.vector(() => reader.u32())
      return
    case SectionId.table:
      parts.tables = reader.vector(() => tableEntry(reader))
      return
    case SectionId.memory:
      parts.memories = reader.vector(() => limits(reader))
      return
    case SectionId.global:
      parts.globals = reader.vector(() => ({
        valueType: reader.u8(),
        mutable: reader.u8(),
        initial: expression(reader, scratch),
      }))
      return
    case SectionId.export:
      parts.exports = reader.vector(() => ({ name: reader.lengthPrefixed(), kind: reader.u8(), index: reader.u32() }))
      return
    case SectionId.start:
      parts.start = reader.u32()
      return
    case SectionId.element:
      parts.elements = reader.vector(() => elementSegment(reader, scratch))
      return
    case SectionId.dataCount:
      parts.dataCount = reader.u32()
      return
    case SectionId.code:
      parts.bodies = reader.vector(() => functionBody(reader))
      return
    default:
      parts.data = reader.vector(() => dataSegment(reader, scratch))
  }
}

function functionType(reader: ByteReader): FunctionType {
  const form = reader.u8()
  if (form !== 0x60) throw new OnusError('profile-gc', `type form 0x${form.toString(16)} is not a function type`)
  return { parameters: reader.vector(() => reader.u8()), results: reader.vector(() => reader.u8()) }
}

function limits(reader: ByteReader): Limits {
  const flags = reader.u32()
  if (flags > 3)
    throw new OnusError('profile-memory', `limits with flags ${flags}: 64-bit memories and tables are refused`)
  return { flags, minimum: reader.u32(), maximum: (flags & 1) === 1 ? reader.u32() : -1 }
}

function tableEntry(reader: ByteReader): TableEntry {
  const valueType = reader.u8()
  if (valueType === 0x40) throw new OnusError('profile-table', 'a table with an initial expression is refused')
  return { valueType, limits: limits(reader) }
}

function importEntry(reader: ByteReader): ImportEntry {
  const module = reader.lengthPrefixed()
  const name = reader.lengthPrefixed()
  return { module, name, descriptor: importDescriptor(reader) }
}

function importDescriptor(reader: ByteReader): ImportDescriptor {
  const kind = reader.u8()
  switch (kind) {
    case ExternalKind.function:
      return { kind, typeIndex: reader.u32() }
    case ExternalKind.table:
      return { kind, ...tableEntry(reader) }
    case ExternalKind.memory:
      return { kind, limits: limits(reader) }
    case ExternalKind.global:
      return { kind, valueType: reader.u8(), mutable: reader.u8() }
    case 4:
      throw new OnusError('profile-exceptions', 'the module imports a tag (exceptions)')
    default:
      throw malformed(`import kind ${kind}`, reader.position)
  }
}

function expression(reader: ByteReader, scratch: DecodedCode): Uint8Array {
  const start = reader.position
  scratch.decode(reader)
  return reader.bytes.subarray(start, reader.position)
}

function elementSegment(reader: ByteReader, scratch: DecodedCode): ElementSegment {
  const flags = reader.u32()
  if (flags > 7) throw malformed(`element segment flags ${flags}`, reader.position)
  const active = (flags & 1) === 0
  const table = active && (flags & 2) !== 0 ? reader.u32() : 0
  const offset = active ? expression(reader, scratch) : null
  const elementType = (flags & 3) !== 0 ? reader.u8() : -1
  const expressions = (flags & 4) !== 0 ? reader.vector(() => expression(reader, scratch)) : null
  const functions = (flags & 4) === 0 ? reader.vector(() => reader.u32()) : null
  return { flags, table, offset, elementType, functions, expressions }
}

function dataSegment(reader: ByteReader, scratch: DecodedCode): DataSegment {
  const flags = reader.u32()
  if (flags > 2) throw malformed(`data segment flags ${flags}`, reader.position)
  const memory = flags === 2 ? reader.u32() : 0
  const offset = flags === 1 ? null : expression(reader, scratch)
  return { flags, memory, offset, bytes: reader.lengthPrefixed() }
}

function functionBody(reader: ByteReader): FunctionBody {
  const size = reader.u32()
  if (size > reader.remaining) throw malformed(`function body of ${size} bytes`, reader.position)
  const body = new ByteReader(reader.bytes, reader.position, reader.position + size)
  let total = 0
  const locals = body.vector((): LocalRun => {
    const count = body.u32()
    total += count
    if (total > maximumLocals) throw malformed(`more than ${maximumLocals} locals`, body.position)
    return { count, valueType: body.u8() }
  })
  reader.position += size
  return { locals, code: body.take(body.remaining) }
}
