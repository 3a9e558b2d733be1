/**
 * Borsh writer of the result (`spec/interface.md` 3). What has no encoding traps: NaN, lone surrogates, values nested
 * too deep.
 */
import { refuse } from "./abort";
import { Address } from "./address";
import { outputWrite } from "./host";
import { compareText, encodeText } from "./utf8";

const initialCapacity: usize = 4096;
let buffer: usize = 0;
let position: usize = 0;
let end: usize = 0;
let depth: i32 = 0;
const maximumDepth: i32 = 64;

export function beginOutput(): void {
  if (buffer == 0) {
    buffer = heap.alloc(initialCapacity);
    end = buffer + initialCapacity;
  }
  position = buffer;
  depth = 0;
}

export function finishOutput(): void {
  outputWrite(buffer, <i32>(position - buffer));
}

/** Address of what was written since `beginOutput`. */
export function outputStart(): usize {
  return buffer;
}

export function outputLength(): usize {
  return position - buffer;
}

function grow(count: usize): void {
  const used = position - buffer;
  const capacity = max((end - buffer) << 1, used + count);
  buffer = heap.realloc(buffer, capacity);
  position = buffer + used;
  end = buffer + capacity;
}

/** Address of `count` new bytes. */
// @ts-ignore: decorator
@inline
function put(count: usize): usize {
  if (count > end - position) grow(count);
  const at = position;
  position = at + count;
  return at;
}

// @ts-ignore: decorator
@inline
export function writeInteger<T>(value: T): void {
  store<T>(put(sizeof<T>()), value);
}

export function writeFloat<T>(value: T): void {
  if (value != value) refuse("encode-nan");
  store<T>(put(sizeof<T>()), value);
}

export function writeBool(value: bool): void {
  store<u8>(put(1), value ? 1 : 0);
}

/** `length` bytes at `source` as they are. */
export function writeBlock(source: usize, length: usize): void {
  memory.copy(put(length), source, length);
}

/** An object that is its bytes, such as u128. */
export function writeWide<T>(value: T): void {
  writeBlock(changetype<usize>(value), offsetof<T>());
}

export function writeAddress(value: Address): void {
  writeBlock(changetype<usize>(value), 20);
}

/** The bits of `count` flags, the lowest first. */
export function writeFlags(value: i32, count: i32): void {
  const bits = <u64><u32>value;
  if (bits >> <u64>count != 0) refuse("encode-flags");
  for (let i = 0; i < count; i += 8) store<u8>(put(1), <u8>(bits >> <u64>i));
}

/** Whether an option is filled; index of a variant case. */
export function writeByte(value: i32): void {
  store<u8>(put(1), <u8>value);
}

/** Index of an enum case below `count`. */
export function writeCase(value: i32, count: i32): void {
  if (<u32>value >= <u32>count) refuse("encode-enum");
  writeByte(value);
}

export function writeCount(count: i32): void {
  store<u32>(put(4), count);
}

export function writeString(value: string): void {
  const space = 4 + 3 * <usize>value.length;
  const at = put(space);
  const length = encodeText(value, at + 4);
  if (length < 0) refuse("encode-utf8");
  store<u32>(at, length);
  position = at + 4 + <usize>length;
}

export function writeBytes(value: Uint8Array): void {
  const length = value.length;
  writeCount(length);
  memory.copy(put(length), value.dataStart, length);
}

export function enterOutput(): void {
  if (depth >= maximumDepth) refuse("encode-depth");
  depth++;
}

export function leaveOutput(): void {
  depth--;
}

/** A variant value that is none of the described cases. */
export function refuseCase(): void {
  refuse("encode-variant");
}

/** Order of map keys: strings by code point, numbers by size (the default order of `sort` overflows on i32). */
export function compareKeys<T>(a: T, b: T): i32 {
  if (isString<T>()) return compareText(<string>a, <string>b);
  return i32(a > b) - i32(a < b);
}

/** The keys of a map in the order of the wire. */
export function sortedKeys<K, V>(map: Map<K, V>): K[] {
  const keys = map.keys();
  keys.sort((a: K, b: K): i32 => compareKeys<K>(a, b));
  return keys;
}

/** Refuses a map key that does not come after the one before it. */
export function checkOrder<K>(previous: K, key: K): void {
  if (compareKeys<K>(previous, key) >= 0) refuse("decode-map-order");
}
