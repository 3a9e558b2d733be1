// A bank with accounts in a Map: what a backend mostly does, over and over.

class Account {
  payments: u32 = 0;
  constructor(public owner: string, public balance: u64) {}
}

const accounts = new Map<string, Account>();

/** Opens the accounts `from` to `from + count - 1`; returns how many there are. */
export function open(from: u32, count: u32): u32 {
  for (let i = from; i < from + count; i++) {
    const name = "account " + i.toString();
    accounts.set(name, new Account(name, 1_000_000));
  }
  return accounts.size;
}

/**
 * Moves money and returns what is left.
 * @limit note 200
 */
export function transfer(from: string, to: string, amount: u64, note: string): u64 {
  const source = accounts.get(from);
  if (source.balance < amount) throw new Error("not enough money for " + note);
  source.balance -= amount;
  accounts.get(to).balance += amount;
  // Another object in the place of the old one, as programs do.
  const paid = new Account(source.owner, source.balance);
  paid.payments = source.payments + 1;
  accounts.set(from, paid);
  return paid.balance;
}

/**
 * The sum of all balances.
 * @query
 */
export function total(): u64 {
  let sum: u64 = 0;
  const all = accounts.values();
  for (let i = 0; i < all.length; i++) sum += all[i].balance;
  return sum;
}
