/** What the carrying of state reads of a module: names of its globals and table, and its data as one region. */
import { ByteReader } from '@onus/vm/binary/byteReader'
import type { DataSegment, Module } from '@onus/vm/binary/moduleTypes'
import { readFunctionNames } from '@onus/vm/binary/nameSection'

const globalNames = 7
const decoder = new TextDecoder()

export interface GlobalView {
  /** Empty where the module has no name for it. */
  readonly name: string
  /** In the index space of globals. */
  readonly index: number
  readonly valueType: number
  /** 8 bytes big-endian, 32-bit values zero-extended: its initial constant. */
  readonly initial: bigint
}

function readGlobalNames(module: Module): Map<number, string> {
  const names = new Map<number, string>()
  for (const custom of module.customs) {
    if (decoder.decode(custom.name) !== 'name') continue
    const reader = new ByteReader(custom.bytes)
    while (reader.remaining > 0) {
      const id = reader.u8()
      const part = new ByteReader(reader.lengthPrefixed())
      if (id === globalNames) part.vector(() => names.set(part.u32(), decoder.decode(part.lengthPrefixed())))
    }
  }
  return names
}

/** Bits of a constant expression as an unsigned lane; the profile allows nothing but one constant. */
function constantOf(expression: Uint8Array): bigint {
  const reader = new ByteReader(expression)
  switch (reader.u8()) {
    case 0x41:
      return BigInt.asUintN(32, BigInt(reader.s32()))
    case 0x42:
      return BigInt.asUintN(64, reader.signed(64))
    case 0x43:
      return BigInt(Buffer.from(reader.take(4)).readUInt32LE())
    default:
      return Buffer.from(reader.take(8)).readBigUInt64LE()
  }
}

/** The mutable globals in the order of their index: the state outside memory. */
export function mutableGlobalsOf(module: Module): GlobalView[] {
  const names = readGlobalNames(module)
  return module.globals.flatMap(({ valueType, mutable, initial }, index) =>
    mutable === 1 ? [{ name: names.get(index) ?? '', index, valueType, initial: constantOf(initial) }] : [],
  )
}

/** Names of the functions in the table by their place; function references in memory are such places. */
export function tableOf(module: Module): string[] {
  const names = readFunctionNames(module)
  return module.elements.flatMap(({ functions }) =>
    [...(functions ?? [])].map((index) => names.get(index) ?? `${index}`),
  )
}

export function segmentStart(segment: DataSegment): number {
  return segment.offset === null ? 0 : new ByteReader(segment.offset, 1).s32() >>> 0
}

/** The addresses that data segments cover: from the first byte to behind the last; equal without any. */
export function dataRange(module: Module): { readonly start: number; readonly end: number } {
  const starts = module.data.map(segmentStart)
  const ends = module.data.map((segment, index) => (starts[index] as number) + segment.bytes.length)
  return { start: Math.min(...starts, Number.MAX_SAFE_INTEGER), end: Math.max(0, ...ends) }
}

/** Whether both modules put the same bytes at the same addresses. */
export function sameData(a: Module, b: Module): boolean {
  return (
    a.data.length === b.data.length &&
    a.data.every((segment, index) => {
      const other = b.data[index] as DataSegment
      return segmentStart(segment) === segmentStart(other) && Buffer.from(segment.bytes).equals(other.bytes)
    })
  )
}
