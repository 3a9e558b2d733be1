/**
 * A WebAssembly module for Keccak-256, made here instruction by instruction: no C compiler and no binary blob in the
 * repository. `absorb(source, blocks, state)` takes blocks of 136 bytes into a state of 25 lanes; `hashPairs(source,
 * destination, pairs)` hashes 64-byte blocks to 32 bytes, two at a time in the lanes of a SIMD register. An odd number
 * of pairs also writes 32 bytes of no meaning behind the last result.
 */
import { utf8Bytes } from '@onus/protocol/bytes'
import { type CodeWriter, codeBytes, emptyBlock } from '../binary/codeWriter.js'
import { encodeModule } from '../binary/encodeModule.js'
import { ExternalKind, type LocalRun, ValueType } from '../binary/moduleTypes.js'
import { Op } from '../binary/opcodes.js'

export const blockBytes = 136
/** Where the round constants lie in the memory. */
const constantsAddress = 0
/** First free byte of the memory; 64 KiB in all. */
export const freeAddress = 256

const lanes = 25
const rounds = 24
const { i32, i64, v128 } = ValueType

const roundConstants: readonly bigint[] = [
  0x0000000000000001n,
  0x0000000000008082n,
  0x800000000000808an,
  0x8000000080008000n,
  0x000000000000808bn,
  0x0000000080000001n,
  0x8000000080008081n,
  0x8000000000008009n,
  0x000000000000008an,
  0x0000000000000088n,
  0x0000000080008009n,
  0x000000008000000an,
  0x000000008000808bn,
  0x800000000000008bn,
  0x8000000000008089n,
  0x8000000000008003n,
  0x8000000000008002n,
  0x8000000000000080n,
  0x000000000000800an,
  0x800000008000000an,
  0x8000000080008081n,
  0x8000000000008080n,
  0x0000000080000001n,
  0x8000000080008008n,
]

/** Rotations of rho by lane x + 5 y. */
const rotations = [0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14]

/** One lane type: i64 for one hash, v128 for two side by side. Each method works on the operand stack. */
interface LaneType {
  readonly valueType: number
  xor(code: CodeWriter): void
  /** Rotates the value in `local` left and leaves it on the stack. */
  rotate(code: CodeWriter, local: number, bits: number): void
  /** Leaves `~first & second` on the stack. */
  andNot(code: CodeWriter, first: number, second: number): void
  /** Leaves the round constant at the address in `local` on the stack. */
  loadConstant(code: CodeWriter, local: number): void
}

const single: LaneType = {
  valueType: i64,
  xor: (code) => code.op(Op.i64Xor),
  rotate: (code, local, bits) => code.localGet(local).i64Const(BigInt(bits)).op(Op.i64Rotl),
  andNot: (code, first, second) => code.localGet(first).i64Const(-1n).op(Op.i64Xor).localGet(second).op(Op.i64And),
  loadConstant: (code, local) => code.localGet(local).memory(Op.i64Load, 3, constantsAddress),
}

const v128Load64Splat = 0x20a
const v128Load64Lane = 0x257
const v128Store64Lane = 0x25b

const double: LaneType = {
  valueType: v128,
  xor: (code) => code.op(Op.v128Xor),
  rotate(code, local, bits) {
    code.localGet(local).i32Const(bits).op(Op.i64x2Shl)
    code
      .localGet(local)
      .i32Const(64 - bits)
      .op(Op.i64x2ShrU)
      .op(Op.v128Or)
  },
  andNot: (code, first, second) => code.localGet(second).localGet(first).op(Op.v128Andnot),
  loadConstant: (code, local) => code.localGet(local).memory(v128Load64Splat, 3, constantsAddress),
}

/** Locals of a permutation: 25 lanes of state at `first`, 25 of scratch, 5 columns, 5 differences. */
const laneLocals: number = 2 * lanes + 10

/** The 24 rounds on the state in locals; `counter` is a free i32 local. */
function emitPermutation(code: CodeWriter, type: LaneType, first: number, counter: number): void {
  code.i32Const(constantsAddress).localSet(counter).op(Op.loop).u8(emptyBlock)
  emitThetaRhoPi(code, type, first)
  emitChi(code, type, first)
  code.localGet(first)
  type.loadConstant(code, counter)
  type.xor(code)
  code.localSet(first)
  code.localGet(counter).i32Const(8).op(Op.i32Add).localTee(counter)
  code
    .i32Const(constantsAddress + 8 * rounds)
    .op(Op.i32LtU)
    .op(Op.brIf)
    .u32(0)
    .op(Op.end)
}

function emitThetaRhoPi(code: CodeWriter, type: LaneType, first: number): void {
  const scratch = first + lanes
  const column = first + 2 * lanes
  const difference = column + 5
  for (let x = 0; x < 5; x++) {
    code.localGet(first + x)
    for (let y = 1; y < 5; y++) {
      code.localGet(first + x + 5 * y)
      type.xor(code)
    }
    code.localSet(column + x)
  }
  for (let x = 0; x < 5; x++) {
    code.localGet(column + ((x + 4) % 5))
    type.rotate(code, column + ((x + 1) % 5), 1)
    type.xor(code)
    code.localSet(difference + x)
  }
  for (let y = 0; y < 5; y++)
    for (let x = 0; x < 5; x++) {
      const target = scratch + y + 5 * ((2 * x + 3 * y) % 5)
      code.localGet(first + x + 5 * y).localGet(difference + x)
      type.xor(code)
      code.localSet(target)
      const bits = rotations[x + 5 * y] as number
      if (bits === 0) continue
      type.rotate(code, target, bits)
      code.localSet(target)
    }
}

function emitChi(code: CodeWriter, type: LaneType, first: number): void {
  const scratch = first + lanes
  for (let y = 0; y < 5; y++)
    for (let x = 0; x < 5; x++) {
      code.localGet(scratch + x + 5 * y)
      type.andNot(code, scratch + ((x + 1) % 5) + 5 * y, scratch + ((x + 2) % 5) + 5 * y)
      type.xor(code)
      code.localSet(first + x + 5 * y)
    }
}

/** Parameters 0 source, 1 blocks, 2 state; local 3 counter, lanes from 4. */
function emitAbsorb(code: CodeWriter): void {
  const first = 4
  for (let lane = 0; lane < lanes; lane++)
    code
      .localGet(2)
      .memory(Op.i64Load, 3, 8 * lane)
      .localSet(first + lane)
  code.op(Op.block).u8(emptyBlock).op(Op.loop).u8(emptyBlock)
  code.localGet(1).op(Op.i32Eqz).op(Op.brIf).u32(1)
  for (let lane = 0; lane < blockBytes / 8; lane++)
    code
      .localGet(first + lane)
      .localGet(0)
      .memory(Op.i64Load, 0, 8 * lane)
      .op(Op.i64Xor)
      .localSet(first + lane)
  emitPermutation(code, single, first, 3)
  code.localGet(0).i32Const(blockBytes).op(Op.i32Add).localSet(0)
  code.localGet(1).i32Const(1).op(Op.i32Sub).localSet(1).op(Op.br).u32(0).op(Op.end).op(Op.end)
  for (let lane = 0; lane < lanes; lane++)
    code
      .localGet(2)
      .localGet(first + lane)
      .memory(Op.i64Store, 3, 8 * lane)
  code.op(Op.end)
}

/** Parameters 0 source, 1 destination, 2 pairs; local 3 counter, lanes from 4. */
function emitHashPairs(code: CodeWriter): void {
  const first = 4
  code.op(Op.block).u8(emptyBlock).op(Op.loop).u8(emptyBlock)
  code.localGet(2).i32Const(0).op(i32LeS).op(Op.brIf).u32(1)
  for (let lane = 0; lane < 8; lane++) {
    code
      .localGet(0)
      .localGet(0)
      .memory(v128Load64Splat, 0, 8 * lane)
    code
      .memory(v128Load64Lane, 0, 64 + 8 * lane)
      .u8(1)
      .localSet(first + lane)
  }
  for (let lane = 8; lane < lanes; lane++)
    code
      .i64Const(paddingLane(lane))
      .op(Op.i64x2Splat)
      .localSet(first + lane)
  emitPermutation(code, double, first, 3)
  for (let lane = 0; lane < 4; lane++) {
    code
      .localGet(1)
      .localGet(first + lane)
      .memory(v128Store64Lane, 0, 8 * lane)
      .u8(0)
    code
      .localGet(1)
      .localGet(first + lane)
      .memory(v128Store64Lane, 0, 32 + 8 * lane)
      .u8(1)
  }
  code.localGet(0).i32Const(128).op(Op.i32Add).localSet(0)
  code.localGet(1).i32Const(64).op(Op.i32Add).localSet(1)
  code.localGet(2).i32Const(2).op(Op.i32Sub).localSet(2).op(Op.br).u32(0).op(Op.end).op(Op.end).op(Op.end)
}

const i32LeS = 0x4c

/** Padding of a 64-byte message: 0x01 behind it, 0x80 at the end of the block. */
function paddingLane(lane: number): bigint {
  if (lane === 8) return 1n
  return lane === blockBytes / 8 - 1 ? 1n << 63n : 0n
}

function constantBytes(): Uint8Array {
  const bytes = new Uint8Array(8 * rounds)
  const view = new DataView(bytes.buffer)
  roundConstants.forEach((constant, round) => {
    view.setBigUint64(8 * round, constant, true)
  })
  return bytes
}

export function keccakModuleBytes(): Uint8Array {
  const locals = (valueType: number): LocalRun[] => [
    { count: 1, valueType: i32 },
    { count: laneLocals, valueType },
  ]
  return encodeModule({
    types: [{ parameters: [i32, i32, i32], results: [] }],
    imports: [],
    functions: [0, 0],
    tables: [],
    memories: [{ flags: 1, minimum: 1, maximum: 1 }],
    globals: [],
    exports: [
      { name: utf8Bytes('memory'), kind: ExternalKind.memory, index: 0 },
      { name: utf8Bytes('absorb'), kind: ExternalKind.function, index: 0 },
      { name: utf8Bytes('hashPairs'), kind: ExternalKind.function, index: 1 },
    ],
    start: -1,
    elements: [],
    dataCount: -1,
    bodies: [
      { locals: locals(i64), code: codeBytes(emitAbsorb) },
      { locals: locals(v128), code: codeBytes(emitHashPairs) },
    ],
    data: [
      {
        flags: 0,
        memory: 0,
        offset: codeBytes((code) => code.i32Const(constantsAddress).op(Op.end)),
        bytes: constantBytes(),
      },
    ],
    customs: [],
    sections: new Set(),
  })
}
