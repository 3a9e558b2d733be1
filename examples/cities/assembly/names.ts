/**
 * The names of the cities in UTF-8, one behind the other in blocks, without an object for each. A name does not cross
 * the end of a block.
 */
import { PagedArray } from "@onus/assemblyscript/collections/pagedArray";

const blockShift: u32 = 16;
const blockLength: u32 = 1 << blockShift;
const longestName: u32 = 200;

const blocks: StaticArray<u8>[] = [];
/** Bytes used of the last block. */
let used: u32 = blockLength;
/** Place of each name: block and position in it. */
const places = new PagedArray<u32>();
const lengths = new PagedArray<u8>();

function addressOf(row: u32): usize {
  const place = places.get(row);
  return changetype<usize>(unchecked(blocks[place >> blockShift])) + (place & (blockLength - 1));
}

/** Adds the name of the next row; false, and nothing added, if it is empty or longer than 200 bytes. */
export function addName(name: string): bool {
  const length = <u32>String.UTF8.byteLength(name);
  if (length == 0 || length > longestName) return false;
  if (used + length > blockLength) {
    blocks.push(new StaticArray<u8>(blockLength));
    used = 0;
  }
  const row = places.push((<u32>(blocks.length - 1) << blockShift) | used);
  lengths.push(<u8>length);
  String.UTF8.encodeUnsafe(changetype<usize>(name), name.length, addressOf(row));
  used += length;
  return true;
}

export function nameText(row: u32): string {
  return String.UTF8.decodeUnsafe(addressOf(row), lengths.get(row));
}

/** FNV-1a of the bytes of a name, mixed once more because the index uses the low bits. */
export function nameHash(row: u32): u32 {
  return hashBytes(addressOf(row), lengths.get(row));
}

/** The hash that a row with this name has. */
export function textHash(name: Uint8Array): u32 {
  return hashBytes(name.dataStart, name.length);
}

function hashBytes(address: usize, length: u32): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < length; i++) hash = (hash ^ load<u8>(address + i)) * 0x01000193;
  return hash ^ (hash >> 15);
}

/** Whether the name of `row` is `name` in UTF-8. */
export function hasName(row: u32, name: Uint8Array): bool {
  return <i32>lengths.get(row) == name.length && memory.compare(addressOf(row), name.dataStart, name.length) == 0;
}
