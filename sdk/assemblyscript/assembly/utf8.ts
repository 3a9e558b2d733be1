/**
 * Strict UTF-8 in both directions: no overlong forms, no surrogates, nothing above U+10FFFF. The standard library's
 * `String.UTF8` accepts malformed input and writes lone surrogates.
 */

/** Bytes of the well-formed sequence at `at` (1 to 4), 0 if there is none before `end`. */
function sequenceLength(at: usize, end: usize): i32 {
  const first = <u32>load<u8>(at);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length: i32 = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (<usize>length > end - at) return 0;
  const second = <u32>load<u8>(at, 1);
  let lowest: u32 = 0x80;
  let highest: u32 = 0xbf;
  if (first == 0xe0) lowest = 0xa0;
  else if (first == 0xed) highest = 0x9f;
  else if (first == 0xf0) lowest = 0x90;
  else if (first == 0xf4) highest = 0x8f;
  if (second < lowest || second > highest) return 0;
  for (let i = 2; i < length; i++) {
    if ((load<u8>(at + <usize>i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

/** UTF-16 units of the text in `length` bytes at `start`, -1 if they are not well-formed. */
export function utf16Length(start: usize, length: usize): i32 {
  const end = start + length;
  let at = start;
  let units = 0;
  while (at < end) {
    if (end - at >= 8 && (load<u64>(at) & 0x8080808080808080) == 0) {
      at += 8;
      units += 8;
      continue;
    }
    const bytes = sequenceLength(at, end);
    if (bytes == 0) return -1;
    at += <usize>bytes;
    units += bytes == 4 ? 2 : 1;
  }
  return units;
}

/** The text of well-formed bytes that have `units` UTF-16 units. */
export function decodeText(start: usize, length: usize, units: i32): string {
  const text = __new(<usize>units << 1, idof<string>());
  const end = start + length;
  let at = start;
  let to = text;
  while (at < end) {
    const first = <u32>load<u8>(at);
    if (first < 0x80) {
      store<u16>(to, first);
      at += 1;
    } else if (first < 0xe0) {
      store<u16>(to, ((first & 31) << 6) | (load<u8>(at, 1) & 63));
      at += 2;
    } else if (first < 0xf0) {
      store<u16>(to, ((first & 15) << 12) | ((<u32>load<u8>(at, 1) & 63) << 6) | (load<u8>(at, 2) & 63));
      at += 3;
    } else {
      const point = ((first & 7) << 18) | ((<u32>load<u8>(at, 1) & 63) << 12)
        | ((<u32>load<u8>(at, 2) & 63) << 6) | (load<u8>(at, 3) & 63);
      store<u16>(to, 0xd800 + ((point - 0x10000) >> 10));
      store<u16>(to, 0xdc00 + ((point - 0x10000) & 0x3ff), 2);
      to += 2;
      at += 4;
    }
    to += 2;
  }
  return changetype<string>(text);
}

/** Writes `text` at `to`, where 3 bytes for each UTF-16 unit must fit; returns the bytes, -1 on a lone surrogate. */
export function encodeText(text: string, to: usize): i32 {
  const start = to;
  const from = changetype<usize>(text);
  const length = text.length;
  for (let i = 0; i < length; i++) {
    const unit = <u32>load<u16>(from + (<usize>i << 1));
    if (unit < 0x80) {
      store<u8>(to++, unit);
    } else if (unit < 0x800) {
      store<u8>(to, 0xc0 | (unit >> 6));
      store<u8>(to, 0x80 | (unit & 63), 1);
      to += 2;
    } else if ((unit & 0xf800) != 0xd800) {
      store<u8>(to, 0xe0 | (unit >> 12));
      store<u8>(to, 0x80 | ((unit >> 6) & 63), 1);
      store<u8>(to, 0x80 | (unit & 63), 2);
      to += 3;
    } else {
      if (unit >= 0xdc00 || ++i >= length) return -1;
      const second = <u32>load<u16>(from + (<usize>i << 1));
      if ((second & 0xfc00) != 0xdc00) return -1;
      const point = (((unit & 0x3ff) << 10) | (second & 0x3ff)) + 0x10000;
      store<u8>(to, 0xf0 | (point >> 18));
      store<u8>(to, 0x80 | ((point >> 12) & 63), 1);
      store<u8>(to, 0x80 | ((point >> 6) & 63), 2);
      store<u8>(to, 0x80 | (point & 63), 3);
      to += 4;
    }
  }
  return <i32>(to - start);
}

/** UTF-16 unit moved so that surrogates, which stand for the highest code points, come last. */
// @ts-ignore: decorator
@inline
function rank(unit: i32): i32 {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit;
}

/** Order by code point, which is the order of the UTF-8 bytes; the standard library compares UTF-16 units. */
export function compareText(a: string, b: string): i32 {
  const length = min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
    if (difference != 0) return difference;
  }
  return a.length - b.length;
}
