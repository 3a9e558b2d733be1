/**
 * Events that a call emits beside its result (`spec/interface.md` 2.4). They are written when they are emitted, so a
 * later change of the object changes nothing, and leave with the output; a call that traps has emitted nothing.
 */
import { refuse } from "./abort";
import { beginOutput, outputLength, outputStart, writeBlock, writeCount } from "./encode";

let buffer: usize = 0;
let capacity: usize = 0;
let length: usize = 0;
let count: i32 = 0;
let isOpen: bool = false;

/** Emits an object of a class with `/** @event *\/`. Traps in queries and outside of calls. */
export function emit<T>(event: T): void {
  if (!isDefined(event.__onus_emit)) ERROR("emit takes an object of a class with the comment /** @event */");
  event.__onus_emit();
}

/** Call before the entry runs; a query may not emit. */
export function beginEvents(allowed: bool): void {
  length = 0;
  count = 0;
  isOpen = allowed;
}

/** Call before the fields of an event are written with the functions of `encode.ts`. */
export function beginEvent(): void {
  if (!isOpen) refuse("emit: only entries emit events, while they run; a query does not");
  beginOutput();
}

/** Call behind the fields: takes them into the event with this selector. */
export function endEvent(selector: u32): void {
  const size = outputLength();
  const end = length + 8 + size;
  if (end > capacity) {
    const wanted = max(2 * end, 1024);
    buffer = buffer == 0 ? heap.alloc(wanted) : heap.realloc(buffer, wanted);
    capacity = wanted;
  }
  const at = buffer + length;
  store<u32>(at, selector);
  store<u32>(at, <u32>size, 4);
  memory.copy(at + 8, outputStart(), size);
  length = end;
  count++;
}

/** Call behind the result. */
export function writeEvents(): void {
  isOpen = false;
  if (count == 0) return;
  writeCount(count);
  writeBlock(buffer, length);
}
