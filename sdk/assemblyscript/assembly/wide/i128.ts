/**
 * Signed integers of 128 bits: `i128.of(-5)`, `i128.parse("-123")`, the operators of numbers. A value never changes.
 * What does not fit traps: overflow and division by zero. Division goes towards zero, as for i64.
 */
import {
  addLimbs, compareLimbs, divideLimbs, hashLimbs, isNegativeLimbs, isZeroLimbs, multiplyLimbs, negateLimbs, parseDecimal,
  subtractLimbs, takeDecimal,
} from "./limbs";

const limbs: usize = 2;
const size: usize = limbs << 3;

// @ts-ignore: decorator
@final
export class i128 {
  /** Two's complement, 64 bits each, the lowest first. */
  constructor(private a: u64 = 0, private b: u64 = 0) {}

  static get zero(): i128 { return new i128(); }
  static get one(): i128 { return new i128(1); }
  static get min(): i128 { return new i128(0, 1 << 63); }
  static get max(): i128 { return new i128(u64.MAX_VALUE, u64.MAX_VALUE >> 1); }

  static of(value: i64): i128 {
    const sign = <u64>(value >> 63);
    return new i128(<u64>value, sign);
  }

  /** Decimal digits, a minus before them for negative ones. */
  static parse(text: string): i128 {
    const negative = text.startsWith("-");
    const value = new i128();
    const fits = parseDecimal(text, negative ? 1 : 0, changetype<usize>(value), limbs);
    return i128.signed(value, negative, fits, "expected a decimal i128");
  }

  /** `magnitude` with a sign; traps with `message` if it does not fit. Changes `magnitude`. */
  private static signed(magnitude: i128, negative: bool, fits: bool, message: string): i128 {
    const at = changetype<usize>(magnitude);
    if (negative) negateLimbs(at, at, limbs);
    if (!fits || (isNegativeLimbs(at, limbs) != negative && !isZeroLimbs(at, limbs))) throw new RangeError(message);
    return magnitude;
  }

  /** The absolute value as an unsigned integer. */
  private magnitude(): i128 {
    const copy = new i128();
    memory.copy(changetype<usize>(copy), changetype<usize>(this), size);
    if (this.isNegative) negateLimbs(changetype<usize>(copy), changetype<usize>(copy), limbs);
    return copy;
  }

  get isZero(): bool { return isZeroLimbs(changetype<usize>(this), limbs); }
  get isNegative(): bool { return isNegativeLimbs(changetype<usize>(this), limbs); }

  /** Traps outside of i64. */
  toI64(): i64 {
    const value = load<i64>(changetype<usize>(this));
    if (!this.equals(i128.of(value))) throw new RangeError("i128 does not fit i64");
    return value;
  }

  toString(): string {
    const digits = takeDecimal(changetype<usize>(this.magnitude()), limbs);
    return this.isNegative ? "-" + digits : digits;
  }

  hashCode(): u32 { return hashLimbs(changetype<usize>(this), limbs); }

  @operator("+") plus(other: i128): i128 {
    const result = new i128();
    addLimbs(changetype<usize>(result), changetype<usize>(this), changetype<usize>(other), limbs);
    if (this.isNegative == other.isNegative && result.isNegative != this.isNegative) {
      throw new RangeError("i128: the sum is out of range");
    }
    return result;
  }

  @operator("-") minus(other: i128): i128 {
    const result = new i128();
    subtractLimbs(changetype<usize>(result), changetype<usize>(this), changetype<usize>(other), limbs);
    if (this.isNegative != other.isNegative && result.isNegative != this.isNegative) {
      throw new RangeError("i128: the difference is out of range");
    }
    return result;
  }

  @operator.prefix("-") negated(): i128 { return i128.zero.minus(this); }

  @operator("*") times(other: i128): i128 {
    const product = new i128();
    const at = changetype<usize>(product);
    const overflow = multiplyLimbs(at, changetype<usize>(this.magnitude()), changetype<usize>(other.magnitude()), limbs);
    return i128.signed(product, this.isNegative != other.isNegative, !overflow, "i128: the product is out of range");
  }

  /** Divides `rest`, a magnitude, which becomes that of the remainder. */
  private static divide(rest: i128, divisor: i128): i128 {
    if (divisor.isZero) throw new RangeError("i128: division by zero");
    const quotient = new i128();
    divideLimbs(changetype<usize>(quotient), changetype<usize>(rest), changetype<usize>(divisor.magnitude()), limbs);
    return quotient;
  }

  @operator("/") over(other: i128): i128 {
    const quotient = i128.divide(this.magnitude(), other);
    return i128.signed(quotient, this.isNegative != other.isNegative, true, "i128: the quotient is out of range");
  }

  @operator("%") rest(other: i128): i128 {
    const rest = this.magnitude();
    i128.divide(rest, other);
    return i128.signed(rest, this.isNegative, true, "i128: the remainder is out of range");
  }

  @operator("==") equals(other: i128): bool {
    return compareLimbs(changetype<usize>(this), changetype<usize>(other), limbs) == 0;
  }
  @operator("!=") differs(other: i128): bool { return !this.equals(other); }
  @operator("<") below(other: i128): bool {
    if (this.isNegative != other.isNegative) return this.isNegative;
    return compareLimbs(changetype<usize>(this), changetype<usize>(other), limbs) < 0;
  }
  @operator(">") above(other: i128): bool { return other.below(this); }
  @operator("<=") notAbove(other: i128): bool { return !other.below(this); }
  @operator(">=") notBelow(other: i128): bool { return !this.below(other); }
}
