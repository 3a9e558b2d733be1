/**
 * Random valid modules that store through locals with offsets, in loops, branches, frames and calls: food for the
 * store groups of pass 2. Every loop counts down, so plain V8 ends too.
 */
import { utf8Bytes } from '@onus/protocol/bytes'
import { CodeWriter, codeBytes, emptyBlock } from '../../src/binary/codeWriter.js'
import { encodeModule } from '../../src/binary/encodeModule.js'
import { type FunctionBody, ValueType } from '../../src/binary/moduleTypes.js'
import { Op } from '../../src/binary/opcodes.js'

const { i32, i64 } = ValueType
const addressLocals = 4
const counterLocals = 4
const stackPointer = 0
const functions = 4

type Random = () => number

export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  // mulberry32: all 32 bits are good, addresses need the low ones.
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

class BodyMaker {
  readonly code = new CodeWriter()
  private readonly random: Random
  private readonly functionIndex: number
  private loops = 0
  /** Open labels, innermost last: whether each is a loop, to which nothing branches but its own count. */
  private readonly labels: boolean[] = []

  constructor(random: Random, functionIndex: number) {
    this.random = random
    this.functionIndex = functionIndex
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit)
  }

  private interesting(): number {
    const edge = [-this.below(80), 65_536 - this.below(80)][this.below(2)] as number
    if (this.below(25) === 0) return edge
    return this.below(3) === 0 ? this.below(57_000) : Math.max(0, 4096 * this.below(14) - 32 + this.below(64))
  }

  private address(): void {
    const local = this.below(addressLocals)
    switch (this.below(7)) {
      case 0:
        this.code.i32Const(this.interesting())
        return
      case 1:
        this.code.localGet(local).i32Const(this.below(100)).op(Op.i32Add)
        return
      case 2:
        this.code.localGet(local).i32Const(this.interesting()).op(Op.i32Add)
        if (this.below(4) > 0) this.code.i32Const(0xdfff).op(Op.i32And)
        return
      case 3:
        this.code.i32Const(this.interesting()).localTee(local)
        return
      case 4:
        this.code.localGet(local).localGet(this.below(addressLocals)).op(Op.i32Add).i32Const(0xdfff).op(Op.i32And)
        return
      default:
        this.code.localGet(local)
    }
  }

  private offset(): number {
    return [0, this.below(8), this.below(64), this.below(200), 4000 + this.below(200)][this.below(5)] as number
  }

  private store(): void {
    this.address()
    const opcode = Op.i32Store + ([0, 1, 4, 5, 6, 7, 8][this.below(7)] as number)
    const isLong = opcode === Op.i64Store || (opcode >= Op.i64Store8 && opcode <= Op.i64Store32)
    if (isLong) this.code.i64Const(BigInt(this.below(1 << 30)))
    else if (this.below(3) === 0) this.code.localGet(this.below(addressLocals))
    else this.code.i32Const(this.below(1 << 30) + 1)
    this.code.memory(opcode, 0, this.offset())
  }

  private branchCondition(): void {
    this.code.localGet(this.below(addressLocals)).i32Const(this.below(4)).op(Op.i32ShrU).i32Const(1).op(Op.i32And)
  }

  statements(count: number): void {
    for (let i = 0; i < count; i++) this.statement()
  }

  private nested(isLoop: boolean, write: () => void): void {
    this.labels.push(isLoop)
    write()
    this.labels.pop()
  }

  /** Leaves some block or the function, under a condition. */
  private leave(): void {
    const open = this.labels.map((isLoop, position) => (isLoop ? -1 : this.labels.length - 1 - position))
    const targets = open.filter((label) => label >= 0)
    const target = targets[this.below(targets.length + 1)]
    this.branchCondition()
    if (target === undefined) {
      this.code.ifThen()
      if (this.functionIndex > 0) this.code.localGet(0)
      this.code.op(Op.return).op(Op.end)
    } else if (this.below(3) === 0) {
      const other = targets[this.below(targets.length)] as number
      this.code.op(Op.brTable).u32(1).u32(target).u32(other)
    } else this.code.op(Op.brIf).u32(target)
  }

  private statement(): void {
    const kind = this.below(this.labels.length < 5 ? 18 : 9)
    if (kind < 7) this.store()
    else if (kind === 7) this.code.i32Const(this.interesting()).localSet(this.below(addressLocals))
    else if (kind === 8) {
      this.address()
      this.code.localSet(this.below(addressLocals))
    } else if (kind === 9) this.block()
    else if (kind === 10) this.loop()
    else if (kind === 11) this.frame()
    else if (kind === 12) this.bulk()
    else if (kind === 13 && this.functionIndex + 1 < functions) {
      this.address()
      this.code.call(this.functionIndex + 1).localSet(this.below(addressLocals))
    } else if (kind === 14) this.leave()
    else this.conditional()
  }

  private conditional(): void {
    this.branchCondition()
    this.code.ifThen()
    this.nested(false, () => this.statements(1 + this.below(4)))
    if (this.below(2) === 0) {
      this.code.op(Op.else)
      this.nested(false, () => this.statements(1 + this.below(3)))
    }
    this.code.op(Op.end)
  }

  private block(): void {
    this.code.op(Op.block).u8(emptyBlock)
    this.nested(false, () => {
      this.statements(1 + this.below(3))
      this.branchCondition()
      this.code.op(Op.brIf).u32(0)
      this.statements(1 + this.below(3))
    })
    this.code.op(Op.end)
  }

  private loop(): void {
    if (this.loops >= counterLocals) return
    const counter = addressLocals + this.loops++
    this.code
      .i32Const(1 + this.below(3))
      .localSet(counter)
      .op(Op.loop)
      .u8(emptyBlock)
    this.nested(true, () => this.statements(1 + this.below(4)))
    this.code.localGet(counter).i32Const(1).op(Op.i32Sub).localTee(counter).op(Op.brIf).u32(0).op(Op.end)
  }

  private frame(): void {
    const local = this.below(addressLocals)
    const size = 16 * (1 + this.below(200))
    this.code.globalGet(stackPointer).i32Const(size).op(Op.i32Sub).localTee(local).globalSet(stackPointer)
    const writes = this.below(4)
    for (let i = 0; i < writes; i++)
      this.code.localGet(local).i32Const(this.below(1000)).memory(Op.i32Store, 0, this.below(size))
    this.code.globalGet(stackPointer).i32Const(size).op(Op.i32Add).globalSet(stackPointer)
  }

  private bulk(): void {
    this.code.i32Const(this.below(57_000)).i32Const(this.below(57_000)).i32Const(this.below(9_000))
    if (this.below(2) === 0) this.code.op(Op.memoryFill).u8(0)
    else this.code.op(Op.memoryCopy).u8(0).u8(0)
  }
}

function randomBody(random: Random, index: number): FunctionBody {
  const maker = new BodyMaker(random, index)
  maker.statements(4 + Math.floor(random() * 12))
  if (index > 0) maker.code.localGet(0)
  maker.code.op(Op.end)
  const parameters = index > 0 ? 1 : 0
  return { locals: [{ count: addressLocals + counterLocals - parameters, valueType: i32 }], code: maker.code.finish() }
}

/** Function 0 is `invoke`, function k may call k + 1. */
export function randomModule(seed: number): Uint8Array {
  const random = seededRandom(seed)
  const bodies: FunctionBody[] = []
  for (let index = 0; index < functions; index++) bodies.push(randomBody(random, index))
  return encodeModule({
    types: [
      { parameters: [], results: [] },
      { parameters: [i32], results: [i32] },
    ],
    imports: [],
    functions: [0, 1, 1, 1],
    tables: [],
    memories: [{ flags: 1, minimum: 1, maximum: 2 }],
    globals: [
      { valueType: i32, mutable: 1, initial: codeBytes((code) => code.i32Const(40_000 + (seed % 9_000)).op(Op.end)) },
      { valueType: i64, mutable: 1, initial: codeBytes((code) => code.i64Const(-1n).op(Op.end)) },
    ],
    exports: [
      { name: utf8Bytes('memory'), kind: 2, index: 0 },
      { name: utf8Bytes('invoke'), kind: 0, index: 0 },
    ],
    start: -1,
    elements: [],
    dataCount: -1,
    bodies,
    data: [],
    customs: [],
    sections: new Set(),
  })
}
