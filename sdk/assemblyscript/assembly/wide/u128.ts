/**
 * Unsigned integers of 128 bits: `u128.of(5)`, `u128.parse("123")`, the operators of numbers. A value never changes.
 * What does not fit traps: overflow, a difference below zero, division by zero.
 */
import {
  addLimbs, compareLimbs, divideLimbs, hashLimbs, isOneLimb, isZeroLimbs, multiplyLimbs, parseDecimal, shiftLeftLimbs,
  shiftRightLimbs, subtractLimbs, takeDecimal,
} from "./limbs";

const limbs: usize = 2;
const size: usize = limbs << 3;

// @ts-ignore: decorator
@final
export class u128 {
  /** 64 bits each, the lowest first. */
  constructor(private a: u64 = 0, private b: u64 = 0) {}

  static get zero(): u128 { return new u128(); }
  static get one(): u128 { return new u128(1); }
  static get max(): u128 { return new u128(u64.MAX_VALUE, u64.MAX_VALUE); }

  static of(value: u64): u128 { return new u128(value); }

  /** Decimal digits and nothing else. */
  static parse(text: string): u128 {
    const value = new u128();
    if (!parseDecimal(text, 0, changetype<usize>(value), limbs)) throw new RangeError("expected a decimal u128");
    return value;
  }

  /** A copy, to be changed in place. */
  private copy(): u128 {
    const copy = new u128();
    memory.copy(changetype<usize>(copy), changetype<usize>(this), size);
    return copy;
  }

  get isZero(): bool { return isZeroLimbs(changetype<usize>(this), limbs); }

  /** Traps above 64 bits. */
  toU64(): u64 {
    if (!isOneLimb(changetype<usize>(this), limbs)) throw new RangeError("u128 does not fit u64");
    return load<u64>(changetype<usize>(this));
  }

  toString(): string { return takeDecimal(changetype<usize>(this.copy()), limbs); }

  hashCode(): u32 { return hashLimbs(changetype<usize>(this), limbs); }

  @operator("+") plus(other: u128): u128 {
    const result = new u128();
    if (addLimbs(changetype<usize>(result), changetype<usize>(this), changetype<usize>(other), limbs)) {
      throw new RangeError("u128: the sum is too large");
    }
    return result;
  }

  @operator("-") minus(other: u128): u128 {
    const result = new u128();
    if (subtractLimbs(changetype<usize>(result), changetype<usize>(this), changetype<usize>(other), limbs)) {
      throw new RangeError("u128: the difference is below zero");
    }
    return result;
  }

  @operator("*") times(other: u128): u128 {
    const result = new u128();
    if (multiplyLimbs(changetype<usize>(result), changetype<usize>(this), changetype<usize>(other), limbs)) {
      throw new RangeError("u128: the product is too large");
    }
    return result;
  }

  /** Divides `rest`, which becomes the remainder. */
  private static divide(rest: u128, divisor: u128): u128 {
    if (divisor.isZero) throw new RangeError("u128: division by zero");
    const quotient = new u128();
    divideLimbs(changetype<usize>(quotient), changetype<usize>(rest), changetype<usize>(divisor), limbs);
    return quotient;
  }

  @operator("/") over(other: u128): u128 { return u128.divide(this.copy(), other); }

  @operator("%") rest(other: u128): u128 {
    const rest = this.copy();
    u128.divide(rest, other);
    return rest;
  }

  @operator("==") equals(other: u128): bool {
    return compareLimbs(changetype<usize>(this), changetype<usize>(other), limbs) == 0;
  }
  @operator("!=") differs(other: u128): bool { return !this.equals(other); }
  @operator("<") below(other: u128): bool {
    return compareLimbs(changetype<usize>(this), changetype<usize>(other), limbs) < 0;
  }
  @operator(">") above(other: u128): bool { return other.below(this); }
  @operator("<=") notAbove(other: u128): bool { return !other.below(this); }
  @operator(">=") notBelow(other: u128): bool { return !this.below(other); }

  @operator("&") and(other: u128): u128 {
    const result = new u128();
    for (let i: usize = 0; i < size; i += 8) {
      store<u64>(changetype<usize>(result) + i, load<u64>(changetype<usize>(this) + i) & load<u64>(changetype<usize>(other) + i));
    }
    return result;
  }
  @operator("|") or(other: u128): u128 {
    const result = new u128();
    for (let i: usize = 0; i < size; i += 8) {
      store<u64>(changetype<usize>(result) + i, load<u64>(changetype<usize>(this) + i) | load<u64>(changetype<usize>(other) + i));
    }
    return result;
  }
  @operator("^") xor(other: u128): u128 {
    const result = new u128();
    for (let i: usize = 0; i < size; i += 8) {
      store<u64>(changetype<usize>(result) + i, load<u64>(changetype<usize>(this) + i) ^ load<u64>(changetype<usize>(other) + i));
    }
    return result;
  }

  /** Bits beyond the highest are lost; by 128 and more, all are. */
  @operator("<<") shiftLeft(bits: i32): u128 {
    const result = new u128();
    if (<u32>bits < 128) shiftLeftLimbs(changetype<usize>(result), changetype<usize>(this), bits, limbs);
    return result;
  }
  @operator(">>") shiftRight(bits: i32): u128 {
    const result = new u128();
    if (<u32>bits < 128) shiftRightLimbs(changetype<usize>(result), changetype<usize>(this), bits, 0, limbs);
    return result;
  }
}
