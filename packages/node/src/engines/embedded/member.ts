/**
 * One node inside the embedded engine: its application, its signer, its mempool. An error of the application ends this
 * member as it would end the CometBFT process of a real node; the others go on.
 */
import { toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import type { Application, BlockRequest, FinalizeBlockResponse } from '../../abci/application.js'
import type { SignedAnswer, Signer } from '../../signer/signer.js'
import type { SignRequest } from '../../signer/signRequest.js'
import type { EngineFailure } from '../engine.js'

export interface MemberOptions {
  readonly application: Application
  readonly signer: Signer
  /** The application failed or fell apart from the others; this member no longer takes part. */
  readonly onFailure: (failure: EngineFailure) => void
}

export class Member {
  readonly application: Application
  readonly signer: Signer
  readonly #onFailure: (failure: EngineFailure) => void
  /** Transactions by their hexadecimal form. */
  readonly #mempool = new Map<string, Uint8Array>()
  /** Blocks of the height under way that the application accepted. */
  readonly #accepted = new Set<string>()
  /** Calls to the application that have not ended. */
  readonly #calls = new Set<Promise<unknown>>()
  running = false

  constructor(options: MemberOptions) {
    this.application = options.application
    this.signer = options.signer
    this.#onFailure = options.onFailure
  }

  get mempool(): readonly Uint8Array[] {
    return [...this.#mempool.values()]
  }

  /** Resolves when no call to the application is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#calls)
  }

  /** The result of an application call, or null where it failed and with it this member. */
  async call<Result>(name: string, run: (application: Application) => Promise<Result>): Promise<Result | null> {
    const call = run(this.application)
    this.#calls.add(call)
    try {
      return await call
    } catch (error) {
      this.fail(error instanceof OnusError ? error.code : 'application', `${name}: ${String(error)}`)
      return null
    } finally {
      this.#calls.delete(call)
    }
  }

  fail(code: string, message: string): void {
    if (!this.running) return
    this.running = false
    this.#onFailure({ code, message, log: '' })
  }

  /** Takes the transaction if the application does. */
  async offer(transaction: Uint8Array): Promise<boolean> {
    const key = toHex(transaction)
    if (this.#mempool.has(key)) return true
    const answer = await this.call('checkTx', (application) => application.checkTx({ transaction, recheck: false }))
    if (answer === null || answer.code !== 0 || !this.running) return false
    this.#mempool.set(key, transaction)
    return true
  }

  /** Whether the application accepts the block; asked once for each block of a height. */
  async accepts(request: BlockRequest): Promise<boolean> {
    const key = toHex(request.hash)
    if (this.#accepted.has(key)) return true
    const accepted =
      (await this.call('processProposal', (application) => application.processProposal(request))) === true
    if (accepted) this.#accepted.add(key)
    return accepted
  }

  /** The signature on `request`, or null where the signer refuses it or this member stopped. */
  async sign(request: SignRequest): Promise<SignedAnswer | null> {
    if (!this.running) return null
    try {
      return await this.signer.sign(request)
    } catch (error) {
      if (!(error instanceof OnusError)) this.fail('signer', String(error))
      return null
    }
  }

  /** The application's result of the block, or null where this member failed at it. */
  async finalize(request: BlockRequest): Promise<FinalizeBlockResponse | null> {
    const result = await this.call('finalizeBlock', (application) => application.finalizeBlock(request))
    for (const item of request.items) this.#mempool.delete(toHex(item))
    this.#accepted.clear()
    return result
  }

  /** Lets the application make the finalized block durable. */
  async commit(): Promise<void> {
    if (this.running) await this.call('commit', (application) => application.commit())
  }
}
