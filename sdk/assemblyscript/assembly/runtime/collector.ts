/**
 * The garbage collector of a backend: tri-color mark and sweep in small steps, each at the end of a call, where no
 * reference is on the stack (so there is no shadow stack). The transform puts this text in the place of the compiler's
 * `rt/tcms` (runtime `minimal`), whose collector stops for everything at once: 103 M gas with 100,000 accounts.
 *
 * Objects are in two circular lists. Marking moves what is reached from `fromSpace` (white) to `toSpace` (gray, then
 * black); what is left is freed; then the lists and the colors change places. `__link`, which the compiler calls for
 * every reference that is stored in an object, colors what a black object gets. Maps and sets are visited in parts.
 * Adapted from AssemblyScript's `rt/itcms` (Apache-2.0). All that decides is in memory: all nodes do the same steps.
 */
import { BLOCK, BLOCK_OVERHEAD, OBJECT_MAXSIZE, OBJECT_OVERHEAD, TOTAL_OVERHEAD } from "./common";
import { TypeinfoFlags } from "../shared/typeinfo";
import { E_ALLOCATION_TOO_LARGE, E_ALREADY_PINNED, E_NOT_PINNED } from "../util/error";

// @ts-ignore: decorator
@inline const gray = 2;
/** Pinned. */
// @ts-ignore: decorator
@inline const transparent = 3;
// @ts-ignore: decorator
@inline const colorMask = 3;

// @ts-ignore: decorator
@inline const idle = 0;
// @ts-ignore: decorator
@inline const marking = 1;
// @ts-ignore: decorator
@inline const sweeping = 2;

/** A cycle begins after so many bytes for each object that lived at the last one, and not below the floor. */
// @ts-ignore: decorator
@inline const bytesPerObject: usize = 64;
// @ts-ignore: decorator
@inline const allowanceFloor: usize = 1 << 18;
/** While a cycle runs, a call works one unit (an object visited, moved or freed) for so many bytes that it allocated. */
// @ts-ignore: decorator
@inline const bytesPerUnit: usize = 8;
/** And so many in any case. */
// @ts-ignore: decorator
@inline const leastUnits: usize = 16;
/** More than that a call leaves to others, … */
// @ts-ignore: decorator
@inline const mostUnits: usize = 100_000;
/** … each of which does so many of them beside its own. */
// @ts-ignore: decorator
@inline const mostForOthers: usize = 1_000;
/** Entries of a map or set that are visited at once. */
// @ts-ignore: decorator
@inline const windowLength: u32 = 64;

// @ts-ignore: decorator
@lazy let white = 0;
// @ts-ignore: decorator
@lazy let state = idle;
/** While marking the last object that was visited, while sweeping the next to be freed. */
// @ts-ignore: decorator
@lazy let cursor: Object = changetype<Object>(0);
/** Object of which only a part was visited, 0 if none. */
// @ts-ignore: decorator
@lazy let partial: usize = 0;
/** Identity of what `partial` is visited by, and how far. */
// @ts-ignore: decorator
@lazy let windowToken: usize = 0;
// @ts-ignore: decorator
@lazy let windowEnd: u32 = 0;
/** References met since the count was last set to 0. */
// @ts-ignore: decorator
@lazy let visited: usize = 0;
/** Objects reached in this cycle. */
// @ts-ignore: decorator
@lazy let reached: usize = 0;
/** Bytes allocated in this call; since the last cycle ended. */
// @ts-ignore: decorator
@lazy let allocated: usize = 0;
// @ts-ignore: decorator
@lazy let sinceCycle: usize = 0;
// @ts-ignore: decorator
@lazy let allowance: usize = allowanceFloor;
/** Units that calls left to others. */
// @ts-ignore: decorator
@lazy let debt: usize = 0;

// @ts-ignore: decorator
@lazy let fromSpace = initLazy(changetype<Object>(memory.data(offsetof<Object>())));
// @ts-ignore: decorator
@lazy let toSpace = initLazy(changetype<Object>(memory.data(offsetof<Object>())));
// @ts-ignore: decorator
@lazy let pinSpace = initLazy(changetype<Object>(memory.data(offsetof<Object>())));

function initLazy(space: Object): Object {
  space.nextWithColor = changetype<usize>(space);
  space.prev = space;
  return space;
}

/** Header of an object; its data follows. The compiler knows this layout. */
@unmanaged class Object extends BLOCK {
  /** Next object of the list, the color in the low bits; 0 for static data that is in no list. */
  nextWithColor: usize;
  prev: Object;
  rtId: u32;
  rtSize: u32;

  get next(): Object {
    return changetype<Object>(this.nextWithColor & ~colorMask);
  }
  set next(object: Object) {
    this.nextWithColor = changetype<usize>(object) | (this.nextWithColor & colorMask);
  }

  get color(): i32 {
    return i32(this.nextWithColor & colorMask);
  }
  set color(color: i32) {
    this.nextWithColor = (this.nextWithColor & ~colorMask) | color;
  }

  get isWhite(): bool {
    return this.color == white || this.nextWithColor == 0;
  }

  /** Bytes in memory. */
  get size(): usize {
    return BLOCK_OVERHEAD + (this.mmInfo & ~3);
  }

  get isPointerfree(): bool {
    const id = this.rtId;
    // 0: Object, 1: ArrayBuffer, 2: String
    return id <= idof<string>() || (__typeinfo(id) & TypeinfoFlags.POINTERFREE) != 0;
  }

  unlink(): void {
    const next = this.next;
    if (next == null) return;
    const prev = this.prev;
    next.prev = prev;
    prev.next = next;
  }

  linkTo(list: Object, color: i32): void {
    const prev = list.prev;
    this.nextWithColor = changetype<usize>(list) | color;
    this.prev = prev;
    prev.next = this;
    list.prev = this;
  }

  /** Call on white objects. */
  makeGray(): void {
    this.unlink();
    this.linkTo(toSpace, this.isPointerfree ? i32(!white) : gray);
    reached++;
  }
}

function visitRoots(): void {
  __visit_globals(0);
  for (let object = pinSpace.next; object != pinSpace; object = object.next) {
    __visit_members(changetype<usize>(object) + TOTAL_OVERHEAD, 0);
  }
}

/** Visits the next object, or the next part of one. Returns units. */
function markStep(): usize {
  visited = 0;
  if (partial != 0) {
    visitObject(partial);
    return 1 + visited;
  }
  const next = cursor.next;
  if (next != toSpace) {
    cursor = next;
    // What has no references is black already.
    if (next.color == gray) {
      next.color = i32(!white);
      visitObject(changetype<usize>(next) + TOTAL_OVERHEAD);
    }
    return 1 + visited;
  }
  // Globals may have got other objects since the cycle began.
  visitRoots();
  if (cursor.next == toSpace) {
    const from = fromSpace;
    fromSpace = toSpace;
    toSpace = from;
    white = i32(!white);
    cursor = from.next;
    state = sweeping;
  }
  return 1 + visited;
}

function visitObject(data: usize): void {
  __visit_members(data, 0);
  partial = windowToken == 0 ? 0 : data;
}

/**
 * The beginning of the part of a map or set to be visited now; `token` is its entries, so that other entries, in which
 * everything may be at another place, are visited from the beginning. The end is `__onus_window_end`.
 */
// @ts-ignore: decorator
@global @unsafe
export function __onus_window_start(token: usize, length: u32): u32 {
  const start = windowToken == token ? windowEnd : 0;
  windowEnd = min(length, start + windowLength);
  windowToken = windowEnd == length ? 0 : token;
  visited += windowEnd - start;
  return start;
}

// @ts-ignore: decorator
@global @unsafe
export function __onus_window_end(): u32 {
  return windowEnd;
}

/** Frees the next object that was not reached. Returns units. */
function sweepStep(): usize {
  const object = cursor;
  if (object != toSpace) {
    cursor = object.next;
    free(object);
    return 1;
  }
  toSpace.nextWithColor = changetype<usize>(toSpace);
  toSpace.prev = toSpace;
  state = idle;
  sinceCycle = 0;
  debt = 0;
  allowance = max(allowanceFloor, reached * bytesPerObject);
  return 1;
}

function free(object: Object): void {
  if (changetype<usize>(object) < __heap_base) {
    object.nextWithColor = 0;
    object.prev = changetype<Object>(0);
    return;
  }
  if (isDefined(__finalize)) __finalize(changetype<usize>(object) + TOTAL_OVERHEAD);
  __free(changetype<usize>(object) + BLOCK_OVERHEAD);
}

/** Call at the beginning of a call: what was allocated at genesis is not this call's. */
// @ts-ignore: decorator
@global @unsafe
export function __onus_call_begins(): void {
  sinceCycle += allocated;
  allocated = 0;
}

/** Call at the end of a call, with no reference on the stack. Who allocates pays, up to a bound. */
// @ts-ignore: decorator
@global @unsafe
export function __onus_call_ends(): void {
  const own = allocated;
  allocated = 0;
  sinceCycle += own;
  if (state == idle) {
    if (sinceCycle <= allowance) return;
    state = marking;
    reached = 0;
    cursor = toSpace;
    visitRoots();
  }
  const wanted = own / bytesPerUnit + leastUnits;
  const units = min(wanted, mostUnits);
  const others = min(debt, mostForOthers);
  debt += wanted - units - others;
  for (let left = <isize>(units + others); left > 0 && state != idle; ) {
    left -= state == marking ? markStep() : sweepStep();
  }
}

// @ts-ignore: decorator
@global @unsafe
export function __new(size: usize, id: i32): usize {
  if (size > OBJECT_MAXSIZE) throw new Error(E_ALLOCATION_TOO_LARGE);
  const object = changetype<Object>(__alloc(OBJECT_OVERHEAD + size) - BLOCK_OVERHEAD);
  object.rtId = id;
  object.rtSize = <u32>size;
  object.linkTo(fromSpace, white);
  allocated += object.size;
  return changetype<usize>(object) + TOTAL_OVERHEAD;
}

// @ts-ignore: decorator
@global @unsafe
export function __renew(oldPtr: usize, size: usize): usize {
  const oldObject = changetype<Object>(oldPtr - TOTAL_OVERHEAD);
  if (oldPtr < __heap_base) {
    const copy = __new(size, oldObject.rtId);
    memory.copy(copy, oldPtr, min(size, oldObject.rtSize));
    return copy;
  }
  if (size > OBJECT_MAXSIZE) throw new Error(E_ALLOCATION_TOO_LARGE);
  const newPtr = __realloc(oldPtr - OBJECT_OVERHEAD, OBJECT_OVERHEAD + size) + OBJECT_OVERHEAD;
  const newObject = changetype<Object>(newPtr - TOTAL_OVERHEAD);
  newObject.rtSize = <u32>size;
  newObject.next.prev = newObject;
  newObject.prev.next = newObject;
  if (cursor == oldObject) cursor = newObject;
  if (newPtr != oldPtr) allocated += newObject.size;
  return newPtr;
}

/** A reference to `childPtr` was stored in `parentPtr`: no black object may have a white one. */
// @ts-ignore: decorator
@global @unsafe
export function __link(parentPtr: usize, childPtr: usize, expectMultiple: bool): void {
  if (state != marking || !childPtr) return;
  const child = changetype<Object>(childPtr - TOTAL_OVERHEAD);
  if (!child.isWhite) return;
  const color = changetype<Object>(parentPtr - TOTAL_OVERHEAD).color;
  if (color == i32(!white) || color == transparent) child.makeGray();
}

// @ts-ignore: decorator
@global @unsafe
export function __visit(ptr: usize, cookie: i32): void {
  if (!ptr) return;
  const object = changetype<Object>(ptr - TOTAL_OVERHEAD);
  visited++;
  if (object.isWhite) object.makeGray();
}

// @ts-ignore: decorator
@global @unsafe
export function __pin(ptr: usize): usize {
  if (ptr) {
    const object = changetype<Object>(ptr - TOTAL_OVERHEAD);
    if (object.color == transparent) throw new Error(E_ALREADY_PINNED);
    if (cursor == object) cursor = object.prev;
    object.unlink();
    object.linkTo(pinSpace, transparent);
  }
  return ptr;
}

// @ts-ignore: decorator
@global @unsafe
export function __unpin(ptr: usize): void {
  if (!ptr) return;
  const object = changetype<Object>(ptr - TOTAL_OVERHEAD);
  if (object.color != transparent) throw new Error(E_NOT_PINNED);
  object.unlink();
  object.linkTo(fromSpace, white);
  if (state == marking) object.makeGray();
}

/** Nothing: inside of a call references are on the stack, and the collector runs at its end by itself. */
// @ts-ignore: decorator
@global @unsafe
export function __collect(): void {}
