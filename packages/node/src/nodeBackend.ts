/**
 * What the gateway asks of a node, put together from the workers, the pool and the archive: the way of an envelope from
 * arrival to certificate, and of a query.
 */
import { toHex } from '@onus/protocol/bytes'
import type { ClusterDomain } from '@onus/protocol/chainId'
import { OnusError } from '@onus/protocol/errors'
import { encodeQueryAnswer, encodeResults, type Results } from '@onus/protocol/gatewayMessages'
import { domainOfGenesis, type Genesis } from '@onus/protocol/genesis'
import type { Hasher } from '@onus/protocol/hash'
import type { Interface } from '@onus/protocol/interface/description'
import { type Envelope, transactionIds } from '@onus/protocol/transaction'
import type { BlockArchive } from './blockArchive.js'
import { checkEnvelope } from './gateway/argumentCheck.js'
import type { GatewayBackend, SessionHint } from './gateway/gatewayParts.js'
import type { CertifiedPlace, PendingResults } from './pendingResults.js'
import type { WorkerClient } from './worker/channel.js'
import type { ExecutionMethods } from './worker/executionWorker.js'
import type { QueryMethods } from './worker/queryWorker.js'

/** How long a query waits for a height that is not decided yet. */
const heightPatience = 2000
/** Envelopes of one session that requests may wait for at a time. */
const maximumWaitingOfSession = 256
/** The replica may hear of a block after this thread; it is asked again this often. */
const replicaLag = 50

export interface NodeBackendOptions {
  readonly genesis: Genesis
  readonly genesisBytes: Uint8Array
  readonly description: Interface
  readonly descriptionBytes: Uint8Array
  readonly hasher: Hasher
  readonly execution: WorkerClient<ExecutionMethods>
  readonly queries: WorkerClient<QueryMethods>
  readonly archive: BlockArchive
  readonly pending: PendingResults
  /** Takes an envelope into the pool (`Intake`); false where it was there. */
  readonly take: (envelope: Uint8Array) => Promise<boolean>
  /** Passes an envelope on to the other members and wakes the chain. */
  readonly spread: (envelope: Uint8Array) => void
  /** Resolves at the next decided block. */
  readonly nextDecision: (timeout: number) => Promise<void>
  /** Rejects `not-ready` or `dissenting` when the node takes no transactions. */
  readonly checkReady: () => void
  readonly status: () => Record<string, unknown>
  /** Envelopes on their way through the workers; more are refused as `busy`. */
  readonly envelopesInFlight: number
  readonly moment: () => { height: number; milliseconds: number }
}

function sessionOf({ transactions }: Envelope): string {
  const session = transactions[0]?.session
  return session === undefined ? '' : `${session.slot}.${session.generation}`
}

export class NodeBackend implements GatewayBackend {
  readonly #options: NodeBackendOptions
  readonly #domain: ClusterDomain
  #inFlight = 0
  /** Envelopes that requests wait for, by session: one session must not take all places. */
  readonly #waitingOf = new Map<string, number>()

  constructor(options: NodeBackendOptions) {
    this.#options = options
    this.#domain = domainOfGenesis(options.genesis)
  }

  get genesis(): Uint8Array {
    return this.#options.genesisBytes
  }

  get description(): Uint8Array {
    return this.#options.descriptionBytes
  }

  get maximumEnvelopeBytes(): number {
    return this.#options.genesis.limits.envelopeBytes
  }

  async submit(bytes: Uint8Array, timeout: number): Promise<Uint8Array> {
    return encodeResults(await this.carry(bytes, timeout))
  }

  async carry(bytes: Uint8Array, timeout: number): Promise<Results> {
    const { genesis, description, hasher, pending, archive } = this.#options
    const envelope = checkEnvelope(bytes, description, genesis)
    const ids = transactionIds(hasher, this.#domain, envelope)
    const known = this.#certifiedPlaces(ids)
    if (known !== null) return this.#results(known)
    this.#options.checkReady()
    const session = sessionOf(envelope)
    const ofSession = this.#waitingOf.get(session) ?? 0
    if (this.#inFlight >= this.#options.envelopesInFlight)
      throw new OnusError('busy', `${this.#inFlight} envelopes wait for their certificates here`, {
        remedy: 'try again in a second',
      })
    if (ofSession >= maximumWaitingOfSession)
      throw new OnusError('session-quota', `${ofSession} envelopes of this session wait for their certificates here`, {
        remedy: 'wait for their receipts, or put more calls into one envelope',
      })
    this.#inFlight += 1
    this.#waitingOf.set(session, ofSession + 1)
    const waiting = pending.open(ids, timeout)
    try {
      // It may be refused while the envelope is still being taken; then the error of the taking counts.
      waiting.places.catch(() => undefined)
      // A block decided before the wait began may have brought the certificate of some: look once more.
      for (const id of ids) {
        const place = archive.recentPlaceOf(id)
        if (place !== null && archive.certificate(place.height) !== null) pending.certified(id, () => place)
      }
      await this.#take(bytes, ids)
      const places = await waiting.places
      if (places === null)
        throw new OnusError('not-yet-certified', `taken, but not certified within ${timeout} ms`, {
          remedy: `ask for /v1/receipts/${toHex(ids[0] as Uint8Array)}`,
        })
      return this.#results(places)
    } finally {
      // What was refused is not waited for: its places would stay here until the timeout.
      waiting.giveUp()
      this.#inFlight -= 1
      const left = (this.#waitingOf.get(session) ?? 1) - 1
      if (left === 0) this.#waitingOf.delete(session)
      else this.#waitingOf.set(session, left)
    }
  }

  /** Checks signature and session, takes the envelope into the pool, and passes it on. */
  async #take(bytes: Uint8Array, ids: readonly Uint8Array[]): Promise<void> {
    let isNew: boolean
    try {
      isNew = await this.#options.take(bytes)
    } catch (error) {
      // Decided already and on its way to a certificate: the waiting goes on.
      if (ids.some((id) => this.#options.archive.placeOf(id) !== null)) return
      throw error
    }
    if (isNew) this.#options.spread(bytes)
  }

  /** Places of all ids if every one stands certified. */
  #certifiedPlaces(ids: readonly Uint8Array[]): CertifiedPlace[] | null {
    const places: CertifiedPlace[] = []
    for (const id of ids) {
      const place = this.#options.archive.placeOf(id)
      if (place === null || this.#options.archive.certificate(place.height) === null) return null
      places.push(place)
    }
    return places
  }

  #results(places: readonly CertifiedPlace[]): Results {
    const { archive } = this.#options
    const heights = [...new Set(places.map(({ height }) => height))]
    const present = <Value>(value: Value | null): Value => {
      if (value === null) throw new OnusError('unknown-block', 'the block is not kept here any more')
      return value
    }
    return {
      certificates: heights.map((height) => present(archive.certificate(height))),
      receipts: places.map(({ height, index }) => present(archive.receiptProof(height, index))),
      hints: places.flatMap(({ height, index }, receipt) => {
        const text = archive.detail(height, index)
        return text === null ? [] : [{ receipt, text }]
      }),
    }
  }

  async receipt(id: Uint8Array, timeout: number): Promise<Uint8Array> {
    const known = this.#certifiedPlaces([id])
    if (known !== null) return encodeResults(this.#results(known))
    const places = timeout === 0 ? null : await this.#options.pending.wait([id], timeout)
    if (places === null) throw new OnusError('unknown-transaction', 'no certified receipt of this transaction is here')
    return encodeResults(this.#results(places))
  }

  async certificate(height: number | null): Promise<Uint8Array> {
    const { archive } = this.#options
    const found = height === null ? archive.newestCertified : (archive.contentHeight(height) ?? 0)
    const certificate = archive.certificate(found)
    if (certificate === null)
      throw new OnusError(
        'unknown-block',
        height === null ? 'no block is certified yet' : `no certificate for height ${height} is here`,
      )
    return certificate
  }

  async query(argument: Uint8Array, height: number | null): Promise<Uint8Array> {
    const end = performance.now() + heightPatience
    for (;;) {
      try {
        const answer = await this.#options.queries.call('query', { height, argument })
        if (answer.trapped) throw new OnusError('query-trapped', answer.detail ?? 'the query trapped')
        return encodeQueryAnswer(answer)
      } catch (error) {
        const left = end - performance.now()
        if (!(error instanceof OnusError) || error.code !== 'height-ahead' || left <= 0) throw error
        await this.#options.nextDecision(Math.min(left, replicaLag))
      }
    }
  }

  async session(slot: number): Promise<SessionHint> {
    const { session, isClosed } = await this.#options.execution.call('session', slot)
    if (session === null)
      return { slot, generation: 0, open: false, nextCounter: 0, owner: null, key: null, closes: null }
    const { generation, nextCounter, closes } = session
    const [owner, key] = [toHex(session.owner), toHex(session.key)]
    return { slot, generation, open: !isClosed, nextCounter, owner, key, closes }
  }

  async freeSession(): Promise<{ slot: number; generation: number; height: number; time: number }> {
    const free = await this.#options.execution.call('freeSlot', null)
    if (free === null)
      throw new OnusError('busy', 'no free session slot was found', { remedy: 'try again in a second' })
    const { height, milliseconds } = this.#options.moment()
    return { ...free, height, time: milliseconds }
  }

  status(): Record<string, unknown> {
    return this.#options.status()
  }
}
