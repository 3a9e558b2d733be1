/** Calls at a steady rate whatever becomes of them, with the moment of each: for latency before and after a failure. */
import type { CertifiedCall, LedgerCluster } from './load.js'

export interface TimedCall {
  /** When it was issued, in milliseconds of `performance.now()`. */
  readonly at: number
  /** From issue to verified result; null where it failed. */
  readonly latency: number | null
  readonly certified: CertifiedCall | null
}

export class SteadyLoad {
  readonly calls: TimedCall[] = []
  readonly failures: unknown[] = []
  readonly #client: LedgerCluster
  readonly #pending = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout

  constructor(client: LedgerCluster, perSecond: number) {
    this.#client = client
    this.#timer = setInterval(() => this.#issue(), 1000 / perSecond)
  }

  #issue(): void {
    const done = this.#call().finally(() => this.#pending.delete(done))
    this.#pending.add(done)
  }

  async #call(): Promise<void> {
    const at = performance.now()
    try {
      const { value, report } = await (await this.#client.send.add(1)).until('certified')
      const certified = { id: report.transactionId, added: 1, value, height: report.height }
      this.calls.push({ at, latency: performance.now() - at, certified })
    } catch (error) {
      this.failures.push(error)
      this.calls.push({ at, latency: null, certified: null })
    }
  }

  /** Issues no more; resolves when all calls ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#pending)
  }

  get certified(): CertifiedCall[] {
    return this.calls.flatMap(({ certified }) => (certified === null ? [] : [certified]))
  }

  /** Of the calls issued from `from` to `to`; NaN where there were none. A failed one counts as endless. */
  quantile(share: number, from: number, to: number): number {
    const latencies = this.calls
      .filter(({ at }) => at >= from && at < to)
      .map(({ latency }) => latency ?? Number.POSITIVE_INFINITY)
      .sort((a, b) => a - b)
    return latencies[Math.floor((latencies.length - 1) * share)] ?? Number.NaN
  }
}
