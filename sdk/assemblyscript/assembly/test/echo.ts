// Entries that return their argument, one for each type; the tests send every value through them.
import { Address, context, emit, err, i128, i256, ok, Result, u128, u256 } from "@onus/assemblyscript";
import { Amount, Deposit, Moved, Outcome, Rights, Shape, Status, Tags, Task, Tree, Wide } from "./model";

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
export function echoU128(value: u128): u128 { return value; }
export function echoU256(value: u256): u256 { return value; }
export function echoI128(value: i128): i128 { return value; }
export function echoI256(value: i256): i256 { return value; }
export function echoAddress(value: Address): Address { return value; }
export function echoRights(value: Rights): Rights { return value; }
export function echoWide(value: Wide): Wide { return value; }
export function echoResult(value: Result<u32, string>): Result<u32, string> { return value; }
export function echoOutcomes(value: (Outcome | null)[]): (Outcome | null)[] { return value; }
export function echoBalances(value: Map<Address, u256>): Map<Address, u256> { return value; }
export function echoWideMap(value: Map<i128, string>): Map<i128, string> { return value; }

/**
 * Every kind of limit.
 * @limit text 5
 * @limit bytes 3
 * @limit list 2
 * @limit map 1
 * @limit maybe 4
 * @gas 5_000_000
 * @param text at most five bytes
 *   of UTF-8
 * @param maybe or nothing
 */
export function echoLimited(text: string, bytes: Uint8Array, list: u16[], map: Map<u8, bool>, maybe: Tags | null): string {
  return text;
}

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
  all.set("callerLength", context.caller().toBytes().length.toString());
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

/** Emits a deposit and moves between the Shapes of `values`, then returns how many. */
export function deposit(amount: u256, values: i32[]): u32 {
  emit(new Deposit(context.caller(), amount));
  for (let i = 0; i < values.length; i++) {
    const moved = new Moved();
    moved.from = values[i];
    moved.path = values.slice(0, i);
    emit(moved);
    // What was emitted is not changed by this.
    moved.from = -1;
  }
  if (values.length > 3) throw new Error("too many");
  return values.length + 1;
}

/** Events and no result. */
export function announce(): void { emit(new Moved()); }

/** @query */
export function emitsInQuery(): u32 {
  emit(new Moved());
  return 1;
}

export function logs(texts: string[]): void {
  for (let i = 0; i < texts.length; i++) console.log(texts[i]);
}

/** Result of an operation on wide integers in decimal, or the problem. */
export function wide(type: string, operation: string, a: string, b: string): string {
  if (type == "u128") return wideU128(operation, u128.parse(a), b);
  if (type == "u256") return wideU256(operation, u256.parse(a), b);
  if (type == "i128") return wideI128(operation, i128.parse(a), b);
  return wideI256(operation, i256.parse(a), b);
}

function wideU128(operation: string, a: u128, text: string): string {
  if (operation == "<<") return (a << I32.parseInt(text)).toString();
  if (operation == ">>") return (a >> I32.parseInt(text)).toString();
  const b = u128.parse(text);
  if (operation == "+") return (a + b).toString();
  if (operation == "-") return (a - b).toString();
  if (operation == "*") return (a * b).toString();
  if (operation == "/") return (a / b).toString();
  if (operation == "%") return (a % b).toString();
  if (operation == "&") return (a & b).toString();
  if (operation == "|") return (a | b).toString();
  if (operation == "^") return (a ^ b).toString();
  return orders(a == b, a != b, a < b, a > b, a <= b, a >= b);
}

function wideU256(operation: string, a: u256, text: string): string {
  if (operation == "<<") return (a << I32.parseInt(text)).toString();
  if (operation == ">>") return (a >> I32.parseInt(text)).toString();
  const b = u256.parse(text);
  if (operation == "+") return (a + b).toString();
  if (operation == "-") return (a - b).toString();
  if (operation == "*") return (a * b).toString();
  if (operation == "/") return (a / b).toString();
  if (operation == "%") return (a % b).toString();
  if (operation == "&") return (a & b).toString();
  if (operation == "|") return (a | b).toString();
  if (operation == "^") return (a ^ b).toString();
  return orders(a == b, a != b, a < b, a > b, a <= b, a >= b);
}

function wideI128(operation: string, a: i128, text: string): string {
  const b = i128.parse(text);
  if (operation == "+") return (a + b).toString();
  if (operation == "-") return (a - b).toString();
  if (operation == "*") return (a * b).toString();
  if (operation == "/") return (a / b).toString();
  if (operation == "%") return (a % b).toString();
  return orders(a == b, a != b, a < b, a > b, a <= b, a >= b);
}

function wideI256(operation: string, a: i256, text: string): string {
  const b = i256.parse(text);
  if (operation == "+") return (a + b).toString();
  if (operation == "-") return (a - b).toString();
  if (operation == "*") return (a * b).toString();
  if (operation == "/") return (a / b).toString();
  if (operation == "%") return (a % b).toString();
  return orders(a == b, a != b, a < b, a > b, a <= b, a >= b);
}

function orders(equal: bool, different: bool, below: bool, above: bool, notAbove: bool, notBelow: bool): string {
  const all: bool[] = [equal, different, below, above, notAbove, notBelow];
  return all.map<string>((one: bool): string => one ? "1" : "0").join("");
}

const balances = new Map<Address, u128>();
const seen = new Set<u256>();

/** Counts by address, and remembers which counts there were: keys are compared by value. */
export function count(who: string): Map<string, u64> {
  const address = Address.parse(who);
  const before = balances.has(address) ? balances.get(address) : u128.zero;
  balances.set(address, before + u128.one);
  seen.add(u256.of((before + u128.one).toU64()));
  const all = new Map<string, u64>();
  all.set(address.toString(), balances.get(address).toU64());
  all.set("addresses", balances.size);
  all.set("counts", seen.size);
  return all;
}

/** A result of each kind, and what it traps with. */
export function divide(a: u32, b: u32): Result<u32, string> {
  return b == 0 ? err<u32, string>("division by zero") : ok<u32, string>(a / b);
}

/** Traps of the machine and of the SDK, by number. */
export function trap(which: u8, index: i32): i32 {
  const list = [1, 2, 3];
  if (which == 0) return list[index];
  if (which == 1) return 10 / index;
  if (which == 2) assert(index > 5, "index is small");
  if (which == 3) unreachable();
  if (which == 4) return <i32>divide(1, 0).value;
  if (which == 5) return <i32>load<u8>(<usize>0xfffffff0);
  return endless(index);
}

function endless(index: i32): i32 {
  return index == -1 ? 0 : endless(index + 1) + 1;
}
