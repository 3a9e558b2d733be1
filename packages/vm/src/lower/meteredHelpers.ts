/**
 * Helper functions of the metered module: host calls, bulk memory work and growth, each charged before the work.
 * Their type is that of the operation with the gas word added, so they also serve as table entries for imports.
 */
import type { CodeWriter } from '../binary/codeWriter.js'
import { type FunctionType, type Limits, ValueType } from '../binary/moduleTypes.js'
import { Op } from '../binary/opcodes.js'
import { bulkShift, gasShift, growthBaseCost, growthPageCost, hostCallCost } from './costs.js'
import { emitStopIfExhausted } from './meterBody.js'
import type { NewFunction } from './moduleBuilder.js'

const { i32, i64 } = ValueType

/** gas -= cost + floor(length / 32), then stop if negative. */
function emitBulkCharge(code: CodeWriter, gas: number, length: number, cost: number): void {
  code
    .localGet(gas)
    .i64Const(BigInt(cost) << gasShift)
    .op(Op.i64Sub)
  code.localGet(length).i32Const(bulkShift).op(Op.i32ShrU).op(Op.i64ExtendI32U).i64Const(gasShift).op(Op.i64Shl)
  code.op(Op.i64Sub).localTee(gas)
  emitStopIfExhausted(code)
}

/** memory.copy or memory.fill: (destination, source or value, length, gas) -> gas. */
export function bulkHelper(opcode: typeof Op.memoryCopy | typeof Op.memoryFill): NewFunction {
  return {
    parameters: [i32, i32, i32, i64],
    results: [i64],
    write(code) {
      emitBulkCharge(code, 3, 2, 1)
      code.localGet(0).localGet(1).localGet(2).op(opcode).u8(0)
      if (opcode === Op.memoryCopy) code.u8(0)
      code.localGet(3)
    },
  }
}

/** memory.grow: (pages, gas) -> (previous pages or -1, gas). Pages are charged only if they fit the maximum. */
export function growHelper(memory: Limits): NewFunction {
  return {
    parameters: [i32, i64],
    results: [i32, i64],
    write(code) {
      code
        .localGet(1)
        .i64Const(BigInt(growthBaseCost) << gasShift)
        .op(Op.i64Sub)
      code
        .localGet(0)
        .op(Op.i64ExtendI32U)
        .i64Const(BigInt(growthPageCost) << gasShift)
        .op(Op.i64Mul)
      code.i64Const(0n)
      code.i64Const(BigInt(memory.maximum))
      code.localGet(0).op(Op.i64ExtendI32U).op(Op.memorySize).u8(0).op(Op.i64ExtendI32U).op(Op.i64Add)
      code.op(i64GeU).op(Op.select).op(Op.i64Sub).localTee(1)
      emitStopIfExhausted(code)
      code.localGet(0).op(Op.memoryGrow).u8(0).localGet(1)
    },
  }
}

const i64GeU = 0x5a

/** A host import. `lengthParameter` is the parameter that counts bytes, -1 if the cost is constant. */
export function hostHelper(importIndex: number, type: FunctionType, lengthParameter: number): NewFunction {
  const gas = type.parameters.length
  return {
    parameters: [...type.parameters, i64],
    results: [...type.results, i64],
    write(code) {
      if (lengthParameter >= 0) emitBulkCharge(code, gas, lengthParameter, hostCallCost)
      else {
        code
          .localGet(gas)
          .i64Const(BigInt(hostCallCost) << gasShift)
          .op(Op.i64Sub)
          .localTee(gas)
        emitStopIfExhausted(code)
      }
      for (let k = 0; k < gas; k++) code.localGet(k)
      code.call(importIndex).localGet(gas)
    },
  }
}

/** Entry from outside: (gas) -> gas. Gas that ran out behind the last test stops here. */
export function entryHelper(meteredFunction: number): NewFunction {
  return {
    parameters: [i64],
    results: [i64],
    write(code) {
      code.localGet(0).call(meteredFunction).localTee(0)
      emitStopIfExhausted(code)
      code.localGet(0)
    },
  }
}
