/** Bytes and bounds of the integer types (`spec/interface.md` 3.1). 64 bits and more are `bigint` in TypeScript. */

export interface IntegerType {
  /** Bytes on the wire. */
  readonly size: number
  readonly minimum: bigint
  readonly maximum: bigint
  /** Whether the TypeScript value is a `bigint`; else a `number`. */
  readonly big: boolean
}

function integer(bits: number, signed: boolean): IntegerType {
  const maximum = (1n << BigInt(signed ? bits - 1 : bits)) - 1n
  return { size: bits / 8, minimum: signed ? -maximum - 1n : 0n, maximum, big: bits >= 64 }
}

export const integerTypes: ReadonlyMap<string, IntegerType> = new Map([
  ['u8', integer(8, false)],
  ['u16', integer(16, false)],
  ['u32', integer(32, false)],
  ['u64', integer(64, false)],
  ['u128', integer(128, false)],
  ['u256', integer(256, false)],
  ['i8', integer(8, true)],
  ['i16', integer(16, true)],
  ['i32', integer(32, true)],
  ['i64', integer(64, true)],
  ['i128', integer(128, true)],
  ['i256', integer(256, true)],
])
