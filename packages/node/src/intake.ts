/**
 * The way of arriving envelopes, of clients and of other gateways, through the signature worker into the pool of the
 * execution worker. What arrives while batches are under way goes in the next one, so that the cost of messages falls
 * as load rises and a lone envelope never waits.
 */
import { OnusError } from '@onus/protocol/errors'
import type { WorkerClient } from './worker/channel.js'
import { type EnvelopeBatch, packEnvelopes } from './worker/envelopeBatch.js'
import type { ExecutionMethods, Refusal } from './worker/executionWorker.js'
import type { SignatureMethods } from './worker/signatureWorker.js'

/** Batches under way: one in each worker. */
const maximumUnderWay = 2
/** A batch is verified in at most about 4 ms, so that both workers stay busy. */
const maximumBatch = 64
const maximumBatchBytes = 1024 * 1024

interface Arrival {
  readonly bytes: Uint8Array
  readonly origin: number
  resolve(): void
  reject(error: unknown): void
}

export interface IntakeOptions {
  readonly signatures: Pick<WorkerClient<SignatureMethods>, 'call'>
  readonly execution: Pick<WorkerClient<ExecutionMethods>, 'call'>
  /** Told the number of envelopes that wait in the pool after each batch. */
  readonly onPool: (size: number) => void
}

export class Intake {
  readonly #options: IntakeOptions
  #arrivals: Arrival[] = []
  #underWay = 0
  #isScheduled = false

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /**
   * Resolves when the envelope is in the pool or was there. Rejects `signature-wrong` on a malformed envelope or wrong
   * signature, and as `Execution.submit` does. `origin` is 0 for this gateway's own, or the place of the peer that passed
   * it on, from 1.
   */
  take(bytes: Uint8Array, origin = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#arrivals.push({ bytes, origin, resolve, reject })
      if (this.#isScheduled) return
      this.#isScheduled = true
      setImmediate(() => {
        this.#isScheduled = false
        this.#send()
      })
    })
  }

  #send(): void {
    while (this.#arrivals.length > 0 && this.#underWay < maximumUnderWay) {
      const batch = this.#nextBatch()
      this.#underWay += 1
      void this.#carry(batch).finally(() => {
        this.#underWay -= 1
        this.#send()
      })
    }
  }

  #nextBatch(): Arrival[] {
    let bytes = 0
    let count = 0
    for (const arrival of this.#arrivals) {
      bytes += arrival.bytes.length
      if (count > 0 && (count === maximumBatch || bytes > maximumBatchBytes)) break
      count += 1
    }
    return this.#arrivals.splice(0, count)
  }

  async #carry(batch: readonly Arrival[]): Promise<void> {
    try {
      const packed = packEnvelopes(
        batch.map(({ bytes }) => bytes),
        batch.map(({ origin }) => origin),
      )
      const refusals = await this.#through(packed)
      for (const [index, { resolve, reject }] of batch.entries()) {
        const refusal = refusals[index] ?? null
        if (refusal === null) resolve()
        else reject(errorOf(refusal))
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  async #through(packed: EnvelopeBatch): Promise<readonly (Refusal | null)[]> {
    const { signatures, execution, onPool } = this.#options
    const signed = await signatures.call('recover', packed, [packed.bytes.buffer as ArrayBuffer])
    const { refusals, poolSize } = await execution.call('submit', signed, [signed.bytes.buffer as ArrayBuffer])
    onPool(poolSize)
    return refusals
  }
}

function errorOf({ code, message, remedy }: Refusal): OnusError {
  return new OnusError(code, message, remedy === undefined ? {} : { remedy })
}
