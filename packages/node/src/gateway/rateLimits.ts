/**
 * Who may ask how much (`spec/gateway.md` 6): calls by session, once their signature is known, and what no signature
 * stands for by address. Requests from this machine are its operator's and are not counted by address,
 * unless a proxy stands in front, which tells the addresses.
 */
import { addressKey, isLoopback } from './addressKey.js'
import { LaterError } from './laterError.js'
import type { GatewaySettings } from './settings.js'
import { TokenBuckets } from './tokenBuckets.js'

/** About 150 bytes each. */
const maximumKeys = 100_000

export class RateLimits {
  readonly #keys: TokenBuckets | null
  readonly #addresses: TokenBuckets | null
  /** Refusals so far. */
  readonly refused = { key: 0, address: 0 }

  constructor({ key, address }: GatewaySettings['rates']) {
    this.#keys = key === null ? null : new TokenBuckets(key, maximumKeys)
    this.#addresses = address === null ? null : new TokenBuckets(address, maximumKeys)
  }

  /** Rejects `rate-limited` while the calls of `session` are used up. */
  checkCalls(session: string): void {
    if (this.#keys === null) return
    const level = this.#keys.level(session, performance.now())
    if (level >= 1) return
    this.refused.key += 1
    throw limited('key', 'calls of one session', this.#keys, this.#keys.waitFor(1 - level))
  }

  /** `count` calls of `session` were taken; it may owe some of them. */
  chargeCalls(session: string, count: number): void {
    this.#keys?.charge(session, count, performance.now())
  }

  /** A request from `address` that costs `cost`. Rejects `rate-limited`. */
  takeRequest(address: string, cost: number): void {
    if (this.#addresses === null || isLoopback(address)) return
    const wait = this.#addresses.take(addressKey(address), cost, performance.now())
    if (wait === 0) return
    this.refused.address += 1
    throw limited('address', 'requests of one address', this.#addresses, wait)
  }

  /** Whether `address` may still send envelopes, which cost it nothing while they are good. Rejects `rate-limited`. */
  checkAddress(address: string): void {
    if (this.#addresses === null || isLoopback(address)) return
    const level = this.#addresses.level(addressKey(address), performance.now())
    if (level >= 1) return
    this.refused.address += 1
    throw limited('address', 'requests of one address', this.#addresses, this.#addresses.waitFor(1 - level))
  }

  /** Something useless came from `address`: it counts, but is refused by its own error. */
  chargeMistake(address: string): void {
    if (this.#addresses === null || isLoopback(address)) return
    this.#addresses.charge(addressKey(address), 1, performance.now())
  }
}

function limited(name: string, what: string, { rate }: TokenBuckets, wait: number): LaterError {
  const { burst, perSecond } = rate
  const message = `this node takes ${perSecond} ${what} a second and ${burst} at once`
  return new LaterError(
    'rate-limited',
    message,
    wait,
    { name, burst, perSecond },
    { remedy: 'wait as retry-after says' },
  )
}
