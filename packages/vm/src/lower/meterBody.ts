/**
 * Pass 1 over one body: charges, depth, canonical NaN. A metered function has one more parameter and result, the gas
 * word `gas << 16 | depth`; it stays in a register over calls (design/vm.md B 1). Leaf functions only get NaN.
 */
import { assert } from '@onus/protocol/errors'
import type { CodeWriter } from '../binary/codeWriter.js'
import { type FunctionBody, ValueType } from '../binary/moduleTypes.js'
import { Immediate, immediateOf, Op } from '../binary/opcodes.js'
import { BodyRewriter } from './bodyRewriter.js'
import { canonicalResults, emitCanonicalNan } from './canonicalNan.js'
import { chargePoints } from './chargePoints.js'
import { exhaustedMask, frameWeight, gasShift } from './costs.js'
import type { FunctionView, ModuleContext } from './functionView.js'
import { analyseValues } from './valueFlow.js'

/** What a body needs from the module that is being built. */
export interface MeteringTargets {
  readonly context: ModuleContext
  readonly leafCosts: ReadonlyMap<number, number>
  /** Type index with the gas word added, for an old type index. */
  meteredType(typeIndex: number): number
  /** Type index of a block without parameters and with these results. */
  resultType(results: readonly number[]): number
  /** Function to call for function `index`: imports have metered helpers. */
  meteredFunction(index: number): number
  copyHelper(): number
  fillHelper(): number
  growHelper(): number
}

export interface MeteredBody extends FunctionBody {
  /** Parameters, locals and operands of the original body. */
  readonly slots: number
}

export function meterBody(view: FunctionView, targets: MeteringTargets): MeteredBody {
  const flow = analyseValues(view, targets.context)
  const canonical = canonicalResults(view, flow)
  const slots = view.localTypes.length + flow.maximumHeight
  if (targets.leafCosts.has(view.index)) return { ...canonicaliseOnly(view, canonical), slots }
  const gas = view.type.parameters.length
  const rewriter = new BodyRewriter(view, view.localTypes.length + 1)
  const points = chargePoints(view, targets.context, flow, targets.leafCosts)
  const weight = frameWeight(slots, view.code.count)
  const { writer } = rewriter
  emitEntryCharge(writer, gas, points.get(0)?.cost ?? 0, weight)
  writer.op(Op.block)
  emitBlockType(writer, view.type.results, targets)
  let depth = 0
  const last = view.code.count - 1
  for (let i = 0; i < last; i++) {
    const opcode = view.code.opcode(i)
    const point = i > 0 ? points.get(i) : undefined
    if (point !== undefined) emitCharge(rewriter.before(i), gas, point.cost, point.isLoop)
    if (opcode === Op.block || opcode === Op.loop || opcode === Op.if) depth++
    else if (opcode === Op.end) depth--
    if (opcode === Op.return) rewriter.replace(i).op(Op.br).u32(depth)
    else rewriteInstruction(rewriter, view, targets, i, gas)
    const valueType = canonical.get(i)
    if (valueType !== undefined)
      emitCanonicalNan(rewriter.after(i), valueType, rewriter.scratch(`nan${valueType}`, valueType))
  }
  rewriter.before(last).op(Op.end)
  writer.localGet(gas).i64Const(BigInt(weight)).op(Op.i64Add).op(Op.end)
  return { locals: rewriter.locals, code: writer.finish(), slots }
}

function canonicaliseOnly(view: FunctionView, canonical: ReadonlyMap<number, number>): FunctionBody {
  if (canonical.size === 0) return view.body
  const rewriter = new BodyRewriter(view, view.localTypes.length)
  for (const [index, valueType] of canonical)
    emitCanonicalNan(rewriter.after(index), valueType, rewriter.scratch(`nan${valueType}`, valueType))
  rewriter.after(view.code.count - 1)
  return { locals: rewriter.locals, code: rewriter.writer.finish() }
}

function emitBlockType(writer: CodeWriter, results: readonly number[], targets: MeteringTargets): void {
  const [only] = results
  if (only === undefined) writer.s64(-64n)
  else if (results.length === 1) writer.u8(only)
  else writer.s64(BigInt(targets.resultType(results)))
}

/** Takes the entry's cost and the frame's weight in one subtraction and tests both signs in one mask. */
function emitEntryCharge(writer: CodeWriter, gas: number, cost: number, weight: number): void {
  writer
    .localGet(gas)
    .i64Const((BigInt(cost) << gasShift) + BigInt(weight))
    .op(Op.i64Sub)
    .localTee(gas)
  emitStopIfExhausted(writer)
}

/** Stops if the gas word on the stack has a negative field. */
export function emitStopIfExhausted(writer: CodeWriter): void {
  writer.i64Const(exhaustedMask).op(Op.i64And).i64Const(0n).op(Op.i64Ne).ifThen().op(Op.unreachable).op(Op.end)
}

function emitCharge(writer: CodeWriter, gas: number, cost: number, isLoop: boolean): void {
  writer
    .localGet(gas)
    .i64Const(BigInt(cost) << gasShift)
    .op(Op.i64Sub)
  if (!isLoop) writer.localSet(gas)
  // A call in this path would keep V8 from unrolling the loop, so it only stops.
  else writer.localTee(gas).i64Const(0n).op(Op.i64LtS).ifThen().op(Op.unreachable).op(Op.end)
}

function rewriteInstruction(
  rewriter: BodyRewriter,
  view: FunctionView,
  targets: MeteringTargets,
  i: number,
  gas: number,
): void {
  const opcode = view.code.opcode(i)
  const first = view.code.first(i)
  if (immediateOf(opcode) === Immediate.local) {
    if (first >= gas)
      rewriter
        .replace(i)
        .op(opcode)
        .u32(first + 1)
    return
  }
  const callWithGas = (target: number): void => {
    rewriter.replace(i).localGet(gas).call(target).localSet(gas)
  }
  switch (opcode) {
    case Op.call:
      if (!targets.leafCosts.has(first)) callWithGas(targets.meteredFunction(first))
      return
    case Op.callIndirect: {
      const element = rewriter.scratch('element', ValueType.i32)
      const table = view.code.second(i)
      const writer = rewriter.replace(i).localSet(element).localGet(gas).localGet(element)
      writer.op(Op.callIndirect).u32(targets.meteredType(first)).u32(table).localSet(gas)
      return
    }
    case Op.memoryCopy:
      callWithGas(targets.copyHelper())
      return
    case Op.memoryFill:
      callWithGas(targets.fillHelper())
      return
    case Op.memoryGrow:
      callWithGas(targets.growHelper())
      return
    default:
      assert(opcode < Op.memoryInit, 'the profile has no other bulk instruction')
  }
}
