/**
 * Helper functions of the executable: bulk work with the bounds of the guest's memory and marks of whole ranges,
 * growth, host calls, entries for the engine, saving and loading of mutable globals.
 */
import { type CodeWriter, emptyBlock } from '../binary/codeWriter.js'
import { type Limits, ValueType } from '../binary/moduleTypes.js'
import { Op } from '../binary/opcodes.js'
import { depthBudget, gasShift } from './costs.js'
import { globalsCell, growthFailureCell, guestBase, reservedWasmPages } from './layout.js'
import type { NewFunction } from './moduleBuilder.js'

const { i32, f32, f64 } = ValueType

function emitGuestPages(code: CodeWriter): void {
  code.op(Op.memorySize).u8(0).i32Const(reservedWasmPages).op(Op.i32Sub)
}

/** Traps unless address + length <= memory size, in 64 bits. */
function emitBoundsCheck(code: CodeWriter, address: number, length: number): void {
  code.localGet(address).op(Op.i64ExtendI32U).localGet(length).op(Op.i64ExtendI32U).op(Op.i64Add)
  emitGuestPages(code)
  code.op(Op.i64ExtendI32U).i64Const(16n).op(Op.i64Shl).op(Op.i64GtU).ifThen().op(Op.unreachable).op(Op.end)
}

/** Marks the pages of [address, address + length), which lie in bounds. */
function emitMarkRange(code: CodeWriter, address: number, length: number, scratch: number): void {
  code.localGet(length).ifThen()
  code.localGet(address).i32Const(12).op(Op.i32ShrU).localTee(scratch).i32Const(1)
  code.localGet(address).localGet(length).op(Op.i32Add).i32Const(1).op(Op.i32Sub).i32Const(12).op(Op.i32ShrU)
  code.localGet(scratch).op(Op.i32Sub).i32Const(1).op(Op.i32Add)
  code.op(Op.memoryFill).u8(0).op(Op.end)
}

function emitShifted(code: CodeWriter, address: number): void {
  code.localGet(address).i32Const(guestBase).op(Op.i32Add)
}

/** (destination, source, length) */
export const trackedCopy: NewFunction = {
  parameters: [i32, i32, i32],
  results: [],
  locals: [{ count: 1, valueType: i32 }],
  write(code) {
    emitBoundsCheck(code, 0, 2)
    emitBoundsCheck(code, 1, 2)
    emitMarkRange(code, 0, 2, 3)
    emitShifted(code, 0)
    emitShifted(code, 1)
    code.localGet(2).op(Op.memoryCopy).u8(0).u8(0)
  },
}

/** (destination, value, length) */
export const trackedFill: NewFunction = {
  parameters: [i32, i32, i32],
  results: [],
  locals: [{ count: 1, valueType: i32 }],
  write(code) {
    emitBoundsCheck(code, 0, 2)
    emitMarkRange(code, 0, 2, 3)
    emitShifted(code, 0)
    code.localGet(1).localGet(2).op(Op.memoryFill).u8(0)
  },
}

/** (pages) -> previous pages or -1. A host without memory for an allowed growth is a failure of the node, not a result. */
export function trackedGrow(memory: Limits): NewFunction {
  return {
    parameters: [i32],
    results: [i32],
    write(code) {
      code.localGet(0).op(Op.i64ExtendI32U)
      emitGuestPages(code)
      code.op(Op.i64ExtendI32U).op(Op.i64Add).i64Const(BigInt(memory.maximum)).op(Op.i64GtU)
      code.op(Op.if).u8(emptyBlock).i32Const(-1).op(Op.return).op(Op.end)
      code.localGet(0).op(Op.memoryGrow).u8(0).localTee(0).i32Const(-1).op(Op.i32Eq).ifThen()
      code.i32Const(0).i32Const(1).memory(Op.i32Store, 2, growthFailureCell).op(Op.unreachable).op(Op.end)
      code.localGet(0).i32Const(reservedWasmPages).op(Op.i32Sub)
    },
  }
}

/** input_read (destination, offset, length): bounds and marks before the host writes. */
export function trackedInputRead(importIndex: number): NewFunction {
  return {
    parameters: [i32, i32, i32],
    results: [],
    locals: [{ count: 1, valueType: i32 }],
    write(code) {
      emitBoundsCheck(code, 0, 2)
      emitMarkRange(code, 0, 2, 3)
      emitShifted(code, 0)
      code.localGet(1).localGet(2).call(importIndex)
    },
  }
}

/** output_write and log_write (source, length): bounds before the host reads. */
export function trackedHostRead(importIndex: number): NewFunction {
  return {
    parameters: [i32, i32],
    results: [],
    write(code) {
      emitBoundsCheck(code, 0, 1)
      emitShifted(code, 0)
      code.localGet(1).call(importIndex)
    },
  }
}

/** (gas limit) -> gas left, as f64: numbers cross to JavaScript faster than bigints, and both are below 2^53. */
export function engineEntry(meteredEntry: number): NewFunction {
  return {
    parameters: [f64],
    results: [f64],
    write(code) {
      code.localGet(0).op(Op.i64TruncF64U).i64Const(gasShift).op(Op.i64Shl).i64Const(BigInt(depthBudget)).op(Op.i64Or)
      code.call(meteredEntry).i64Const(gasShift).op(Op.i64ShrS).op(Op.f64ConvertI64S)
    },
  }
}

export interface MutableGlobal {
  readonly index: number
  readonly valueType: number
}

/** Global bits as i64, zero-extended, into the cells. */
export function saveGlobals(globals: readonly MutableGlobal[]): NewFunction {
  return {
    parameters: [],
    results: [],
    write(code) {
      globals.forEach(({ index, valueType }, position) => {
        code.i32Const(0).globalGet(index)
        if (valueType === f32) code.op(Op.i32ReinterpretF32)
        if (valueType === f64) code.op(Op.i64ReinterpretF64)
        if (valueType === i32 || valueType === f32) code.op(Op.i64ExtendI32U)
        code.memory(Op.i64Store, 3, globalsCell + 8 * position)
      })
    },
  }
}

export function loadGlobals(globals: readonly MutableGlobal[]): NewFunction {
  return {
    parameters: [],
    results: [],
    write(code) {
      globals.forEach(({ index, valueType }, position) => {
        code.i32Const(0).memory(Op.i64Load, 3, globalsCell + 8 * position)
        if (valueType === i32 || valueType === f32) code.op(Op.i32WrapI64)
        if (valueType === f32) code.op(Op.f32ReinterpretI32)
        if (valueType === f64) code.op(Op.f64ReinterpretI64)
        code.globalSet(index)
      })
    },
  }
}
