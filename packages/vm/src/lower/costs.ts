/**
 * Metering table of lowering version 1 (`spec/vm.md` 3): gas of instructions, calls and bulk work, and the limits of
 * the call stack. Gas is at least the number of steps of the step machine. Consensus data: a change is a new version.
 */
import { Op } from '../binary/opcodes.js'

/** Version of the lowering, part of the code identity of a backend. */
export const loweringVersion = 1

/** Gas and depth share one i64: `gas << 16 | depth`. */
export const gasShift = 16n

/** Highest gas limit of a call; leaves room so that no overdraft wraps the 48 bits of gas. */
export const maximumGasLimit: number = 2 ** 46

/** Signs of the gas field (bit 63) and of the depth field (bit 15): any set bit stops the program. */
export const exhaustedMask: bigint = BigInt.asIntN(64, 0x8000_0000_0000_8000n)

/**
 * Call stack in units of six 8-byte slots. 32,000 units are 192,000 slots, below the 2^18 slots of the step machine,
 * and at least eight units a frame are at most 4,000 frames, below its 4,096.
 *
 * The length of the body counts too: V8's optimising compiler keeps common subexpressions alive over calls, so a frame
 * can hold a value for every instruction and not only for every local (seen: 40 KB of frame for a body with one
 * local). At two values an instruction all frames together stay below 32,000 x 256 x 16 bytes = 131 MB, half of the
 * stack that the engine requires.
 */
export const depthBudget = 32_000
const slotsPerUnit = 6
const minimumFrameUnits = 8
const instructionsPerUnit = 256

/** Depth units of a frame with `slots` parameters, locals and operands, and a body of `instructions`. */
export function frameWeight(slots: number, instructions: number): number {
  return Math.max(minimumFrameUnits, Math.ceil(slots / slotsPerUnit), Math.ceil(instructions / instructionsPerUnit))
}

/** Longest body: its weight must leave the depth field's sign readable and a call possible. */
export const maximumBodyInstructions = 4_000_000

/** Slots that a frame may have: the step machine addresses them with 16 bits. */
export const maximumFrameSlots = 16_384

/** Functions without calls, loops and bulk work up to this size keep their type and are paid for by their callers. */
export const maximumLeafInstructions = 40
export const maximumLeafSlots = 64

export const callCost = 4
export const callIndirectCost = 6
/** Crossing into JavaScript and back takes about as long as this many instructions. */
export const hostCallCost = 64
/** Copies, fills and host transfers: `1 + floor(length / 32)`. */
export const bulkShift = 5
/** A growth that is rolled back costs the engine a new instance and a copy of the whole memory. */
export const growthBaseCost = 1_000_000
export const growthPageCost = 2_048
const slowArithmeticCost = 8

const freeOpcodes: ReadonlySet<number> = new Set([Op.nop, Op.block, Op.loop, Op.else, Op.end, Op.drop])

/** Integer division and remainder, float division and square root. */
function isSlowArithmetic(opcode: number): boolean {
  return (
    (opcode >= 0x6d && opcode <= 0x70) ||
    (opcode >= 0x7f && opcode <= 0x82) ||
    opcode === 0x91 ||
    opcode === 0x95 ||
    opcode === 0x9f ||
    opcode === 0xa3
  )
}

/** Gas of one instruction that is neither a call nor a branch. */
export function plainCost(opcode: number): number {
  if (freeOpcodes.has(opcode)) return 0
  return isSlowArithmetic(opcode) ? slowArithmeticCost : 1
}

/** Gas of a branch or return that carries `values`; a branch table takes one step more. */
export function branchCost(opcode: number, values: number): number {
  return (opcode === Op.brTable ? 2 : 1) + values
}
