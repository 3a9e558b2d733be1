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
 * that is not too early for its expiry; or none of it ever will.
 */
export type Readiness = 'ready' | 'waiting' | 'useless'

export interface Judgement {
  readonly readiness: Readiness
  /** Sessions that it changes when it is taken. */
  readonly changes: ReadonlyMap<number, Session>
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
    const changes = new Map<number, Session>()
    let awaited: string | null = null
    let waits = false
    let isUnknown = false
    for (const transaction of signed.envelope.transactions) {
      const { slot, generation } = transaction.session
      const session = changes.get(slot) ?? this.get(slot)
      const rejection = this.#admit(session, transaction, signed, moment)
      if (rejection === rejectionCode.none) {
        const next =
          transaction.type === 'opening'
            ? sessionOfOpening(transaction, signed.envelope.kind)
            : { ...(session as Session), nextCounter: (session as Session).nextCounter + 1 }
        changes.set(slot, next)
      } else if (rejection === rejectionCode.expiryTooFar) waits = true
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
    const readiness = waits ? 'waiting' : changes.size > 0 ? 'ready' : 'useless'
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
      ? admitOpening(session, transaction, envelope.kind, signer, moment, limits)
      : admitCall(session, transaction, envelope.kind, signer, moment, limits)
  }

  /** Counts the envelope of a judgement `ready` as taken. */
  apply(judgement: Judgement): void {
    for (const [slot, session] of judgement.changes) this.#changed.set(slot, session)
  }
}
