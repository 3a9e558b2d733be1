/**
 * Arithmetic of integers wider than 64 bits: `count` words of 64 bits in memory, the lowest first, unsigned or in two's
 * complement. Short and plain rather than fast; division has quick paths for what programs mostly divide.
 */

/** to = a + b; whether it carries out. */
export function addLimbs(to: usize, a: usize, b: usize, count: usize): bool {
  let carry: u64 = 0;
  for (let i: usize = 0; i < count << 3; i += 8) {
    const first = load<u64>(a + i);
    const sum = first + load<u64>(b + i);
    const total = sum + carry;
    carry = u64(sum < first) | u64(total < sum);
    store<u64>(to + i, total);
  }
  return carry != 0;
}

/** to = a - b; whether it borrows. */
export function subtractLimbs(to: usize, a: usize, b: usize, count: usize): bool {
  let borrow: u64 = 0;
  for (let i: usize = 0; i < count << 3; i += 8) {
    const first = load<u64>(a + i);
    const difference = first - load<u64>(b + i);
    const total = difference - borrow;
    borrow = u64(difference > first) | u64(total > difference);
    store<u64>(to + i, total);
  }
  return borrow != 0;
}

/** to = a * b, where `to` is zero before and neither a nor b; whether the product does not fit. */
export function multiplyLimbs(to: usize, a: usize, b: usize, count: usize): bool {
  const halves = count << 1;
  let overflow = false;
  for (let i: usize = 0; i < halves; i++) {
    const factor = <u64>load<u32>(a + (i << 2));
    if (factor == 0) continue;
    let carry: u64 = 0;
    for (let j: usize = 0; j < halves - i; j++) {
      const at = to + ((i + j) << 2);
      const total = factor * <u64>load<u32>(b + (j << 2)) + <u64>load<u32>(at) + carry;
      store<u32>(at, <u32>total);
      carry = total >> 32;
    }
    if (carry != 0) overflow = true;
    for (let j = halves - i; j < halves; j++) if (load<u32>(b + (j << 2)) != 0) overflow = true;
  }
  return overflow;
}

/** a = a / divisor; the remainder. */
export function divideByWord(a: usize, divisor: u32, count: usize): u32 {
  let remainder: u64 = 0;
  for (let i = count << 1; i > 0; i--) {
    const at = a + ((i - 1) << 2);
    const part = (remainder << 32) | <u64>load<u32>(at);
    store<u32>(at, <u32>(part / divisor));
    remainder = part % divisor;
  }
  return <u32>remainder;
}

/** Whether all words but the lowest are zero. */
export function isOneLimb(a: usize, count: usize): bool {
  for (let i: usize = 1; i < count; i++) if (load<u64>(a + (i << 3)) != 0) return false;
  return true;
}

export function isZeroLimbs(a: usize, count: usize): bool {
  return load<u64>(a) == 0 && isOneLimb(a, count);
}

/** quotient = a / b, and `a` becomes the remainder; `quotient` is zero before, `b` is not zero. */
export function divideLimbs(quotient: usize, a: usize, b: usize, count: usize): void {
  if (isOneLimb(a, count) && isOneLimb(b, count)) {
    const dividend = load<u64>(a);
    const divisor = load<u64>(b);
    store<u64>(quotient, dividend / divisor);
    store<u64>(a, dividend % divisor);
    return;
  }
  if (isOneLimb(b, count) && load<u64>(b) >> 32 == 0) {
    memory.copy(quotient, a, count << 3);
    const remainder = divideByWord(quotient, load<u32>(b), count);
    memory.fill(a, 0, count << 3);
    store<u64>(a, remainder);
    return;
  }
  divideBits(quotient, a, b, count);
}

/** Long division bit by bit: at most 256 rounds. The dividend moves out of `rest` at the top and back in reduced. */
function divideBits(quotient: usize, a: usize, b: usize, count: usize): void {
  const rest = memory.data(32);
  memory.fill(rest, 0, count << 3);
  for (let bit = <i32>(count << 6) - 1; bit >= 0; bit--) {
    const at = <usize>(bit >> 6) << 3;
    const carry = load<u64>(rest + ((count - 1) << 3)) >> 63;
    shiftLeftLimbs(rest, rest, 1, count);
    store<u64>(rest, load<u64>(rest) | ((load<u64>(a + at) >> <u64>(bit & 63)) & 1));
    if (carry == 0 && compareLimbs(rest, b, count) < 0) continue;
    subtractLimbs(rest, rest, b, count);
    store<u64>(quotient + at, load<u64>(quotient + at) | ((<u64>1) << <u64>(bit & 63)));
  }
  memory.copy(a, rest, count << 3);
}

/** Negative, zero or positive: the order as unsigned integers. */
export function compareLimbs(a: usize, b: usize, count: usize): i32 {
  for (let i = count; i > 0; i--) {
    const at = (i - 1) << 3;
    const first = load<u64>(a + at);
    const second = load<u64>(b + at);
    if (first != second) return first < second ? -1 : 1;
  }
  return 0;
}

/** Whether the highest bit is set. */
export function isNegativeLimbs(a: usize, count: usize): bool {
  return load<i64>(a + ((count - 1) << 3)) < 0;
}

/** to = -a in two's complement; `to` may be `a`. */
export function negateLimbs(to: usize, a: usize, count: usize): void {
  let carry: u64 = 1;
  for (let i: usize = 0; i < count << 3; i += 8) {
    const part = ~load<u64>(a + i) + carry;
    carry = u64(carry != 0 && part == 0);
    store<u64>(to + i, part);
  }
}

/** to = a << bits for 0 <= bits < 64 * count; `to` may be `a`. */
export function shiftLeftLimbs(to: usize, a: usize, bits: u32, count: usize): void {
  const words = <usize>(bits >> 6);
  const rest = <u64>(bits & 63);
  for (let i = count; i > 0; i--) {
    const at = i - 1;
    const high = at >= words ? load<u64>(a + ((at - words) << 3)) : 0;
    const low = at > words ? load<u64>(a + ((at - words - 1) << 3)) : 0;
    store<u64>(to + (at << 3), rest == 0 ? high : (high << rest) | (low >> (64 - rest)));
  }
}

/** to = a >> bits for 0 <= bits < 64 * count, filled with `fill` (all zeros or all ones); `to` may be `a`. */
export function shiftRightLimbs(to: usize, a: usize, bits: u32, fill: u64, count: usize): void {
  const words = <usize>(bits >> 6);
  const rest = <u64>(bits & 63);
  for (let i: usize = 0; i < count; i++) {
    const low = i + words < count ? load<u64>(a + ((i + words) << 3)) : fill;
    const high = i + words + 1 < count ? load<u64>(a + ((i + words + 1) << 3)) : fill;
    store<u64>(to + (i << 3), rest == 0 ? low : (low >> rest) | (high << (64 - rest)));
  }
}

/** Decimal digits of the unsigned integer at `a`, which becomes zero. */
export function takeDecimal(a: usize, count: usize): string {
  let text = "";
  while (!isZeroLimbs(a, count)) {
    const part = divideByWord(a, 1_000_000_000, count).toString();
    text = (isZeroLimbs(a, count) ? part : part.padStart(9, "0")) + text;
  }
  return text == "" ? "0" : text;
}

/** Reads the decimal digits of `text` from `start` into `to`, which is zero before; false if they are none or too large. */
export function parseDecimal(text: string, start: i32, to: usize, count: usize): bool {
  if (start >= text.length) return false;
  for (let i = start; i < text.length; i++) {
    const digit = <u32>(text.charCodeAt(i) - 48);
    if (digit > 9) return false;
    let carry = <u64>digit;
    for (let j: usize = 0; j < count << 1; j++) {
      const at = to + (j << 2);
      const total = <u64>load<u32>(at) * 10 + carry;
      store<u32>(at, <u32>total);
      carry = total >> 32;
    }
    if (carry != 0) return false;
  }
  return true;
}

/** A hash for maps and sets. */
export function hashLimbs(a: usize, count: usize): u32 {
  let hash: u64 = 0x9e3779b97f4a7c15;
  for (let i: usize = 0; i < count << 3; i += 8) {
    hash = (hash ^ load<u64>(a + i)) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  return <u32>hash;
}
