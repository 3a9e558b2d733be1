/**
 * Which marks of the dirty map a body needs (design/vm.md B 6). Stores whose addresses have the same unmodified base
 * local share the mark of the first of them if they lie within `spillBytes`; the engine compares that much of the page
 * behind a marked page. A shadow-stack frame (global.get, const, sub, tee) is marked at its definition, both ends.
 *
 * Why sharing is sound: within one block, control reaches a later store only past the first; a group ends with its
 * block and with any write of its local, and a loop ends the groups of every local that it writes. If a base wraps
 * past 2^32, the bytes reached lie at the start of page 0, which the engine always compares.
 */
import { Op, storeWidth } from '../binary/opcodes.js'
import type { FunctionView } from './functionView.js'
import { spillBytes, statePageBytes } from './layout.js'
import type { ValueFlow } from './valueFlow.js'

export interface StoreGroup {
  /** Base local, or -1: the address is some other value. */
  readonly local: number
  /** Instruction to mark at: before it, or behind it for a frame definition. */
  readonly at: number
  readonly isFrame: boolean
  /** Without base local: the instruction that makes the address, or -1 if it is only on the stack. */
  readonly address: number
  /** Bytes written, relative to the base: from `low` up to `high`. */
  low: number
  high: number
  stores: number
}

interface LiveGroup {
  readonly group: StoreGroup
  /** Instruction that last wrote the base local. */
  readonly version: number
  /** Nesting at which the group began. */
  readonly depth: number
}

class GroupFinder {
  readonly groups: StoreGroup[] = []
  private live: LiveGroup[] = []
  private depth = 1
  private readonly view: FunctionView
  private readonly flow: ValueFlow
  /** Instruction of the last write of each local, -1 for its initial value. */
  private readonly lastWrite: Int32Array

  constructor(view: FunctionView, flow: ValueFlow) {
    this.view = view
    this.flow = flow
    this.lastWrite = new Int32Array(view.localTypes.length).fill(-1)
  }

  visit(i: number): void {
    const { code } = this.view
    const opcode = code.opcode(i)
    switch (opcode) {
      case Op.block:
      case Op.if:
        this.depth++
        return
      case Op.loop:
        this.depth++
        this.enterLoop(i)
        return
      case Op.else:
        this.live = this.live.filter((entry) => entry.depth < this.depth)
        return
      case Op.end:
        this.depth--
        this.live = this.live.filter((entry) => entry.depth <= this.depth)
        return
      case Op.localSet:
        this.lastWrite[code.first(i)] = i
        return
      case Op.localTee:
        this.lastWrite[code.first(i)] = i
        if (this.flow.dead[i] === 0 && this.isFrameDefinition(i)) this.openFrame(i)
        return
      default:
        if (storeWidth(opcode) > 0 && this.flow.dead[i] === 0) this.store(i)
    }
  }

  private enterLoop(i: number): void {
    const { code } = this.view
    const written = new Set<number>()
    const end = this.flow.blockEnd[i] ?? i
    for (let k = i; k < end; k++)
      if (code.opcode(k) === Op.localSet || code.opcode(k) === Op.localTee) written.add(code.first(k))
    this.live = this.live.filter((entry) => !written.has(entry.group.local))
    for (const local of written) this.lastWrite[local] = i
  }

  private isFrameDefinition(i: number): boolean {
    const { code } = this.view
    return (
      i >= 3 &&
      code.opcode(i - 1) === Op.i32Sub &&
      code.opcode(i - 2) === Op.i32Const &&
      code.opcode(i - 3) === Op.globalGet
    )
  }

  private openFrame(i: number): void {
    const local = this.view.code.first(i)
    this.begin({ local, at: i, isFrame: true, address: -1, low: Number.POSITIVE_INFINITY, high: -1, stores: 0 }, i)
  }

  private begin(group: StoreGroup, version: number): void {
    this.groups.push(group)
    if (group.local >= 0) this.live.push({ group, version, depth: this.depth })
  }

  private store(i: number): void {
    const { code } = this.view
    let address = this.flow.address[i] ?? -1
    let low = code.second(i)
    const constant = this.addedConstant(address)
    if (constant >= 0) {
      low += constant
      address -= 2
    }
    const high = low + storeWidth(code.opcode(i))
    const local = this.baseLocal(address)
    if (local >= 0 && this.joinGroup(local, low, high)) return
    const version = local >= 0 ? (this.lastWrite[local] as number) : -1
    this.begin({ local, at: i, isFrame: false, address: local >= 0 ? -1 : address, low, high, stores: 1 }, version)
  }

  /** For `local.get L; i32.const c; i32.add` with small c and L unchanged since: c, else -1. */
  private addedConstant(address: number): number {
    const { code } = this.view
    const { consumer } = this.flow
    if (address < 2 || code.opcode(address) !== Op.i32Add) return -1
    if (code.opcode(address - 1) !== Op.i32Const || code.opcode(address - 2) !== Op.localGet) return -1
    if (consumer[address - 1] !== address || consumer[address - 2] !== address) return -1
    const constant = code.first(address - 1)
    if (constant < 0 || constant >= 65_536) return -1
    return (this.lastWrite[code.first(address - 2)] as number) < address ? constant : -1
  }

  /** The local that still holds the address, or -1. */
  private baseLocal(address: number): number {
    if (address < 0) return -1
    const opcode = this.view.code.opcode(address)
    if (opcode !== Op.localGet && opcode !== Op.localTee) return -1
    const local = this.view.code.first(address)
    return (this.lastWrite[local] as number) <= address ? local : -1
  }

  private joinGroup(local: number, low: number, high: number): boolean {
    for (const { group, version } of this.live) {
      if (group.local !== local || version !== this.lastWrite[local]) continue
      const joinedLow = Math.min(group.low, low)
      const joinedHigh = Math.max(group.high, high)
      if (joinedHigh - joinedLow > (group.isFrame ? statePageBytes : spillBytes)) continue
      group.low = joinedLow
      group.high = joinedHigh
      group.stores++
      return true
    }
    return false
  }
}

/** Groups with at least one store, in the order of the place where their address is known. */
export function findStoreGroups(view: FunctionView, flow: ValueFlow): StoreGroup[] {
  const finder = new GroupFinder(view, flow)
  for (let i = 0; i < view.code.count - 1; i++) finder.visit(i)
  const place = (group: StoreGroup): number => (group.address >= 0 ? group.address : group.at)
  return finder.groups.filter((group) => group.stores > 0).sort((a, b) => place(a) - place(b))
}
