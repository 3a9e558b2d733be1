/**
 * Writer of the WebAssembly binary format. `encodeModule(decodeModule(bytes))` gives the same bytes for every module
 * whose integers have their shortest form, as compilers emit them; longer forms outside of function bodies become short.
 */
import { ByteWriter } from './byteWriter.js'
import {
  type ElementSegment,
  ExternalKind,
  type FunctionBody,
  type ImportEntry,
  type Limits,
  type Module,
  SectionId,
  sectionRank,
} from './moduleTypes.js'

export function encodeModule(module: Module): Uint8Array {
  const output = new ByteWriter(1 << 16)
  output.append(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00))
  const customsAfter = (rank: number): void => {
    for (const custom of module.customs)
      if (custom.after === rank)
        section(output, SectionId.custom, (writer) => writer.lengthPrefixed(custom.name).append(custom.bytes))
  }
  /** One section of a vector, then the custom sections behind it. */
  const vector = <T>(id: number, elements: readonly T[], write: (writer: ByteWriter, element: T) => void): void => {
    if (elements.length > 0 || module.sections.has(id))
      section(output, id, (writer) => {
        writer.u32(elements.length)
        for (const element of elements) write(writer, element)
      })
    customsAfter(sectionRank[id] as number)
  }
  customsAfter(0)
  vector(SectionId.type, module.types, (writer, type) => {
    writer.u8(0x60).lengthPrefixed(Uint8Array.from(type.parameters)).lengthPrefixed(Uint8Array.from(type.results))
  })
  vector(SectionId.import, module.imports, writeImport)
  vector(SectionId.function, module.functions, (writer, type) => writer.u32(type))
  vector(SectionId.table, module.tables, (writer, table) => writeLimits(writer.u8(table.valueType), table.limits))
  vector(SectionId.memory, module.memories, writeLimits)
  vector(SectionId.global, module.globals, (writer, entry) => {
    writer.u8(entry.valueType).u8(entry.mutable).append(entry.initial)
  })
  vector(SectionId.export, module.exports, (writer, entry) => {
    writer.lengthPrefixed(entry.name).u8(entry.kind).u32(entry.index)
  })
  if (module.start >= 0) section(output, SectionId.start, (writer) => writer.u32(module.start))
  customsAfter(sectionRank[SectionId.start] as number)
  vector(SectionId.element, module.elements, writeElement)
  if (module.dataCount >= 0) section(output, SectionId.dataCount, (writer) => writer.u32(module.dataCount))
  customsAfter(sectionRank[SectionId.dataCount] as number)
  vector(SectionId.code, module.bodies, writeBody)
  vector(SectionId.data, module.data, (writer, segment) => {
    writer.u32(segment.flags)
    if (segment.flags === 2) writer.u32(segment.memory)
    if (segment.offset !== null) writer.append(segment.offset)
    writer.lengthPrefixed(segment.bytes)
  })
  return output.finish()
}

function section(output: ByteWriter, id: number, write: (writer: ByteWriter) => void): void {
  const content = new ByteWriter()
  write(content)
  output.u8(id).lengthPrefixed(content.finish())
}

function writeLimits(writer: ByteWriter, limits: Limits): void {
  writer.u32(limits.flags).u32(limits.minimum)
  if ((limits.flags & 1) === 1) writer.u32(limits.maximum)
}

function writeImport(writer: ByteWriter, entry: ImportEntry): void {
  writer.lengthPrefixed(entry.module).lengthPrefixed(entry.name).u8(entry.descriptor.kind)
  const descriptor = entry.descriptor
  switch (descriptor.kind) {
    case ExternalKind.function:
      writer.u32(descriptor.typeIndex)
      return
    case ExternalKind.table:
      writeLimits(writer.u8(descriptor.valueType), descriptor.limits)
      return
    case ExternalKind.memory:
      writeLimits(writer, descriptor.limits)
      return
    default:
      writer.u8(descriptor.valueType).u8(descriptor.mutable)
  }
}

function writeElement(writer: ByteWriter, segment: ElementSegment): void {
  writer.u32(segment.flags)
  if (segment.offset !== null) {
    if ((segment.flags & 2) !== 0) writer.u32(segment.table)
    writer.append(segment.offset)
  }
  if (segment.elementType >= 0) writer.u8(segment.elementType)
  if (segment.expressions !== null) {
    writer.u32(segment.expressions.length)
    for (const expression of segment.expressions) writer.append(expression)
  }
  if (segment.functions !== null) {
    writer.u32(segment.functions.length)
    for (const index of segment.functions) writer.u32(index)
  }
}

function writeBody(writer: ByteWriter, body: FunctionBody): void {
  const head = new ByteWriter(64)
  head.u32(body.locals.length)
  for (const run of body.locals) head.u32(run.count).u8(run.valueType)
  writer
    .u32(head.length + body.code.length)
    .append(head.finish())
    .append(body.code)
}
