/**
 * Strict Borsh reader of the arguments (`spec/interface.md` 3). The gateway checks requests with the same rules, but a
 * proposer can pass the gateway by, so the guest refuses everything that the gateway would.
 */
import { refuse } from "./abort";
import { Address } from "./address";
import { next, remaining, take } from "./input";
import { decodeText, utf16Length } from "./utf8";

// @ts-ignore: decorator
@inline
export function readInteger<T>(): T {
  return load<T>(take(sizeof<T>()));
}

export function readFloat<T>(): T {
  const value = load<T>(take(sizeof<T>()));
  if (value != value) refuse("decode-nan");
  return value;
}

export function readBool(): bool {
  const byte = load<u8>(take(1));
  if (byte > 1) refuse("decode-bool");
  return byte == 1;
}

/** An object that is its bytes, such as u128; `value` is new. */
export function readWide<T>(value: T): T {
  memory.copy(changetype<usize>(value), take(offsetof<T>()), offsetof<T>());
  return value;
}

export function readAddress(): Address {
  const address = new Address();
  memory.copy(changetype<usize>(address), take(20), 20);
  return address;
}

/** The bits of `count` flags, the lowest first, none behind the last. */
export function readFlags(count: i32): i32 {
  const length = (count + 7) >> 3;
  const at = take(length);
  let bits: u64 = 0;
  for (let i = 0; i < length; i++) bits |= <u64>load<u8>(at + <usize>i) << <u64>(i << 3);
  if (bits >> <u64>count != 0) refuse("decode-flags");
  return <i32>bits;
}

/** Whether a result is a value and no error. */
export function readIsOk(): bool {
  const byte = load<u8>(take(1));
  if (byte > 1) refuse("decode-result");
  return byte == 1;
}

/**
 * Refuses a length above `most` in front of the next string, bytes, list or map, or of the option of one. What is not
 * there or wrong otherwise is left to the reader that follows.
 */
export function checkLimit(most: u32, isOption: bool): void {
  let at = next();
  let left = remaining();
  if (isOption) {
    if (left == 0 || load<u8>(at) != 1) return;
    at++;
    left--;
  }
  if (left >= 4 && load<u32>(at) > most) refuse("decode-limit");
}

/** Whether an option is filled. */
export function readPresence(): bool {
  const byte = load<u8>(take(1));
  if (byte > 1) refuse("decode-option");
  return byte == 1;
}

/** Index of an enum case below `count`. */
export function readCase(count: u32): i32 {
  const byte = <u32>load<u8>(take(1));
  if (byte >= count) refuse("decode-enum");
  return byte;
}

/** Index of a variant case below `count`. */
export function readTag(count: u32): i32 {
  const byte = <u32>load<u8>(take(1));
  if (byte >= count) refuse("decode-variant");
  return byte;
}

/** Number of elements or map entries, each of at least one byte. */
export function readCount(): i32 {
  const count = load<u32>(take(4));
  if (<usize>count > remaining()) refuse("decode-short");
  return count;
}

export function readString(): string {
  const length = <usize>load<u32>(take(4));
  const start = take(length);
  const units = utf16Length(start, length);
  if (units < 0) refuse("decode-utf8");
  return decodeText(start, length, units);
}

export function readBytes(): Uint8Array {
  const length = load<u32>(take(4));
  const start = take(length);
  const bytes = new Uint8Array(length);
  memory.copy(bytes.dataStart, start, length);
  return bytes;
}

/** Stores into a readonly field of an object that no one has seen yet. */
export function storeField<T>(at: usize, value: T): void {
  if (isReference<T>()) store<usize>(at, changetype<usize>(value));
  else store<T>(at, value);
}
