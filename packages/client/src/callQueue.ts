/**
 * Calls on their way to their session: those issued in one tick share an envelope, many envelopes are on their way at
 * once, the session is opened with the first call and replaced before it closes. Counters are given out here, in order.
 */
import { OnusError } from '@onus/protocol/errors'
import { callHeaderLength } from '@onus/protocol/transaction'
import { NoNodeError } from './clientErrors.js'
import { deliver, signCalls } from './deliver.js'
import { sleep } from './lifetime.js'
import { expiryAfter, freshenMoment, knownMoment } from './moment.js'
import type { Network } from './network.js'
import { openSession, standingOf } from './openSession.js'
import { deadlineError, PendingCall } from './pendingCall.js'
import { type ClientSession, consecutiveCounters, isClosing, type Shipment, takeCounter } from './session.js'
import type { Account } from './wallet.js'

/** Bytes of an envelope beside its calls: kind, count, signature; and of a call beside its argument. */
const envelopeOverhead = 68
const callOverhead: number = 4 + callHeaderLength
const reopenPause = 500

export class CallQueue {
  readonly #network: Network
  readonly #account: Account
  /** Not yet in an envelope. */
  #queued: PendingCall[] = []
  readonly #open = new Set<PendingCall>()
  readonly #jobs = new Set<Promise<void>>()
  #session: ClientSession | null
  #isImported: boolean
  #isPumping = false
  #trouble: OnusError | null = null

  constructor(network: Network, account: Account, imported: ClientSession | null) {
    this.#network = network
    this.#account = account
    this.#session = imported
    this.#isImported = imported !== null
    network.lifetime.onEnd(() => {
      for (const call of this.#open) call.fail(new OnusError('closed', 'the client was closed'))
    })
  }

  /** The session in use, if one is open. */
  get session(): ClientSession | null {
    return this.#session
  }

  /**
   * `gas` is what the interface says of the entry; a limit in the settings counts before it. Rejects `closed`, and
   * `too-large` for a call that no envelope can hold.
   */
  push(argument: Uint8Array, gas: number | undefined): PendingCall {
    if (this.#network.lifetime.isOver) throw new OnusError('closed', 'the client was closed')
    const { envelopeBytes } = this.#network.trust.genesis.limits
    const length = envelopeOverhead + callOverhead + argument.length
    if (length > envelopeBytes)
      throw new OnusError('too-large', `the call takes ${length} bytes, an envelope at most ${envelopeBytes}`)
    const timeout = this.#network.settings.timeouts.call
    const most = this.#network.trust.genesis.limits.callGas
    const gasLimit = this.#network.settings.gasLimit ?? Math.min(gas ?? most, most)
    const call = new PendingCall(argument, gasLimit, timeout, () => deadlineError(call, timeout, this.#trouble))
    this.#open.add(call)
    call.onEnd(() => this.#open.delete(call))
    this.#queued.push(call)
    if (!this.#isPumping) {
      this.#isPumping = true
      // Later in this tick: a caller that awaits inside a loop over many answers issues the next calls by then.
      queueMicrotask(() => queueMicrotask(() => void this.#pump()))
    }
    return call
  }

  async #pump(): Promise<void> {
    try {
      while (this.#isWanted()) await this.#sendNext()
    } catch (error) {
      for (const call of this.#queued) call.fail(error)
    } finally {
      this.#queued = []
      this.#isPumping = false
    }
  }

  #isWanted(): boolean {
    this.#queued = this.#queued.filter(({ isOpen }) => isOpen)
    return this.#queued.length > 0 && !this.#network.lifetime.isOver
  }

  async #sendNext(): Promise<void> {
    this.#network.certificates.checkUnforked()
    const session = await this.#usableSession()
    if (session === null) return
    await freshenMoment(this.#network, session.node)
    while (this.#jobs.size >= this.#network.settings.maximumInFlight) await Promise.race(this.#jobs)
    // Time has passed: the session may have died, and nobody may wait any more.
    if (session.dead || !this.#isWanted()) return
    const calls = this.#takeBatch(consecutiveCounters(session))
    session.waiting += calls.length
    for (const call of calls) {
      call.counter = takeCounter(session)
      call.onEnd(() => {
        session.waiting -= 1
      })
    }
    const stalled = session.stalled.splice(0)
    for (const shipment of [...stalled, signCalls(this.#network, session, calls)]) this.#start(session, shipment)
  }

  #takeBatch(most: number): PendingCall[] {
    const { envelopeBytes } = this.#network.trust.genesis.limits
    const mostCalls = Math.min(most, this.#network.settings.maximumBatch)
    let bytes = envelopeOverhead
    let count = 0
    for (const { argument } of this.#queued) {
      bytes += callOverhead + argument.length
      if (bytes > envelopeBytes || count === mostCalls) break
      count += 1
    }
    return this.#queued.splice(0, count)
  }

  #start(session: ClientSession, shipment: Shipment): void {
    const job = deliver(this.#network, session, shipment).catch((error: unknown) => {
      session.dead = true
      for (const call of shipment.calls) call.fail(error)
    })
    this.#jobs.add(job)
    void job.then(() => this.#jobs.delete(job))
  }

  /** An open session that stays open long enough; null when nobody waits any more. */
  async #usableSession(): Promise<ClientSession | null> {
    if (this.#isImported) await this.#checkImported()
    const current = this.#session
    const moment = knownMoment(this.#network)
    if (current !== null && !current.dead) {
      if (!isClosing(current, moment, expiryAfter(this.#network, moment))) return current
      // What the old session holds comes before what the new one will.
      await Promise.allSettled(this.#jobs)
    }
    return this.#openSession()
  }

  async #openSession(): Promise<ClientSession | null> {
    this.#session = null
    while (this.#isWanted()) {
      try {
        this.#session = await openSession(this.#network, this.#account, () => this.#isWanted())
        this.#trouble = null
        return this.#session
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error
        this.#trouble = error
        await sleep(reopenPause, this.#network.lifetime)
      }
    }
    return null
  }

  async #checkImported(): Promise<void> {
    this.#isImported = false
    if (this.#session === null) return
    const standing = await standingOf(this.#network, this.#session)
    if (standing === 'gone') this.#session = null
    else if (standing !== null) this.#session.nextCounter = standing
  }
}
