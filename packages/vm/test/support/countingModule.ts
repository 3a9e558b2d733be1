/**
 * Gas by definition: a module in which every instruction adds its own cost to an exported global before it runs.
 * Slow and simple, the reference for pass 1's block counts. No growth and no host calls.
 */
import { utf8Bytes } from '@onus/protocol/bytes'
import { type CodeWriter, codeBytes } from '../../src/binary/codeWriter.js'
import { DecodedCode } from '../../src/binary/decodedCode.js'
import { decodeModule } from '../../src/binary/decodeModule.js'
import { encodeModule } from '../../src/binary/encodeModule.js'
import { type FunctionBody, ValueType } from '../../src/binary/moduleTypes.js'
import { Op } from '../../src/binary/opcodes.js'
import { BodyRewriter } from '../../src/lower/bodyRewriter.js'
import { branchCost, bulkShift, callCost, plainCost } from '../../src/lower/costs.js'
import { contextOf, type FunctionView, viewFunction } from '../../src/lower/functionView.js'
import { findLeaves } from '../../src/lower/leafFunctions.js'
import { exportedFunction } from '../../src/lower/meterModule.js'
import { analyseValues } from '../../src/lower/valueFlow.js'

export const counterName = 'counter'

function addConstant(writer: CodeWriter, counter: number, cost: number): void {
  if (cost > 0) writer.globalGet(counter).i64Const(BigInt(cost)).op(Op.i64Add).globalSet(counter)
}

/** Random modules branch without values, and return what their type says. */
function staticCost(view: FunctionView, i: number, leafCosts: ReadonlyMap<number, number>): number {
  const opcode = view.code.opcode(i)
  if (opcode === Op.return) return branchCost(opcode, view.type.results.length)
  if (opcode >= Op.br && opcode <= Op.brTable) return branchCost(opcode, 0)
  if (opcode === Op.call) return callCost + (leafCosts.get(view.code.first(i)) ?? 0)
  return opcode === Op.memoryCopy || opcode === Op.memoryFill ? 2 : plainCost(opcode)
}

export function countingModule(bytes: Uint8Array): Uint8Array {
  const module = decodeModule(bytes)
  const context = contextOf(module)
  const counter = module.globals.length
  const leafCosts = findLeaves(module, context, new Set([exportedFunction(module, 'invoke')]))
  const code = new DecodedCode()
  const bodies = module.bodies.map((body, position): FunctionBody => {
    const view = viewFunction(module, context, position, code)
    if (leafCosts.has(view.index)) return body
    const flow = analyseValues(view, context)
    const rewriter = new BodyRewriter(view, view.localTypes.length)
    addConstant(
      rewriter.before(0),
      counter,
      view.localTypes.length - view.type.parameters.length + view.type.results.length,
    )
    for (let i = 0; i < code.count; i++) {
      if (flow.dead[i] === 1 || code.opcode(i) === Op.else || code.opcode(i) === Op.end) continue
      const writer = rewriter.before(i)
      addConstant(writer, counter, staticCost(view, i, leafCosts))
      if (code.opcode(i) !== Op.memoryCopy && code.opcode(i) !== Op.memoryFill) continue
      const length = rewriter.scratch('length', ValueType.i32)
      writer.localTee(length).globalGet(counter).localGet(length).i32Const(bulkShift).op(Op.i32ShrU)
      writer.op(Op.i64ExtendI32U).op(Op.i64Add).globalSet(counter)
    }
    rewriter.after(code.count - 1)
    return { locals: rewriter.locals, code: rewriter.writer.finish() }
  })
  const initial = codeBytes((writer) => writer.i64Const(0n).op(Op.end))
  return encodeModule({
    ...module,
    bodies,
    globals: [...module.globals, { valueType: ValueType.i64, mutable: 1, initial }],
    exports: [...module.exports, { name: utf8Bytes(counterName), kind: 3, index: counter }],
  })
}
