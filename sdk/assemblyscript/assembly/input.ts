/**
 * The input of the current call in guest memory: 256 bytes of header, 4 of selector, the arguments
 * (`spec/interface.md` 5.1), and the position up to which the arguments are read.
 */
import { refuse } from "./abort";
import { inputRead, inputSize } from "./host";

/** Bytes of the header: 8 words of 32. */
export const headerLength: usize = 256;

const initialCapacity: usize = 4096;
let buffer: usize = 0;
let capacity: usize = 0;
let position: usize = 0;
let end: usize = 0;
let depth: i32 = 0;

/** Records and variants inside each other in one value. */
const maximumDepth: i32 = 64;

/** Loads the input and returns its selector as the little-endian integer of its 4 bytes. */
export function loadInput(): u32 {
  const size = <usize>inputSize();
  if (size > capacity) {
    const wanted = max(size, initialCapacity);
    buffer = capacity == 0 ? heap.alloc(wanted) : heap.realloc(buffer, wanted);
    capacity = wanted;
  }
  if (size < headerLength + 4) refuse("decode-selector");
  inputRead(buffer, 0, <i32>size);
  position = buffer + headerLength;
  end = buffer + size;
  depth = 0;
  return load<u32>(take(4));
}

/** Address of the header; refuses outside a call, that is in the initialisers that run once at genesis. */
export function header(): usize {
  if (buffer == 0) refuse("context: no call is running");
  return buffer;
}

/** Address of the next `count` bytes, which are then taken. */
// @ts-ignore: decorator
@inline
export function take(count: usize): usize {
  const at = position;
  if (count > end - at) refuse("decode-short");
  position = at + count;
  return at;
}

/** Address of the next byte. */
export function next(): usize {
  return position;
}

/** Bytes not yet taken. */
export function remaining(): usize {
  return end - position;
}

/** Call after the last argument. */
export function finishInput(): void {
  if (position != end) refuse("decode-trailing");
}

/** Call before the fields of a record or the case of a variant, and `leave` after them. */
export function enter(): void {
  if (depth >= maximumDepth) refuse("decode-depth");
  depth++;
}

export function leave(): void {
  depth--;
}
