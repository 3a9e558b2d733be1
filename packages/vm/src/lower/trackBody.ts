/**
 * Pass 2 over one body of M1: addresses move up by `guestBase` (added to each memory offset, so the bounds check stays
 * V8's guard page), stores mark the dirty map, memory.size, memory.grow, bulk work and host calls go through helpers.
 */
import type { CodeWriter } from '../binary/codeWriter.js'
import { type FunctionBody, ValueType } from '../binary/moduleTypes.js'
import { Immediate, immediateOf, Op, signatureOf } from '../binary/opcodes.js'
import { BodyRewriter } from './bodyRewriter.js'
import { exhaustedMask } from './costs.js'
import type { FunctionView, ModuleContext } from './functionView.js'
import { gasCell, guestBase, reservedWasmPages, spillBytes } from './layout.js'
import { findStoreGroups, type StoreGroup } from './storeGroups.js'
import { analyseValues } from './valueFlow.js'

export interface TrackingTargets {
  readonly context: ModuleContext
  copyHelper(): number
  fillHelper(): number
  growHelper(): number
  /** Function to call for import `index`: those that touch memory have helpers. */
  hostFunction(index: number): number
}

type Emit = (writer: CodeWriter) => void

/** Emissions before and behind instructions, in the order in which they were added. */
interface Insertions {
  readonly before: Map<number, Emit[]>
  readonly after: Map<number, Emit[]>
}

export function trackBody(view: FunctionView, targets: TrackingTargets): FunctionBody {
  const flow = analyseValues(view, targets.context)
  const rewriter = new BodyRewriter(view, view.localTypes.length)
  const insertions = planMarks(view, findStoreGroups(view, flow), rewriter)
  const last = view.code.count - 1
  for (let i = 0; i < last; i++) {
    const before = insertions.before.get(i)
    if (before !== undefined) for (const emit of before) emit(rewriter.before(i))
    rewriteInstruction(rewriter, view, targets, i)
    const after = insertions.after.get(i)
    if (after !== undefined) for (const emit of after) emit(rewriter.after(i))
  }
  rewriter.after(last)
  return { locals: rewriter.locals, code: rewriter.writer.finish() }
}

function planMarks(view: FunctionView, groups: readonly StoreGroup[], rewriter: BodyRewriter): Insertions {
  const insertions: Insertions = { before: new Map(), after: new Map() }
  const temporaries: { local: number; freeFrom: number }[] = []
  for (const group of groups) {
    if (group.local >= 0) {
      insert(group.isFrame ? insertions.after : insertions.before, group.at, (writer) =>
        emitMarks(writer, group.local, group),
      )
      continue
    }
    if (group.address < 0) {
      insert(insertions.before, group.at, markStackAddress(view, group, rewriter))
      continue
    }
    // The address is kept in a temporary from where it is made to where it is used; groups come in that order.
    let temporary = temporaries.find((candidate) => candidate.freeFrom <= group.address)
    if (temporary === undefined) {
      temporary = { local: rewriter.newLocal(ValueType.i32), freeFrom: 0 }
      temporaries.push(temporary)
    }
    temporary.freeFrom = group.at
    const { local } = temporary
    insert(insertions.after, group.address, (writer) => writer.localTee(local))
    insert(insertions.before, group.at, (writer) => emitMarks(writer, local, group))
  }
  return insertions
}

function insert(map: Map<number, Emit[]>, index: number, emit: Emit): void {
  const list = map.get(index)
  if (list === undefined) map.set(index, [emit])
  else list.push(emit)
}

/** The address lies under the value on the stack: both go through locals. */
function markStackAddress(view: FunctionView, group: StoreGroup, rewriter: BodyRewriter): Emit {
  const letter = signatureOf(view.code.opcode(group.at)).charAt(1)
  const valueType = { i: ValueType.i32, I: ValueType.i64, f: ValueType.f32, F: ValueType.f64 }[letter] ?? ValueType.i32
  const value = rewriter.scratch(`value${valueType}`, valueType)
  const address = rewriter.scratch('address', ValueType.i32)
  return (writer) => {
    writer.localSet(value).localTee(address)
    emitMarks(writer, address, group)
    writer.localGet(value)
  }
}

function emitMarks(writer: CodeWriter, local: number, group: StoreGroup): void {
  emitMark(writer, local, group.low)
  if (group.high - group.low > spillBytes) emitMark(writer, local, group.high - 1)
}

/** map[(local + offset) >>> 12] = 1; two or three machine instructions, no test. */
function emitMark(writer: CodeWriter, local: number, offset: number): void {
  writer.localGet(local)
  if (offset !== 0) writer.i32Const(offset).op(Op.i32Add)
  writer.i32Const(12).op(Op.i32ShrU).i32Const(1).memory(Op.i32Store8, 0, 0)
}

function rewriteInstruction(rewriter: BodyRewriter, view: FunctionView, targets: TrackingTargets, i: number): void {
  const opcode = view.code.opcode(i)
  if (immediateOf(opcode) === Immediate.memoryArgument) {
    shiftAccess(rewriter, view, i)
    return
  }
  switch (opcode) {
    case Op.memorySize:
      rewriter.after(i).i32Const(reservedWasmPages).op(Op.i32Sub)
      return
    case Op.memoryGrow:
      rewriter.replace(i).call(targets.growHelper())
      return
    case Op.memoryCopy:
      rewriter.replace(i).call(targets.copyHelper())
      return
    case Op.memoryFill:
      rewriter.replace(i).call(targets.fillHelper())
      return
    case Op.call:
      if (view.code.first(i) < targets.context.importedFunctions)
        rewriter.replace(i).call(targets.hostFunction(view.code.first(i)))
      return
    case Op.unreachable: {
      const gas = exhaustedGasLocal(view, i)
      if (gas >= 0) rewriter.before(i).i32Const(0).localGet(gas).memory(Op.i64Store, 3, gasCell)
      return
    }
    default:
  }
}

function shiftAccess(rewriter: BodyRewriter, view: FunctionView, i: number): void {
  const offset = view.code.second(i) + guestBase
  // An offset so large reaches beyond any memory: the access traps before it is reached.
  if (offset > 0xffff_ffff) rewriter.before(i).op(Op.unreachable)
  else rewriter.replace(i).memory(view.code.opcode(i), view.code.first(i), offset)
}

/**
 * The gas local if the unreachable at `i` is pass 1's stop, else -1. Matches the two forms that pass 1 emits; a guest
 * that writes the same instructions only makes its own failure text say 'out of gas', which is not consensus data.
 */
function exhaustedGasLocal(view: FunctionView, i: number): number {
  const { code } = view
  if (i < 6 || code.opcode(i - 1) !== Op.if) return -1
  const isLoopTest = code.opcode(i - 2) === Op.i64LtS && code.opcode(i - 4) === Op.localTee
  if (isLoopTest) return view.localTypes[code.first(i - 4)] === ValueType.i64 ? code.first(i - 4) : -1
  const isMaskTest =
    code.opcode(i - 2) === Op.i64Ne &&
    code.opcode(i - 4) === Op.i64And &&
    code.opcode(i - 5) === Op.i64Const &&
    code.opcode(i - 6) === Op.localTee &&
    view.localTypes[code.first(i - 6)] === ValueType.i64
  return isMaskTest && constantIsMask(view, i - 5) ? code.first(i - 6) : -1
}

function constantIsMask(view: FunctionView, i: number): boolean {
  const length = view.code.position(i + 1) - view.code.position(i)
  return length === exhaustedMaskLength
}

/** Opcode and the ten bytes of the mask, whose top bit is set. */
const exhaustedMaskLength = exhaustedMask < 0n ? 11 : -1
