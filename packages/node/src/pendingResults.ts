/**
 * Who waits for which transaction. A gateway's request waits here from the moment its envelope is taken until the
 * certificate of its block is there, or its time is over.
 */
import { wordLength } from '@onus/protocol/bytes'
import type { OnusError } from '@onus/protocol/errors'

/** The place of a certified transaction. */
export interface CertifiedPlace {
  readonly height: number
  readonly index: number
}

interface Waiter {
  readonly places: (CertifiedPlace | null)[]
  missing: number
  settle(places: readonly CertifiedPlace[]): void
  refuse(error: OnusError): void
}

export interface Waiting {
  readonly places: Promise<readonly CertifiedPlace[] | null>
  giveUp(): void
}

const keyOf = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, wordLength).toString('latin1')

export class PendingResults {
  readonly #waiters = new Map<string, { waiter: Waiter; position: number }[]>()

  get size(): number {
    return this.#waiters.size
  }

  /**
   * Places of all `ids` once every one is certified, or null after `timeout` milliseconds. Rejects as `refuse` says.
   */
  wait(ids: readonly Uint8Array[], timeout: number): Promise<readonly CertifiedPlace[] | null> {
    return this.open(ids, timeout).places
  }

  /** The same, and `giveUp`, which ends the waiting with null. */
  open(ids: readonly Uint8Array[], timeout: number): Waiting {
    let giveUp = (): void => undefined
    const places = new Promise<readonly CertifiedPlace[] | null>((resolve, reject) => {
      giveUp = (): void => {
        clearTimeout(timer)
        for (const id of ids) this.#drop(keyOf(id), waiter)
        resolve(null)
      }
      const timer = setTimeout(giveUp, timeout)
      const waiter: Waiter = {
        places: ids.map(() => null),
        missing: ids.length,
        settle: (places) => {
          clearTimeout(timer)
          resolve(places)
        },
        refuse: (error) => {
          clearTimeout(timer)
          for (const id of ids) this.#drop(keyOf(id), waiter)
          reject(error)
        },
      }
      ids.forEach((id, position) => {
        const key = keyOf(id)
        const list = this.#waiters.get(key)
        if (list === undefined) this.#waiters.set(key, [{ waiter, position }])
        else list.push({ waiter, position })
      })
    })
    return { places, giveUp }
  }

  #drop(key: string, waiter: Waiter): void {
    const list = this.#waiters.get(key)
    if (list === undefined) return
    const rest = list.filter((entry) => entry.waiter !== waiter)
    if (rest.length === 0) this.#waiters.delete(key)
    else this.#waiters.set(key, rest)
  }

  /** A transaction stands certified; `placeOf` is asked where only if somebody waits for it. */
  certified(id: Uint8Array, placeOf: (id: Uint8Array) => CertifiedPlace): void {
    const key = keyOf(id)
    const list = this.#waiters.get(key)
    if (list === undefined) return
    this.#waiters.delete(key)
    const place = placeOf(id)
    for (const { waiter, position } of list) {
      waiter.places[position] = place
      waiter.missing -= 1
      if (waiter.missing === 0) waiter.settle(waiter.places as CertifiedPlace[])
    }
  }

  /** Nobody need wait for these transactions here: they cannot be proposed. */
  refuse(ids: readonly Uint8Array[], error: OnusError): void {
    const waiters = new Set(ids.flatMap((id) => (this.#waiters.get(keyOf(id)) ?? []).map(({ waiter }) => waiter)))
    for (const waiter of waiters) waiter.refuse(error)
  }
}
