// The SDK's collections behind entries, for comparison with JavaScript's own.
import { HashIndex, noRow } from "@onus/assemblyscript/collections/hashIndex";
import { PagedArray } from "@onus/assemblyscript/collections/pagedArray";

const numbers = new PagedArray<u64>();
const index = new HashIndex();
const keys = new PagedArray<u32>();

export function push(values: u64[]): u32 {
  for (let i = 0; i < values.length; i++) numbers.push(values[i]);
  return numbers.length;
}

export function extend(length: u32): u32 {
  numbers.extend(length);
  return numbers.length;
}

export function set(at: u32, value: u64): void { numbers.set(at, value); }
export function get(at: u32): u64 { return numbers.get(at); }

/** Adds keys under the hash `key % modulus`, so that a small modulus makes collisions. */
export function add(added: u32[], modulus: u32): void {
  for (let i = 0; i < added.length; i++) {
    keys.push(added[i]);
    index.add(added[i] % modulus);
  }
}

/** All keys with the hash of `key`, in ascending order. */
export function find(key: u32, modulus: u32): u32[] {
  const found: u32[] = [];
  for (let row = index.first(key % modulus); row != noRow; row = index.next(row)) found.push(keys.get(row));
  return found.sort((a: u32, b: u32): i32 => i32(a > b) - i32(a < b));
}
