/**
 * Which float results must be made canonical (design/vm.md B 5, disputes.md 2.7). Hardware and V8's tiers differ in
 * sign and payload of a NaN that arithmetic makes; an arithmetic NaN is therefore replaced by the positive quiet one,
 * but only where its bits can be seen: by a store, a call, a reinterpretation, copysign, neg, abs, a value that
 * crosses a block. The outcome equals replacing every one. Loads, constants and bit operations are left alone.
 */
import type { CodeWriter } from '../binary/codeWriter.js'
import { ValueType } from '../binary/moduleTypes.js'
import { Op, signatureOf } from '../binary/opcodes.js'
import type { FunctionView } from './functionView.js'
import type { ValueFlow } from './valueFlow.js'

/** Arithmetic that may make a NaN: rounding, sqrt, + - * /, min, max of both widths, demote and promote. */
function makesNan(opcode: number): boolean {
  return (opcode >= 0x8d && opcode <= 0x97) || (opcode >= 0x9b && opcode <= 0xa5) || opcode === 0xb6 || opcode === 0xbb
}

/** Consumers whose result does not depend on sign and payload of a NaN operand. */
function ignoresNanBits(opcode: number): boolean {
  const isComparison = opcode >= 0x5b && opcode <= 0x66
  const isTruncation =
    (opcode >= 0xa8 && opcode <= 0xab) || (opcode >= 0xae && opcode <= 0xb1) || (opcode >= 0x100 && opcode <= 0x107)
  return opcode === Op.drop || isComparison || isTruncation || makesNan(opcode)
}

function isFloat(valueType: number | undefined): boolean {
  return valueType === ValueType.f32 || valueType === ValueType.f64
}

/** Consumer `index` writes a local that nobody reads bit by bit. */
function goesToUnseenLocal(view: FunctionView, seen: Uint8Array, index: number): boolean {
  const opcode = view.code.opcode(index)
  return (opcode === Op.localSet || opcode === Op.localTee) && seen[view.code.first(index)] === 0
}

/** 1 for each float local of which some read shows the bits. Least fixed point over local-to-local moves. */
function seenLocals(view: FunctionView, flow: ValueFlow): Uint8Array {
  const seen = new Uint8Array(view.localTypes.length)
  for (let changed = true; changed; ) {
    changed = false
    for (let i = 0; i < view.code.count; i++) {
      const opcode = view.code.opcode(i)
      if (opcode !== Op.localGet && opcode !== Op.localTee) continue
      const local = view.code.first(i)
      if (flow.dead[i] === 1 || seen[local] === 1 || !isFloat(view.localTypes[local])) continue
      const consumer = flow.consumer[i] ?? -1
      if (consumer >= 0 && (ignoresNanBits(view.code.opcode(consumer)) || goesToUnseenLocal(view, seen, consumer)))
        continue
      seen[local] = 1
      changed = true
    }
  }
  return seen
}

/** Instructions whose result needs the canonical form, with its type (`ValueType.f32` or `f64`). */
export function canonicalResults(view: FunctionView, flow: ValueFlow): Map<number, number> {
  const results = new Map<number, number>()
  let seen: Uint8Array | undefined
  for (let i = 0; i < view.code.count; i++) {
    const opcode = view.code.opcode(i)
    if (!makesNan(opcode) || flow.dead[i] === 1) continue
    const consumer = flow.consumer[i] ?? -1
    if (consumer >= 0) {
      if (ignoresNanBits(view.code.opcode(consumer))) continue
      seen ??= seenLocals(view, flow)
      if (goesToUnseenLocal(view, seen, consumer)) continue
    }
    results.set(i, signatureOf(opcode).endsWith('f') ? ValueType.f32 : ValueType.f64)
  }
  return results
}

/** x is x == x ? x : canonical NaN. The select form is the fastest of four measured (design/vm.md B 5). */
export function emitCanonicalNan(writer: CodeWriter, valueType: number, scratch: number): void {
  const isSingle = valueType === ValueType.f32
  writer.localTee(scratch)
  if (isSingle) writer.op(Op.f32Const).append(Uint8Array.of(0, 0, 0xc0, 0x7f))
  else writer.op(Op.f64Const).append(Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f))
  writer
    .localGet(scratch)
    .localGet(scratch)
    .op(isSingle ? Op.f32Eq : Op.f64Eq)
    .op(Op.select)
}
