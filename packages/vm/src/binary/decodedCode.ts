/**
 * Instructions of one function body or constant expression, decoded into flat arrays that are reused from body to
 * body (SQLite has 450,000 instructions; objects would cost more than the lowering). No validation of types.
 */
import { type ByteReader, malformed } from './byteReader.js'
import { Immediate, immediateOf, Op } from './opcodes.js'

export class DecodedCode {
  /** Number of instructions. */
  count = 0
  private opcodes = new Int32Array(1024)
  private positions = new Int32Array(1025)
  private firsts = new Float64Array(1024)
  private seconds = new Float64Array(1024)

  /** Opcode in the numbering of `opcodes.ts`. */
  opcode(index: number): number {
    return this.opcodes[index] as number
  }

  /** Byte position of instruction `index`; of `count`: the end. */
  position(index: number): number {
    return this.positions[index] as number
  }

  /**
   * First immediate: index, label, alignment, i32 value, block type (negative: value type or -64), number of
   * branch table labels without the default; for i64, f32 and f64 constants the byte position of the value.
   */
  first(index: number): number {
    return this.firsts[index] as number
  }

  /** Second immediate: memory offset, table index of call_indirect, count of select types. */
  second(index: number): number {
    return this.seconds[index] as number
  }

  /** Decodes from the reader's position up to and including the `end` that closes the sequence. */
  decode(reader: ByteReader): void {
    let depth = 1
    let index = 0
    while (depth > 0) {
      if (index >= this.opcodes.length) this.grow()
      this.positions[index] = reader.position
      const opcode = readOpcode(reader)
      this.opcodes[index] = opcode
      this.firsts[index] = 0
      this.seconds[index] = 0
      this.readImmediate(reader, opcode, index)
      if (opcode === Op.block || opcode === Op.loop || opcode === Op.if) depth++
      else if (opcode === Op.end) depth--
      index++
    }
    this.positions[index] = reader.position
    this.count = index
  }

  private readImmediate(reader: ByteReader, opcode: number, index: number): void {
    switch (immediateOf(opcode)) {
      case Immediate.none:
        return
      case Immediate.label:
      case Immediate.functionIndex:
      case Immediate.local:
      case Immediate.global:
      case Immediate.table:
      case Immediate.memoryIndex:
      case Immediate.data:
      case Immediate.element:
        this.firsts[index] = reader.u32()
        return
      case Immediate.memoryArgument:
      case Immediate.indirect:
      case Immediate.dataMemory:
      case Immediate.memoryPair:
      case Immediate.elementTable:
      case Immediate.tablePair:
        this.firsts[index] = reader.u32()
        this.seconds[index] = reader.u32()
        return
      case Immediate.blockType:
      case Immediate.referenceType:
        this.firsts[index] = Number(reader.signed(33))
        return
      case Immediate.i32:
        this.firsts[index] = reader.s32()
        return
      default:
        this.readRareImmediate(reader, opcode, index)
    }
  }

  private readRareImmediate(reader: ByteReader, opcode: number, index: number): void {
    const start = reader.position
    this.firsts[index] = start
    switch (immediateOf(opcode)) {
      case Immediate.i64:
        reader.signed(64)
        return
      case Immediate.f32:
        reader.take(4)
        return
      case Immediate.f64:
        reader.take(8)
        return
      case Immediate.v128:
        reader.take(16)
        return
      case Immediate.lane:
      case Immediate.fence:
        this.firsts[index] = reader.u8()
        return
      case Immediate.memoryLane:
        this.firsts[index] = reader.u32()
        this.seconds[index] = reader.u32()
        reader.u8()
        return
      case Immediate.selectTypes: {
        const count = reader.count()
        this.seconds[index] = count
        for (let i = 0; i < count; i++) this.firsts[index] = reader.u8()
        return
      }
      case Immediate.branchTable: {
        const count = reader.count()
        this.firsts[index] = count
        for (let i = 0; i <= count; i++) this.seconds[index] = reader.u32()
        return
      }
      default:
        throw malformed(`unknown instruction 0x${opcode.toString(16)}`, this.position(index))
    }
  }

  private grow(): void {
    const length = 2 * this.opcodes.length
    const opcodes = new Int32Array(length)
    const positions = new Int32Array(length + 1)
    const firsts = new Float64Array(length)
    const seconds = new Float64Array(length)
    opcodes.set(this.opcodes)
    positions.set(this.positions)
    firsts.set(this.firsts)
    seconds.set(this.seconds)
    this.opcodes = opcodes
    this.positions = positions
    this.firsts = firsts
    this.seconds = seconds
  }
}

function readOpcode(reader: ByteReader): number {
  const byte = reader.u8()
  if (byte !== 0xfc && byte !== 0xfd && byte !== 0xfe) return byte
  const sub = reader.u32()
  if (sub > 0xff) throw malformed(`unknown instruction 0x${byte.toString(16)} 0x${sub.toString(16)}`, reader.position)
  return (byte - 0xfb) * 0x100 + sub
}
