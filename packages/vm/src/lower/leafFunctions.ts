/**
 * Leaf functions: small, without calls, loops and bulk work, reached by direct calls only. They keep their type and
 * their callers pay their whole cost, which saves a charge and the gas word on the hottest small functions.
 */
import { ByteReader } from '../binary/byteReader.js'
import { DecodedCode } from '../binary/decodedCode.js'
import type { Module } from '../binary/moduleTypes.js'
import { Op } from '../binary/opcodes.js'
import { leafCost } from './chargePoints.js'
import { maximumLeafInstructions, maximumLeafSlots } from './costs.js'
import { type FunctionView, type ModuleContext, viewFunction } from './functionView.js'

/** Function indices named by element segments. */
function tableTargets(module: Module): Set<number> {
  const targets = new Set<number>()
  for (const segment of module.elements) {
    for (const index of segment.functions ?? []) targets.add(index)
    for (const expression of segment.expressions ?? [])
      if (expression[0] === Op.refFunc) targets.add(new ByteReader(expression, 1).u32())
  }
  return targets
}

function isLeaf(view: FunctionView): boolean {
  const { code } = view
  if (code.count > maximumLeafInstructions || view.localTypes.length > maximumLeafSlots) return false
  for (let i = 0; i < code.count; i++) {
    const opcode = code.opcode(i)
    if (opcode === Op.loop || opcode === Op.call || opcode === Op.callIndirect || opcode === Op.memoryGrow) return false
    if (opcode >= Op.memoryInit) return false
    if ((opcode === Op.block || opcode === Op.if) && code.first(i) >= 0) return false
  }
  return true
}

/** Cost that a caller pays, per function index of a leaf. `roots` are called from outside and never leaves. */
export function findLeaves(module: Module, context: ModuleContext, roots: ReadonlySet<number>): Map<number, number> {
  const leaves = new Map<number, number>()
  const targets = tableTargets(module)
  const code = new DecodedCode()
  for (let position = 0; position < module.bodies.length; position++) {
    const index = context.importedFunctions + position
    if (roots.has(index) || targets.has(index)) continue
    const size = module.bodies[position]?.code.length ?? 0
    if (size > 16 * maximumLeafInstructions) continue
    const view = viewFunction(module, context, position, code)
    if (isLeaf(view)) leaves.set(index, leafCost(view))
  }
  return leaves
}
