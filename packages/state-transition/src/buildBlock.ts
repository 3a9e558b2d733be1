/**
 * Builds a block as a proposer does: takes envelopes in order while the block's limits allow, executes them, and leaves
 * out what would not execute. What a block of its own could not hold is named as never fitting.
 */
import type { BeginBlock } from '@onus/protocol/blockData'
import { rejectionCode } from '@onus/protocol/receipt'
import { type BlockMoment, isPast, type Session } from '@onus/protocol/session'
import { millisecondsOfTimestamp } from '@onus/protocol/timestamp'
import { admitCall, admitOpening, sessionOfOpening } from './admission.js'
import { BlockExecution, type BlockOutcome, type SignedEnvelope } from './blockExecution.js'
import type { ClusterState } from './clusterState.js'

/** What can be said of a waiting envelope: some of it executes now, it waits for earlier calls, or none ever will. */
export type Readiness = 'ready' | 'waiting' | 'useless'

/** Sessions as they will stand after the envelopes taken so far. */
export class SessionView {
  readonly #state: ClusterState
  readonly #changed = new Map<number, Session>()

  constructor(state: ClusterState) {
    this.#state = state
  }

  get(slot: number): Session | null {
    return this.#changed.get(slot) ?? this.#state.sessions.get(slot)
  }

  /** Counts an envelope as taken if some of it executes; `waiting` if a gap is all that stands in its way. */
  take(signed: SignedEnvelope, moment: BlockMoment): Readiness {
    const { limits } = this.#state.genesis
    const { kind, transactions } = signed.envelope
    let executes = false
    let waits = false
    const changes = new Map<number, Session>()
    for (const transaction of transactions) {
      const { slot } = transaction.session
      const session = changes.get(slot) ?? this.get(slot)
      if (transaction.type === 'opening') {
        if (admitOpening(session, transaction, kind, signed.signer, moment, limits) !== rejectionCode.none) continue
        changes.set(slot, sessionOfOpening(transaction, kind))
        executes = true
        continue
      }
      const rejection = admitCall(session, transaction, kind, signed.signer, moment, limits)
      if (rejection === rejectionCode.none && session !== null) {
        changes.set(slot, { ...session, nextCounter: session.nextCounter + 1 })
        executes = true
      } else if (
        rejection === rejectionCode.counterGap ||
        (rejection === rejectionCode.sessionUnknown && !isPast(transaction.expiry, moment))
      )
        waits = true
    }
    if (waits) return 'waiting'
    if (!executes) return 'useless'
    for (const [slot, session] of changes) this.#changed.set(slot, session)
    return 'ready'
  }
}

export interface BuiltBlock<Candidate extends SignedEnvelope> {
  /** null when nothing executes: the block then has no content. */
  readonly outcome: BlockOutcome | null
  readonly taken: readonly Candidate[]
  /** Candidates of which nothing can execute any more. */
  readonly useless: readonly Candidate[]
  /** A candidate that passes a limit though it is alone in the block: it fits into none. */
  readonly oversized: Candidate | null
}

/** Candidates of one pass; the block is `full` when a limit ended it. */
interface Pass<Candidate> {
  readonly waiting: readonly Candidate[]
  readonly progressed: boolean
  readonly full: boolean
}

/** Takes envelopes in order until a limit is passed; owns the execution while it is open. */
class BlockBuilder<Candidate extends SignedEnvelope> {
  readonly taken: Candidate[] = []
  readonly useless: Candidate[] = []
  oversized: Candidate | null = null
  readonly #state: ClusterState
  readonly #begin: BeginBlock
  readonly #moment: BlockMoment
  readonly #view: SessionView
  readonly #mostTransactions: number
  #execution: BlockExecution | null

  constructor(state: ClusterState, begin: BeginBlock, share: number) {
    this.#state = state
    this.#begin = begin
    this.#moment = { height: begin.height, milliseconds: millisecondsOfTimestamp(begin.time) }
    this.#view = new SessionView(state)
    this.#mostTransactions = Math.floor(state.genesis.limits.blockTransactions * share)
    this.#execution = new BlockExecution(state, begin)
  }

  pass(candidates: Iterable<Candidate>): Pass<Candidate> {
    const waiting: Candidate[] = []
    let progressed = false
    for (const candidate of candidates) {
      const readiness = this.#view.take(candidate, this.#moment)
      if (readiness === 'useless') this.useless.push(candidate)
      if (readiness === 'waiting') waiting.push(candidate)
      if (readiness !== 'ready') continue
      if (!this.#execute(candidate)) return { waiting, progressed, full: true }
      progressed = true
    }
    return { waiting, progressed, full: false }
  }

  #execute(candidate: Candidate): boolean {
    const execution = this.#execution
    if (execution === null) return false
    if (execution.transactionCount + candidate.envelope.transactions.length > this.#mostTransactions) return false
    if (execution.execute(candidate) === null) {
      this.taken.push(candidate)
      return true
    }
    // A limit is passed inside this envelope, so nothing of it may stay: the block is undone, and `finish` executes
    // what came before once more. An envelope that passes a limit alone never fits.
    execution.revert()
    this.#execution = null
    if (this.taken.length === 0) this.oversized = candidate
    return false
  }

  finish(): BlockOutcome | null {
    if (this.taken.length === 0) return null
    return (this.#execution ?? executeAll(this.#state, this.#begin, this.taken)).finish()
  }
}

function executeAll(state: ClusterState, begin: BeginBlock, envelopes: readonly SignedEnvelope[]): BlockExecution {
  const execution = new BlockExecution(state, begin)
  for (const envelope of envelopes) execution.execute(envelope)
  return execution
}

/**
 * The block that a proposer makes of `candidates`. `share` from 0 to 1 scales the number of transactions taken: after
 * failed rounds blocks get smaller, at last empty (S10).
 */
export function buildBlock<Candidate extends SignedEnvelope>(
  state: ClusterState,
  begin: BeginBlock,
  candidates: Iterable<Candidate>,
  share: number,
): BuiltBlock<Candidate> {
  const builder = new BlockBuilder<Candidate>(state, begin, share)
  let rest: Iterable<Candidate> = candidates
  for (;;) {
    const { waiting, progressed, full } = builder.pass(rest)
    if (full || !progressed || waiting.length === 0) break
    rest = waiting
  }
  const { taken, useless, oversized } = builder
  return { outcome: builder.finish(), taken, useless, oversized }
}
