// Entries that return their argument, one for each type; the tests send every value through them.
import { context } from "@onus/assemblyscript";
import { Amount, Shape, Status, Tags, Task, Tree } from "./model";

export function echoBool(value: bool): bool { return value; }
export function echoU8(value: u8): u8 { return value; }
export function echoU16(value: u16): u16 { return value; }
export function echoU32(value: u32): u32 { return value; }
export function echoU64(value: u64): u64 { return value; }
export function echoI8(value: i8): i8 { return value; }
export function echoI16(value: i16): i16 { return value; }
export function echoI32(value: i32): i32 { return value; }
export function echoI64(value: i64): i64 { return value; }
export function echoF32(value: f32): f32 { return value; }
export function echoF64(value: f64): f64 { return value; }
export function echoString(value: string): string { return value; }
export function echoBytes(value: Uint8Array): Uint8Array { return value; }
export function echoAmount(value: Amount): Amount { return value; }
export function echoStatus(value: Status): Status { return value; }
export function echoStatuses(value: Status[]): Status[] { return value; }
export function echoLists(value: u32[][]): u32[][] { return value; }
export function echoOption(value: string | null): string | null { return value; }
export function echoOptions(value: (string | null)[]): (string | null)[] { return value; }
export function echoTextMap(value: Map<string, u64>): Map<string, u64> { return value; }
export function echoNumberMap(value: Map<i32, string>): Map<i32, string> { return value; }
export function echoStatusMap(value: Map<Status, bool>): Map<Status, bool> { return value; }
export function echoTask(value: Task): Task { return value; }
export function echoTasks(value: Task[], tags: Tags): Task[] { return value; }
export function echoTree(value: Tree): Tree { return value; }
export function echoShape(value: Shape): Shape { return value; }
export function echoShapes(value: Array<Shape>): Array<Shape> { return value; }

/**
 * Several parameters, the last of them optional.
 * @query
 */
export function join(first: string, count: u8, last: string | null = null): string {
  let text = "";
  for (let i: u32 = 0; i < count; i++) text += first;
  return last === null ? text : text + (last as string);
}

export function nothing(): void {}

/** @query */
export function header(): Map<string, string> {
  const all = new Map<string, string>();
  all.set("caller", context.callerText());
  all.set("callerLength", context.caller().length.toString());
  all.set("session", context.session().toString());
  all.set("counter", context.counter().toString());
  all.set("height", context.height().toString());
  all.set("time", context.time().toString());
  all.set("transactionId", context.transactionId().toString());
  all.set("seed", context.seed().toString());
  return all;
}

/** Results that have no encoding, by number. */
export function badResult(which: u8): string[] {
  if (which == 0) return [String.fromCharCode(0xd800)];
  if (which == 1) return [String.fromCharCode(0xdc00, 0xd800)];
  throw new Error("říkal jsem ne 🐎");
}

export function notANumber(): f64 { return NaN; }

/** @query */
export function deep(levels: u32): Tree {
  const root = new Tree();
  let at = root;
  for (let i: u32 = 1; i < levels; i++) {
    const child = new Tree();
    at.children.push(child);
    at = child;
  }
  return root;
}

/** @query */
export function random(): f64[] { return [Math.random(), Math.random()]; }

const notes = new Map<string, string>();
let calls: u64 = 0;

/** Allocates and drops: the tests call it a million times and watch the memory. */
export function churn(key: string, value: string): u64 {
  notes.set(key, value + calls.toString());
  return ++calls;
}
