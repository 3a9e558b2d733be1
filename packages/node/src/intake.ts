/**
 * The way of arriving envelopes, of clients and of other gateways, through the signature worker into the pool of the
 * execution worker. What arrives while batches are under way goes in the next one, so that the cost of messages falls
 * as load rises and a lone envelope never waits.
 */
import { OnusError } from '@onus/protocol/errors'
import type { WorkerClient } from './worker/channel.js'
import { type EnvelopeBatch, packEnvelopes } from './worker/envelopeBatch.js'
import type { ExecutionMethods, Refusal, Taking } from './worker/executionWorker.js'
import type { SignatureMethods } from './worker/signatureWorker.js'

/** Batches under way: one in each worker. */
const maximumUnderWay = 2
/** A batch is verified in at most about 4 ms, so that both workers stay busy. */
const maximumBatch = 64
const maximumBatchBytes = 1024 * 1024
/** Waiting to be looked at, of each origin: about half a second of work. */
const maximumWaiting = 8192
const maximumWaitingBytes = 8 * 1024 * 1024

interface Arrival {
  readonly bytes: Uint8Array
  readonly origin: number
  resolve(isNew: boolean): void
  reject(error: unknown): void
}

interface Line {
  readonly arrivals: Arrival[]
  bytes: number
}

export interface IntakeOptions {
  readonly signatures: Pick<WorkerClient<SignatureMethods>, 'call'>
  readonly execution: Pick<WorkerClient<ExecutionMethods>, 'call'>
  /** Told the number of envelopes that wait in the pool after each batch. */
  readonly onPool: (size: number) => void
}

export class Intake {
  readonly #options: IntakeOptions
  /** By origin, each in the order of arrival. */
  readonly #lines = new Map<number, Line>()
  #underWay = 0
  #isScheduled = false

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /**
   * Resolves when the envelope is in the pool, false where it was there already. Rejects `busy` where too much of its
   * origin waits to be looked at, and `signature-wrong` on a malformed envelope or wrong
   * signature, and as `Execution.submit` does. `origin` is 0 for this gateway's own, or the place of the peer that passed
   * it on, from 1.
   */
  take(bytes: Uint8Array, origin = 0): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (!this.#queue({ bytes, origin, resolve, reject })) {
        const message = 'this node has as many envelopes to look at as it may'
        reject(new OnusError('busy', message, { remedy: 'try again in a second' }))
        return
      }
      if (this.#isScheduled) return
      this.#isScheduled = true
      setImmediate(() => {
        this.#isScheduled = false
        this.#send()
      })
    })
  }

  #send(): void {
    while (this.#hasArrivals && this.#underWay < maximumUnderWay) {
      const batch = this.#nextBatch()
      this.#underWay += 1
      void this.#carry(batch).finally(() => {
        this.#underWay -= 1
        this.#send()
      })
    }
  }

  /** Puts an arrival into the line of its origin; false where that is too long. */
  #queue(arrival: Arrival): boolean {
    let line = this.#lines.get(arrival.origin)
    if (line === undefined) {
      line = { arrivals: [], bytes: 0 }
      this.#lines.set(arrival.origin, line)
    }
    if (line.arrivals.length >= maximumWaiting || line.bytes + arrival.bytes.length > maximumWaitingBytes) return false
    line.arrivals.push(arrival)
    line.bytes += arrival.bytes.length
    return true
  }

  get #hasArrivals(): boolean {
    for (const { arrivals } of this.#lines.values()) if (arrivals.length > 0) return true
    return false
  }

  /** From the lines in turns, so that a peer that floods this node keeps out nobody else. */
  #nextBatch(): Arrival[] {
    const batch: Arrival[] = []
    let bytes = 0
    const lines = [...this.#lines.values()].filter(({ arrivals }) => arrivals.length > 0)
    const share = Math.max(1, Math.floor(maximumBatch / Math.max(1, lines.length)))
    for (const line of lines) {
      let count = 0
      for (const arrival of line.arrivals) {
        if (count === share || (batch.length > 0 && bytes + arrival.bytes.length > maximumBatchBytes)) break
        bytes += arrival.bytes.length
        line.bytes -= arrival.bytes.length
        batch.push(arrival)
        count += 1
      }
      line.arrivals.splice(0, count)
    }
    return batch
  }

  async #carry(batch: readonly Arrival[]): Promise<void> {
    try {
      const packed = packEnvelopes(
        batch.map(({ bytes }) => bytes),
        batch.map(({ origin }) => origin),
      )
      const outcomes = await this.#through(packed)
      for (const [index, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[index] as Taking
        if (typeof outcome === 'string') resolve(outcome === 'new')
        else reject(errorOf(outcome))
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  async #through(packed: EnvelopeBatch): Promise<readonly Taking[]> {
    const { signatures, execution, onPool } = this.#options
    const signed = await signatures.call('recover', packed, [packed.bytes.buffer as ArrayBuffer])
    const { outcomes, poolSize } = await execution.call('submit', signed, [signed.bytes.buffer as ArrayBuffer])
    onPool(poolSize)
    return outcomes
  }
}

function errorOf({ code, message, remedy }: Refusal): OnusError {
  return new OnusError(code, message, remedy === undefined ? {} : { remedy })
}
