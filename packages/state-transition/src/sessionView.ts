/**
 * What would become of waiting envelopes (`spec/session.md` 3): sessions as they stand, or as they will stand after the
 * envelopes taken so far. A view decides nothing of a block; executing does. Proposers and gateways look through it.
 */
import { rejectionCode } from '@onus/protocol/receipt'
import { type BlockMoment, isPast, type Session } from '@onus/protocol/session'
import type { Call, Transaction } from '@onus/protocol/transaction'
import { admitCall, admitOpening, sessionOfOpening } from './admission.js'
import type { SignedEnvelope } from './blockExecution.js'
import type { ClusterState } from './clusterState.js'
import type { SessionUndo } from './sessionTree.js'

/**
 * Of a waiting envelope: some of it executes now; it waits for earlier calls, for its session to open, or for a block
 * that is not too early for its expiry; its calls have expired, which a block can prove to their sender; or none of it
 * ever does anything.
 */
export type Readiness = 'ready' | 'waiting' | 'expired' | 'useless'

export type SessionChange = readonly [slot: number, session: Session]

export interface Judgement {
  readonly readiness: Readiness
  /** Sessions as it leaves them when it is taken, each slot once. */
  readonly changes: readonly SessionChange[]
  /** The standing (`standingKey`) of a session that it waits for first; null where it waits for none. */
  readonly awaited: string | null
  /** It waits for a session that is not open. */
  readonly isUnknown: boolean
}

/** Names the state of a session in which a call with this counter is the next. */
export function standingKey(slot: number, generation: number, counter: number): string {
  return `${slot}/${generation}/${counter}`
}

/** Whether a session that is not this call's yet, or not open yet, may come to be it. */
function mayStillOpen(session: Session | null, call: Call, moment: BlockMoment): boolean {
  if (isPast(call.expiry, moment)) return false
  return session === null || call.session.generation > session.generation
}

export class SessionView {
  readonly #state: ClusterState
  readonly #changed = new Map<number, Session | null>()

  /** `before` puts what slots held earlier in the place of what they hold now. */
  constructor(state: ClusterState, before: SessionUndo = []) {
    this.#state = state
    for (const [slot, session] of before) this.#changed.set(slot, session)
  }

  get(slot: number): Session | null {
    const changed = this.#changed.get(slot)
    return changed === undefined ? this.#state.sessions.get(slot) : changed
  }

  /** What a block at `moment` would make of an envelope; nothing is taken. */
  judge(signed: SignedEnvelope, moment: BlockMoment): Judgement {
    // Most envelopes are of one session: a list is found through faster than a map is made.
    const changes: (readonly [number, Session])[] = []
    let awaited: string | null = null
    let waits = false
    let isUnknown = false
    let hasExpired = false
    for (const transaction of signed.envelope.transactions) {
      const { slot, generation } = transaction.session
      const at = changes.findIndex(([changed]) => changed === slot)
      const session = at < 0 ? this.get(slot) : (changes[at] as SessionChange)[1]
      const rejection = this.#admit(session, transaction, signed, moment)
      if (rejection === rejectionCode.none) {
        const next =
          transaction.type === 'opening'
            ? sessionOfOpening(transaction, signed.envelope.kind)
            : { ...(session as Session), nextCounter: (session as Session).nextCounter + 1 }
        if (at < 0) changes.push([slot, next])
        else changes[at] = [slot, next]
      } else if (rejection === rejectionCode.sessionKey) {
        // Not the signer's to send. Nothing of such an envelope is taken: it would cost the session's owner, and a copy
        // of his call would be rejected for all to see while his own still waits.
        return { readiness: 'useless', changes: [], awaited: null, isUnknown: false }
      } else if (rejection === rejectionCode.expiryTooFar) waits = true
      else if (rejection === rejectionCode.expired && transaction.type === 'call') hasExpired = true
      else if (transaction.type === 'call' && rejection === rejectionCode.counterGap) {
        waits = true
        awaited ??= standingKey(slot, generation, transaction.counter)
      } else if (
        transaction.type === 'call' &&
        rejection === rejectionCode.sessionUnknown &&
        mayStillOpen(session, transaction, moment)
      ) {
        waits = true
        isUnknown = true
        awaited ??= standingKey(slot, generation, 0)
      }
    }
    const otherwise = hasExpired ? 'expired' : 'useless'
    const readiness = waits ? 'waiting' : changes.length > 0 ? 'ready' : otherwise
    return { readiness, changes, awaited, isUnknown }
  }

  #admit(
    session: Session | null,
    transaction: Transaction,
    { envelope, signer }: SignedEnvelope,
    moment: BlockMoment,
  ): number {
    const { limits } = this.#state.genesis
    return transaction.type === 'opening'
      ? admitOpening(session, transaction, envelope.kind, signer, moment, limits, this.#state.admits)
      : admitCall(session, transaction, envelope.kind, signer, moment, limits)
  }

  /** Counts the envelope of a judgement `ready` as taken. */
  apply(judgement: Judgement): void {
    for (const [slot, session] of judgement.changes) this.#changed.set(slot, session)
  }
}
