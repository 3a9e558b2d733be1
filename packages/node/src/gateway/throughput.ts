/** Events per second over the last seconds, and from it how long a backlog will take. No timers. */

const windowSeconds = 8

export class Throughput {
  readonly #slots = new Float64Array(windowSeconds)
  #second = Number.NEGATIVE_INFINITY
  total = 0

  count(events: number, now: number): void {
    this.total += events
    this.#advance(now)
    const slot = this.#second % windowSeconds
    this.#slots[slot] = (this.#slots[slot] as number) + events
  }

  /** `now` is milliseconds of a monotonic clock. */
  perSecond(now: number): number {
    this.#advance(now)
    return this.#slots.reduce((sum, events) => sum + events, 0) / windowSeconds
  }

  /** Milliseconds until `backlog` is worked off, from 1 to 30 seconds. */
  delayOf(backlog: number, now: number): number {
    return Math.min(30_000, Math.max(1000, (backlog / Math.max(1, this.perSecond(now))) * 1000))
  }

  #advance(now: number): void {
    const second = Math.floor(now / 1000)
    const passed = Math.min(windowSeconds, second - this.#second)
    for (let i = 0; i < passed; i++) this.#slots[(second - i) % windowSeconds] = 0
    if (passed > 0) this.#second = second
  }
}
