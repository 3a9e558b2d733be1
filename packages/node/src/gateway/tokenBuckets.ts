/**
 * Token buckets by key, bounded in number: a bucket holds up to `burst` tokens and gains `perSecond`. A key that is not
 * there has a full bucket, so full ones may be forgotten. No timers and no clock of its own.
 */
import type { Rate } from './settings.js'

interface Bucket {
  tokens: number
  /** When `tokens` was counted, in milliseconds. */
  at: number
}

/** Buckets that a new key looks at where there are as many as there may be. */
const bucketsALook = 16

export class TokenBuckets {
  readonly rate: Rate
  readonly #maximumKeys: number
  readonly #buckets = new Map<string, Bucket>()
  /** Goes round all buckets, a few for each new key; from its start a map is slow where many were deleted. */
  #round: Iterator<[string, Bucket]> = this.#buckets.entries()

  constructor(rate: Rate, maximumKeys: number) {
    this.rate = rate
    this.#maximumKeys = maximumKeys
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Tokens of `key` at `now`. */
  level(key: string, now: number): number {
    const bucket = this.#buckets.get(key)
    return bucket === undefined ? this.rate.burst : this.#refilled(bucket, now)
  }

  /** Takes `cost` tokens and gives 0, or takes none and gives the milliseconds until they are there. */
  take(key: string, cost: number, now: number): number {
    const missing = cost - this.level(key, now)
    // Fractions of tokens add up to a little less than the time that was told.
    if (missing > 1e-6) return this.waitFor(missing)
    this.charge(key, cost, now)
    return 0
  }

  /** Takes `cost` tokens, also those that are not there: the key owes them, up to a whole bucket. */
  charge(key: string, cost: number, now: number): void {
    const { burst } = this.rate
    const known = this.#buckets.get(key)
    if (known === undefined && this.#buckets.size >= this.#maximumKeys) this.#forget(now)
    const tokens = Math.max(-burst, (known === undefined ? burst : this.#refilled(known, now)) - cost)
    if (known === undefined) this.#buckets.set(key, { tokens, at: now })
    else {
      known.tokens = tokens
      known.at = now
    }
  }

  /** Milliseconds in which so many tokens come. */
  waitFor(tokens: number): number {
    return Math.ceil((tokens / this.rate.perSecond) * 1000)
  }

  #refilled({ tokens, at }: Bucket, now: number): number {
    return Math.min(this.rate.burst, tokens + ((now - at) / 1000) * this.rate.perSecond)
  }

  /**
   * Makes room for a key: of the next few buckets the full ones are forgotten, and where none is full the fullest, which
   * says the least. A flood of keys fills neither the memory nor the time, and does not wash debts away.
   */
  #forget(now: number): void {
    let fullest: { readonly key: string; readonly level: number } | null = null
    const before = this.#buckets.size
    for (let looked = 0; looked < bucketsALook; looked++) {
      const next = this.#nextBucket()
      if (next === null) break
      const [key, bucket] = next
      const level = this.#refilled(bucket, now)
      if (level >= this.rate.burst) this.#buckets.delete(key)
      else if (fullest === null || level > fullest.level) fullest = { key, level }
    }
    if (this.#buckets.size === before && fullest !== null) this.#buckets.delete(fullest.key)
  }

  /** null where there are none. */
  #nextBucket(): [string, Bucket] | null {
    const next = this.#round.next()
    if (next.done !== true) return next.value
    this.#round = this.#buckets.entries()
    const first = this.#round.next()
    return first.done === true ? null : first.value
  }
}
