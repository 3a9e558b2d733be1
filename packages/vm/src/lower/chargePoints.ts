/**
 * Exact gas by basic blocks (design/vm.md B 1 and 2, with T = 0): a body is cut into segments that are executed as a
 * whole; each is charged at its start. A segment that is executed exactly when an earlier one is joins its charge.
 * The sign of the remaining gas is tested at function entries and loop headers, so the overdraft is bounded by the
 * cost of one body without repetition.
 */

import { assert } from '@onus/protocol/errors'
import { Op } from '../binary/opcodes.js'
import { branchCost, callCost, callIndirectCost, plainCost } from './costs.js'
import { blockSignature, branchTableLabels, type FunctionView, type ModuleContext } from './functionView.js'
import type { ValueFlow } from './valueFlow.js'

export interface ChargePoint {
  readonly cost: number
  /** A loop header: test the sign here. */
  readonly isLoop: boolean
}

/** Charge points by the instruction they stand before. Instruction 0 always has one: the entry. */
export type ChargePoints = ReadonlyMap<number, ChargePoint>

interface Segment {
  readonly start: number
  cost: number
  /** Segment that is executed before this one in every run. */
  readonly dominator: number
  /** Executed exactly when its dominator is (traps aside: they charge everything). */
  readonly joins: boolean
  readonly isLoop: boolean
}

interface Frame {
  opcode: number
  readonly segment: number
  readonly parameters: number
  readonly results: number
  branched: boolean
  /** A branch inside leaves further out, so the code behind may be skipped. */
  escaped: boolean
}

class SegmentBuilder {
  readonly segments: Segment[] = []
  readonly frames: Frame[] = []

  get last(): number {
    return this.segments.length - 1
  }

  open(start: number, dominator: number, joins: boolean, isLoop: boolean): void {
    this.segments.push({ start, cost: 0, dominator, joins, isLoop })
  }

  charge(cost: number): void {
    const segment = this.segments[this.last]
    assert(segment !== undefined, 'a body has a segment')
    segment.cost += cost
  }

  /** Notes a branch to `label`; returns the number of values it carries. */
  branch(label: number): number {
    const position = this.frames.length - 1 - label
    const target = this.frames[position]
    assert(target !== undefined, 'a label of valid code exists')
    target.branched = true
    for (let i = position + 1; i < this.frames.length; i++) {
      const inner = this.frames[i]
      if (inner !== undefined) inner.escaped = true
    }
    return target.opcode === Op.loop ? target.parameters : target.results
  }
}

/** Gas of entering a function: its locals are zeroed, its results moved at the end. */
function entryCost(view: FunctionView): number {
  return view.localTypes.length - view.type.parameters.length + view.type.results.length
}

/** Whole cost of a body without branching counted: what a caller pays for a leaf function. */
export function leafCost(view: FunctionView): number {
  let cost = entryCost(view)
  for (let i = 0; i < view.code.count; i++) {
    const opcode = view.code.opcode(i)
    cost +=
      opcode >= Op.br && opcode <= Op.return ? branchCost(opcode, view.type.results.length + 1) : plainCost(opcode)
  }
  return cost
}

/** `leafCosts` holds, per function index, what a caller pays for a leaf function. */
export function chargePoints(
  view: FunctionView,
  context: ModuleContext,
  flow: ValueFlow,
  leafCosts: ReadonlyMap<number, number>,
): ChargePoints {
  const builder = new SegmentBuilder()
  builder.open(0, -1, false, false)
  builder.charge(entryCost(view))
  builder.frames.push({
    opcode: Op.block,
    segment: 0,
    parameters: 0,
    results: view.type.results.length,
    branched: false,
    escaped: false,
  })
  for (let i = 0; i < view.code.count - 1; i++) visit(builder, view, context, flow, leafCosts, i)
  return joinSegments(builder.segments)
}

function visit(
  builder: SegmentBuilder,
  view: FunctionView,
  context: ModuleContext,
  flow: ValueFlow,
  leafCosts: ReadonlyMap<number, number>,
  i: number,
): void {
  const opcode = view.code.opcode(i)
  const first = view.code.first(i)
  const isLive = flow.dead[i] === 0
  const isNextLive = flow.dead[i + 1] === 0
  const charge = (cost: number): void => {
    if (isLive) builder.charge(cost)
  }
  switch (opcode) {
    case Op.block:
    case Op.loop:
    case Op.if: {
      charge(plainCost(opcode))
      const segment = builder.last
      builder.frames.push({ opcode, segment, ...blockSignature(context.types, first), branched: false, escaped: false })
      if (isNextLive && opcode !== Op.block) builder.open(i + 1, segment, false, opcode === Op.loop)
      return
    }
    case Op.else: {
      const frame = builder.frames[builder.frames.length - 1]
      assert(frame !== undefined, 'else has a frame')
      frame.opcode = Op.else
      if (isNextLive) builder.open(i + 1, frame.segment, false, false)
      return
    }
    case Op.end: {
      const frame = builder.frames.pop()
      assert(frame !== undefined, 'end has a frame')
      if (isNextLive && (frame.opcode !== Op.block || frame.branched))
        builder.open(i + 1, frame.segment, !frame.escaped, false)
      return
    }
    case Op.br:
      charge(branchCost(opcode, builder.branch(first)))
      return
    case Op.brIf:
      charge(branchCost(opcode, builder.branch(first)))
      if (isNextLive) builder.open(i + 1, builder.last, false, false)
      return
    case Op.brTable: {
      let values = 0
      for (const label of branchTableLabels(view, i)) values = builder.branch(label)
      charge(branchCost(opcode, values))
      return
    }
    case Op.return:
      charge(branchCost(opcode, builder.branch(builder.frames.length - 1)))
      return
    case Op.call:
      charge(callCost + (leafCosts.get(first) ?? 0))
      return
    case Op.callIndirect:
      charge(callIndirectCost)
      return
    default:
      charge(plainCost(opcode))
  }
}

/** Dominators come before the segments they dominate, so one walk settles every charge. */
function joinSegments(segments: readonly Segment[]): ChargePoints {
  const chargedAt = new Int32Array(segments.length)
  const costs = new Float64Array(segments.length)
  segments.forEach((segment, index) => {
    const at = segment.joins ? (chargedAt[segment.dominator] as number) : index
    chargedAt[index] = at
    costs[at] = (costs[at] as number) + segment.cost
  })
  const points = new Map<number, ChargePoint>()
  segments.forEach((segment, index) => {
    const cost = costs[index] as number
    if (chargedAt[index] === index && (cost > 0 || index === 0))
      points.set(segment.start, { cost, isLoop: segment.isLoop })
  })
  return points
}
