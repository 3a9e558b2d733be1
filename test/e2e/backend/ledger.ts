/**
 * Backend of the end-to-end tests, in AssemblyScript (the TypeScript compiler checks it too, by `assemblyscript.d.ts`).
 * Whatever executes twice shows in `count`; the rest does what a hostile backend or caller would do.
 */

const accounts: u32 = 256
const startBalance: u32 = 1_000_000
const balances = new StaticArray<u32>(accounts)
for (let account: u32 = 0; account < accounts; account++) balances[account] = startBalance

let total: u32 = 0
let executed: u32 = 0
const isEndless = true
let scratch = new Uint8Array(0)
const hoarded: Uint8Array[] = []

/** Adds to the counter and returns it. */
export function add(amount: u32): u32 {
  executed++
  total += amount
  return total
}

/** Moves money and returns the new balance of the receiver. Refuses an overdraft. */
export function transfer(from: u32, to: u32, amount: u32): u32 {
  if (from >= accounts || to >= accounts) throw new Error('no such account')
  if (balance(from) < amount) throw new Error(`account ${from.toString()} has less`)
  executed++
  balances[from] = balance(from) - amount
  balances[to] = balance(to) + amount
  return balance(to)
}

/** Returns nothing, so that a lie about outputs cannot show. */
export function touch(): void {
  executed++
}

/** Adds, and traps then: nothing of it may stay. */
export function addAndTrap(amount: u32): u32 {
  add(amount)
  throw new Error(`refused after adding ${amount.toString()}`)
}

/** Never ends. */
export function spin(): u32 {
  while (isEndless) total++
  return total
}

/** Calls itself to the given depth. */
export function recurse(depth: u32): u32 {
  return depth === 0 ? total : recurse(depth - 1) + 1
}

/** Takes memory until there is none. */
export function hoard(): u32 {
  while (isEndless) hoarded.push(new Uint8Array(1 << 16))
  return hoarded.length
}

/** Grows the memory to its greatest size at once, and traps then. */
export function balloon(): u32 {
  while (memory.grow(64) >= 0) executed++
  throw new Error('grown')
}

/** Writes to so many pages of 4 KiB. */
export function scribble(pages: u32): u32 {
  const bytes: i32 = pages << 12
  if (scratch.length < bytes) scratch = new Uint8Array(bytes)
  executed++
  for (let at: i32 = 0; at < bytes; at += 4096) scratch[at] = (scratch[at] as u8) + 1
  return pages
}

/** Takes any bytes and returns how many. */
export function note(bytes: Uint8Array): u32 {
  executed++
  return bytes.length
}

/** Bytes of the given length. */
export function echo(length: u32): Uint8Array {
  executed++
  return new Uint8Array(length)
}

/**
 * The counter.
 * @query
 */
export function count(): u32 {
  return total
}

/**
 * Calls that executed and did not trap.
 * @query
 */
export function calls(): u32 {
  return executed
}

/**
 * Balance of an account.
 * @query
 */
export function balance(account: u32): u32 {
  return balances[account] as u32
}

/**
 * A query that never ends.
 * @query
 */
export function spinQuery(): u32 {
  while (isEndless) total++
  return total
}
