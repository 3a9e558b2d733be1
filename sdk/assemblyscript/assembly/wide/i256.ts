/**
 * Signed integers of 256 bits: `i256.of(-5)`, `i256.parse("-123")`, the operators of numbers. A value never changes.
 * What does not fit traps: overflow and division by zero. Division goes towards zero, as for i64.
 */
import {
  addLimbs, compareLimbs, divideLimbs, hashLimbs, isNegativeLimbs, isZeroLimbs, multiplyLimbs, negateLimbs, parseDecimal,
  subtractLimbs, takeDecimal,
} from "./limbs";

const limbs: usize = 4;
const size: usize = limbs << 3;

// @ts-ignore: decorator
@final
export class i256 {
  /** Two's complement, 64 bits each, the lowest first. */
  constructor(private a: u64 = 0, private b: u64 = 0, private c: u64 = 0, private d: u64 = 0) {}

  static get zero(): i256 { return new i256(); }
  static get one(): i256 { return new i256(1); }
  static get min(): i256 { return new i256(0, 0, 0, 1 << 63); }
  static get max(): i256 { return new i256(u64.MAX_VALUE, u64.MAX_VALUE, u64.MAX_VALUE, u64.MAX_VALUE >> 1); }

  static of(value: i64): i256 {
    const sign = <u64>(value >> 63);
    return new i256(<u64>value, sign, sign, sign);
  }

  /** Decimal digits, a minus before them for negative ones. */
  static parse(text: string): i256 {
    const negative = text.startsWith("-");
    const value = new i256();
    const fits = parseDecimal(text, negative ? 1 : 0, changetype<usize>(value), limbs);
    return i256.signed(value, negative, fits, "expected a decimal i256");
  }

  /** `magnitude` with a sign; traps with `message` if it does not fit. Changes `magnitude`. */
  private static signed(magnitude: i256, negative: bool, fits: bool, message: string): i256 {
    const at = changetype<usize>(magnitude);
    if (negative) negateLimbs(at, at, limbs);
    if (!fits || (isNegativeLimbs(at, limbs) != negative && !isZeroLimbs(at, limbs))) throw new RangeError(message);
    return magnitude;
  }

  /** The absolute value as an unsigned integer. */
  private magnitude(): i256 {
    const copy = new i256();
    memory.copy(changetype<usize>(copy), changetype<usize>(this), size);
    if (this.isNegative) negateLimbs(changetype<usize>(copy), changetype<usize>(copy), limbs);
    return copy;
  }

  get isZero(): bool { return isZeroLimbs(changetype<usize>(this), limbs); }
  get isNegative(): bool { return isNegativeLimbs(changetype<usize>(this), limbs); }

  /** Traps outside of i64. */
  toI64(): i64 {
    const value = load<i64>(changetype<usize>(this));
    if (!this.equals(i256.of(value))) throw new RangeError("i256 does not fit i64");
    return value;
  }

  toString(): string {
    const digits = takeDecimal(changetype<usize>(this.magnitude()), limbs);
    return this.isNegative ? "-" + digits : digits;
  }

  hashCode(): u32 { return hashLimbs(changetype<usize>(this), limbs); }

  @operator("+") plus(other: i256): i256 {
    const result = new i256();
    addLimbs(changetype<usize>(result), changetype<usize>(this), changetype<usize>(other), limbs);
    if (this.isNegative == other.isNegative && result.isNegative != this.isNegative) {
      throw new RangeError("i256: the sum is out of range");
    }
    return result;
  }

  @operator("-") minus(other: i256): i256 {
    const result = new i256();
    subtractLimbs(changetype<usize>(result), changetype<usize>(this), changetype<usize>(other), limbs);
    if (this.isNegative != other.isNegative && result.isNegative != this.isNegative) {
      throw new RangeError("i256: the difference is out of range");
    }
    return result;
  }

  @operator.prefix("-") negated(): i256 { return i256.zero.minus(this); }

  @operator("*") times(other: i256): i256 {
    const product = new i256();
    const at = changetype<usize>(product);
    const overflow = multiplyLimbs(at, changetype<usize>(this.magnitude()), changetype<usize>(other.magnitude()), limbs);
    return i256.signed(product, this.isNegative != other.isNegative, !overflow, "i256: the product is out of range");
  }

  /** Divides `rest`, a magnitude, which becomes that of the remainder. */
  private static divide(rest: i256, divisor: i256): i256 {
    if (divisor.isZero) throw new RangeError("i256: division by zero");
    const quotient = new i256();
    divideLimbs(changetype<usize>(quotient), changetype<usize>(rest), changetype<usize>(divisor.magnitude()), limbs);
    return quotient;
  }

  @operator("/") over(other: i256): i256 {
    const quotient = i256.divide(this.magnitude(), other);
    return i256.signed(quotient, this.isNegative != other.isNegative, true, "i256: the quotient is out of range");
  }

  @operator("%") rest(other: i256): i256 {
    const rest = this.magnitude();
    i256.divide(rest, other);
    return i256.signed(rest, this.isNegative, true, "i256: the remainder is out of range");
  }

  @operator("==") equals(other: i256): bool {
    return compareLimbs(changetype<usize>(this), changetype<usize>(other), limbs) == 0;
  }
  @operator("!=") differs(other: i256): bool { return !this.equals(other); }
  @operator("<") below(other: i256): bool {
    if (this.isNegative != other.isNegative) return this.isNegative;
    return compareLimbs(changetype<usize>(this), changetype<usize>(other), limbs) < 0;
  }
  @operator(">") above(other: i256): bool { return other.below(this); }
  @operator("<=") notAbove(other: i256): bool { return !other.below(this); }
  @operator(">=") notBelow(other: i256): bool { return !this.below(other); }
}
