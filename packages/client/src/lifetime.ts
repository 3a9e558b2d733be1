/**
 * The end of a client, or of one search among nodes: listeners are told once. In place of AbortSignal, of which Node
 * warns beyond ten listeners and whose combinations (`AbortSignal.any`) Node 20 never frees.
 */

export class Lifetime {
  readonly #listeners = new Set<() => void>()
  #isOver = false

  get isOver(): boolean {
    return this.#isOver
  }

  /** Calls `listener` at the end, at once if it is over. Gives the function that takes it back. */
  onEnd(listener: () => void): () => void {
    if (this.#isOver) {
      listener()
      return () => undefined
    }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  end(): void {
    this.#isOver = true
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    for (const listener of listeners) listener()
  }
}

/** A lifetime that ends with `outer` or before it. Must be ended, else it stays with `outer`. */
export function lifetimeWithin(outer: Lifetime): Lifetime {
  const inner = new Lifetime()
  inner.onEnd(outer.onEnd(() => inner.end()))
  return inner
}

/** Resolves after `milliseconds`, or at the end of `lifetime`. */
export function sleep(milliseconds: number, lifetime: Lifetime): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      takeBack()
      resolve()
    }, milliseconds)
    const takeBack = lifetime.onEnd(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
