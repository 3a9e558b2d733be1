/** Canonical bytes of one decoded instruction. Used to prove by round trip that decoding loses nothing. */
import { ByteReader } from './byteReader.js'
import type { CodeWriter } from './codeWriter.js'
import type { DecodedCode } from './decodedCode.js'
import { Immediate, immediateOf } from './opcodes.js'

/** Appends instruction `index` of `code`, which was decoded from `source`, in its shortest form. */
export function encodeInstruction(writer: CodeWriter, code: DecodedCode, index: number, source: Uint8Array): void {
  const opcode = code.opcode(index)
  const first = code.first(index)
  writer.op(opcode)
  switch (immediateOf(opcode)) {
    case Immediate.none:
      return
    case Immediate.blockType:
    case Immediate.referenceType:
      writer.s64(BigInt(first))
      return
    case Immediate.i32:
      writer.s32(first)
      return
    case Immediate.i64:
      writer.s64(new ByteReader(source, first).signed(64))
      return
    case Immediate.f32:
    case Immediate.f64:
    case Immediate.v128:
      writer.append(source.subarray(first, code.position(index + 1)))
      return
    case Immediate.lane:
    case Immediate.fence:
      writer.u8(first)
      return
    case Immediate.memoryLane:
      writer
        .u32(first)
        .u32(code.second(index))
        .u8(source[code.position(index + 1) - 1] as number)
      return
    case Immediate.selectTypes:
    case Immediate.branchTable:
      encodeList(writer, code, index, source)
      return
    case Immediate.memoryArgument:
    case Immediate.indirect:
    case Immediate.dataMemory:
    case Immediate.memoryPair:
    case Immediate.elementTable:
    case Immediate.tablePair:
      writer.u32(first).u32(code.second(index))
      return
    default:
      writer.u32(first)
  }
}

function encodeList(writer: CodeWriter, code: DecodedCode, index: number, source: Uint8Array): void {
  const reader = new ByteReader(source, code.position(index) + 1)
  const count = reader.u32()
  const isBranchTable = immediateOf(code.opcode(index)) === Immediate.branchTable
  writer.u32(count)
  for (let left = isBranchTable ? count + 1 : count; left > 0; left--) writer.u32(reader.u32())
}
