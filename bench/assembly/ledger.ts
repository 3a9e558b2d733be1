/**
 * The ledger of the benchmark `cluster`: 100,000 accounts with a balance each, 800 kB of state. A transfer reads and
 * writes two balances anywhere in it, so blocks dirty pages all over the memory.
 */
import { PagedArray } from '@onus/assemblyscript/collections/pagedArray'

const accountCount: u32 = 100_000
const firstBalance: u64 = 1_000_000_000

const balances = new PagedArray<u64>()
for (let account: u32 = 0; account < accountCount; account++) balances.push(firstBalance)

function check(account: u32): void {
  if (account >= accountCount) throw new Error(`no account ${account}`)
}

/** Moves an amount from one account to another and returns what the first one has left. */
export function transfer(from: u32, to: u32, amount: u64): u64 {
  check(from)
  check(to)
  const held = balances.get(from)
  if (held < amount) throw new Error(`account ${from} holds less than ${amount}`)
  balances.set(from, held - amount)
  balances.set(to, balances.get(to) + amount)
  return balances.get(from)
}

/**
 * The balance of an account.
 * @query
 */
export function balance(account: u32): u64 {
  check(account)
  return balances.get(account)
}

/**
 * The sum of all balances, which no transfer changes.
 * @query
 */
export function total(): u64 {
  let sum: u64 = 0
  for (let account: u32 = 0; account < accountCount; account++) sum += balances.get(account)
  return sum
}
