/**
 * Unsigned integers of 256 bits: `u256.of(5)`, `u256.parse("123")`, the operators of numbers. A value never changes.
 * What does not fit traps: overflow, a difference below zero, division by zero.
 */
import {
  addLimbs, compareLimbs, divideLimbs, hashLimbs, isOneLimb, isZeroLimbs, multiplyLimbs, parseDecimal, shiftLeftLimbs,
  shiftRightLimbs, subtractLimbs, takeDecimal,
} from "./limbs";

const limbs: usize = 4;
const size: usize = limbs << 3;

// @ts-ignore: decorator
@final
export class u256 {
  /** 64 bits each, the lowest first. */
  constructor(private a: u64 = 0, private b: u64 = 0, private c: u64 = 0, private d: u64 = 0) {}

  static get zero(): u256 { return new u256(); }
  static get one(): u256 { return new u256(1); }
  static get max(): u256 { return new u256(u64.MAX_VALUE, u64.MAX_VALUE, u64.MAX_VALUE, u64.MAX_VALUE); }

  static of(value: u64): u256 { return new u256(value); }

  /** Decimal digits and nothing else. */
  static parse(text: string): u256 {
    const value = new u256();
    if (!parseDecimal(text, 0, changetype<usize>(value), limbs)) throw new RangeError("expected a decimal u256");
    return value;
  }

  /** A copy, to be changed in place. */
  private copy(): u256 {
    const copy = new u256();
    memory.copy(changetype<usize>(copy), changetype<usize>(this), size);
    return copy;
  }

  get isZero(): bool { return isZeroLimbs(changetype<usize>(this), limbs); }

  /** Traps above 64 bits. */
  toU64(): u64 {
    if (!isOneLimb(changetype<usize>(this), limbs)) throw new RangeError("u256 does not fit u64");
    return load<u64>(changetype<usize>(this));
  }

  toString(): string { return takeDecimal(changetype<usize>(this.copy()), limbs); }

  hashCode(): u32 { return hashLimbs(changetype<usize>(this), limbs); }

  @operator("+") plus(other: u256): u256 {
    const result = new u256();
    if (addLimbs(changetype<usize>(result), changetype<usize>(this), changetype<usize>(other), limbs)) {
      throw new RangeError("u256: the sum is too large");
    }
    return result;
  }

  @operator("-") minus(other: u256): u256 {
    const result = new u256();
    if (subtractLimbs(changetype<usize>(result), changetype<usize>(this), changetype<usize>(other), limbs)) {
      throw new RangeError("u256: the difference is below zero");
    }
    return result;
  }

  @operator("*") times(other: u256): u256 {
    const result = new u256();
    if (multiplyLimbs(changetype<usize>(result), changetype<usize>(this), changetype<usize>(other), limbs)) {
      throw new RangeError("u256: the product is too large");
    }
    return result;
  }

  /** Divides `rest`, which becomes the remainder. */
  private static divide(rest: u256, divisor: u256): u256 {
    if (divisor.isZero) throw new RangeError("u256: division by zero");
    const quotient = new u256();
    divideLimbs(changetype<usize>(quotient), changetype<usize>(rest), changetype<usize>(divisor), limbs);
    return quotient;
  }

  @operator("/") over(other: u256): u256 { return u256.divide(this.copy(), other); }

  @operator("%") rest(other: u256): u256 {
    const rest = this.copy();
    u256.divide(rest, other);
    return rest;
  }

  @operator("==") equals(other: u256): bool {
    return compareLimbs(changetype<usize>(this), changetype<usize>(other), limbs) == 0;
  }
  @operator("!=") differs(other: u256): bool { return !this.equals(other); }
  @operator("<") below(other: u256): bool {
    return compareLimbs(changetype<usize>(this), changetype<usize>(other), limbs) < 0;
  }
  @operator(">") above(other: u256): bool { return other.below(this); }
  @operator("<=") notAbove(other: u256): bool { return !other.below(this); }
  @operator(">=") notBelow(other: u256): bool { return !this.below(other); }

  @operator("&") and(other: u256): u256 {
    const result = new u256();
    for (let i: usize = 0; i < size; i += 8) {
      store<u64>(changetype<usize>(result) + i, load<u64>(changetype<usize>(this) + i) & load<u64>(changetype<usize>(other) + i));
    }
    return result;
  }
  @operator("|") or(other: u256): u256 {
    const result = new u256();
    for (let i: usize = 0; i < size; i += 8) {
      store<u64>(changetype<usize>(result) + i, load<u64>(changetype<usize>(this) + i) | load<u64>(changetype<usize>(other) + i));
    }
    return result;
  }
  @operator("^") xor(other: u256): u256 {
    const result = new u256();
    for (let i: usize = 0; i < size; i += 8) {
      store<u64>(changetype<usize>(result) + i, load<u64>(changetype<usize>(this) + i) ^ load<u64>(changetype<usize>(other) + i));
    }
    return result;
  }

  /** Bits beyond the highest are lost; by 256 and more, all are. */
  @operator("<<") shiftLeft(bits: i32): u256 {
    const result = new u256();
    if (<u32>bits < 256) shiftLeftLimbs(changetype<usize>(result), changetype<usize>(this), bits, limbs);
    return result;
  }
  @operator(">>") shiftRight(bits: i32): u256 {
    const result = new u256();
    if (<u32>bits < 256) shiftRightLimbs(changetype<usize>(result), changetype<usize>(this), bits, 0, limbs);
    return result;
  }
}
