/**
 * Counts completed calls within a window of time. A closed loop runs before, through and after the window, so that its
 * ends do not show: no ramp, no tail.
 */

import { type CpuUse, openCpuWindow, type Watched } from '../system/cpuWindow.js'
import { quantile } from './quantile.js'

/** What a load source measured in one window. */
export interface LoadResult {
  readonly calls: number
  /** When the window opened, in milliseconds of the monotonic clock. */
  readonly openedAt: number
  readonly seconds: number
  /** Of all calls since the load began, also outside of the window. */
  readonly failed: number
  readonly firstFailure: string | null
  /** Milliseconds from sending a request to its outcome. */
  readonly p50: number
  readonly p99: number
  /** Blocks that held the calls. */
  readonly blocks: number
  readonly cpu: CpuUse
}

export class Meter {
  readonly #latencies: number[] = []
  readonly #heights = new Set<number>()
  #calls = 0
  #failed = 0
  #firstFailure: string | null = null
  #openedAt = 0
  #isOpen = false
  #closeCpu: (() => CpuUse) | null = null

  /** Calls completed since the window opened; before, since the meter was made. */
  get calls(): number {
    return this.#calls
  }

  completed(calls: number, milliseconds: number, height: number): void {
    this.#calls += calls
    if (!this.#isOpen) return
    this.#latencies.push(milliseconds)
    this.#heights.add(height)
  }

  failed(calls: number, error: unknown): void {
    this.#failed += calls
    this.#firstFailure ??= error instanceof Error ? error.message : String(error)
  }

  get failures(): Pick<LoadResult, 'failed' | 'firstFailure'> {
    return { failed: this.#failed, firstFailure: this.#firstFailure }
  }

  open(watched: Watched): void {
    this.#closeCpu = openCpuWindow(watched)
    this.#calls = 0
    this.#isOpen = true
    this.#openedAt = monotonicMilliseconds()
  }

  /** Closes the window; failures of calls still under way are counted until `result` is read. */
  close(): () => LoadResult {
    const openedAt = this.#openedAt
    const seconds = (monotonicMilliseconds() - openedAt) / 1000
    const cpu = this.#closeCpu?.() ?? { nodes: 0, nodeLoops: 0, engines: 0, client: 0, noise: 0 }
    const calls = this.#calls
    this.#isOpen = false
    return () => ({
      calls,
      openedAt,
      seconds,
      cpu,
      ...this.failures,
      p50: quantile(this.#latencies, 0.5),
      p99: quantile(this.#latencies, 0.99),
      blocks: this.#heights.size,
    })
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** A pause between two calls that wait for each other, so that the chain rests: 150 to 200 ms. */
export function pauseBetweenCalls(): Promise<void> {
  return pause(150 + Math.random() * 50)
}

/** Milliseconds of the machine's monotonic clock, which all processes share. */
export function monotonicMilliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
