/** Envelopes that arrive in one turn of the event loop go to the signature worker in one message. */
import type { WorkerClient } from './worker/channel.js'
import type { SignatureMethods } from './worker/signatureWorker.js'

interface Waiting {
  readonly bytes: Uint8Array
  resolve(signer: Uint8Array | null): void
  reject(error: unknown): void
}

export class SignatureBatches {
  readonly #worker: WorkerClient<SignatureMethods>
  #waiting: Waiting[] = []

  constructor(worker: WorkerClient<SignatureMethods>) {
    this.#worker = worker
  }

  /** Address (20 bytes) of the signer of an envelope, or null. */
  recover(bytes: Uint8Array): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject })
      if (this.#waiting.length === 1) setImmediate(() => this.#send())
    })
  }

  #send(): void {
    const batch = this.#waiting
    this.#waiting = []
    this.#worker
      .call(
        'recover',
        batch.map(({ bytes }) => bytes),
      )
      .then(
        (signers) => {
          for (const [index, { resolve }] of batch.entries()) resolve(signers[index] ?? null)
        },
        (error) => {
          for (const { reject } of batch) reject(error)
        },
      )
  }
}
