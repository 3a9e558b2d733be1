/** Writer of instruction sequences: opcodes with their prefixes and the few immediates that our own code needs. */
import { ByteWriter } from './byteWriter.js'
import { Op } from './opcodes.js'

/** Block type without parameters and results. */
export const emptyBlock = 0x40

export class CodeWriter extends ByteWriter {
  op(opcode: number): this {
    if (opcode < 0x100) return this.u8(opcode)
    if (opcode < 0x200) return this.u8(0xfc).u32(opcode - 0x100)
    if (opcode < 0x300) return this.u8(0xfd).u32(opcode - 0x200)
    return this.u8(0xfe).u32(opcode - 0x300)
  }

  localGet(index: number): this {
    return this.u8(Op.localGet).u32(index)
  }

  localSet(index: number): this {
    return this.u8(Op.localSet).u32(index)
  }

  localTee(index: number): this {
    return this.u8(Op.localTee).u32(index)
  }

  globalGet(index: number): this {
    return this.u8(Op.globalGet).u32(index)
  }

  globalSet(index: number): this {
    return this.u8(Op.globalSet).u32(index)
  }

  call(index: number): this {
    return this.u8(Op.call).u32(index)
  }

  i32Const(value: number): this {
    return this.u8(Op.i32Const).s32(value)
  }

  i64Const(value: bigint): this {
    return this.u8(Op.i64Const).s64(value)
  }

  /** A load or store with natural alignment 2^`alignment`. */
  memory(opcode: number, alignment: number, offset: number): this {
    return this.op(opcode).u32(alignment).u32(offset)
  }

  /** `if` without results; close with `op(Op.end)`. */
  ifThen(): this {
    return this.u8(Op.if).u8(emptyBlock)
  }
}

/** Bytes of the instructions that `write` emits, `end` included by `write`. */
export function codeBytes(write: (code: CodeWriter) => void): Uint8Array {
  const code = new CodeWriter()
  write(code)
  return code.finish()
}
