/**
 * State of one session on the client's side (`spec/client.md` 6): which counters are given out. A counter belongs to
 * one call for life; it is given to another only once it is known that the first never executes under it.
 */
import { fromHex, toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import type { Expiry, SessionId } from '@onus/protocol/opening'
import { type BlockMoment, isPast } from '@onus/protocol/session'
import { type EnvelopeKind, envelopeKind } from '@onus/protocol/transaction'
import type { Cargo } from './carryEnvelope.js'
import type { ExportedSession } from './exportedSession.js'
import type { PendingCall } from './pendingCall.js'
import { addressOfKey } from './wallet.js'

/** A signed envelope and its calls in order. */
export interface Shipment {
  readonly cargo: Cargo
  readonly calls: readonly PendingCall[]
}

export interface ClientSession {
  readonly id: SessionId
  /** Private key that signs the calls. */
  readonly key: Uint8Array
  readonly callKind: EnvelopeKind
  readonly closes: Expiry
  nextCounter: number
  /** Counters below `nextCounter` whose calls ended without using them, ascending. */
  holes: number[]
  /** The node that answered last: its order of arrival is the session's. */
  node: string | null
  /** No further call may use it. */
  dead: boolean
  /** Calls whose users still wait. */
  waiting: number
  /** Nobody waits for these, but their counters are in doubt: they are carried on before the next call. */
  stalled: Shipment[]
}

export function newSession(
  id: SessionId,
  key: Uint8Array,
  callKind: EnvelopeKind,
  closes: Expiry,
  nextCounter: number,
): ClientSession {
  return { id, key, callKind, closes, nextCounter, holes: [], node: null, dead: false, waiting: 0, stalled: [] }
}

export function takeCounter(session: ClientSession): number {
  const hole = session.holes.shift()
  if (hole !== undefined) return hole
  session.nextCounter += 1
  return session.nextCounter - 1
}

/**
 * How many counters `takeCounter` gives without a gap. An envelope waits as a whole for what is missing before any of
 * its calls, so calls on both sides of a counter still on its way must not share one.
 */
export function consecutiveCounters(session: ClientSession): number {
  if (session.holes.length === 0) return Number.POSITIVE_INFINITY
  const first = session.holes[0] as number
  const end = session.holes.findIndex((hole, index) => hole !== first + index)
  return end < 0 ? session.holes.length : end
}

/** Gives a counter back. Holes at the end are no holes: `nextCounter` goes back to them. */
export function releaseCounter(session: ClientSession, counter: number): void {
  session.holes.push(counter)
  session.holes.sort((a, b) => a - b)
  while (session.holes[session.holes.length - 1] === session.nextCounter - 1) {
    session.holes.pop()
    session.nextCounter -= 1
  }
}

/** A call executed at `counter`, as a certificate proves: every counter up to it is used. */
export function confirmCounter(session: ClientSession, counter: number): void {
  session.holes = session.holes.filter((hole) => hole > counter)
  session.nextCounter = Math.max(session.nextCounter, counter + 1)
}

/** Whether the session closes within an expiry from `moment`, so that a call in it might never be taken. */
export function isClosing(session: ClientSession, moment: BlockMoment, expiry: Expiry): boolean {
  if (isPast(session.closes, moment)) return true
  const ahead = (limit: number, now: number, until: number): boolean => limit < now + (until - now) / 4
  return (
    ahead(session.closes.height, moment.height, expiry.height) ||
    ahead(session.closes.time, moment.milliseconds, expiry.time)
  )
}

export function exportedSession(session: ClientSession): ExportedSession {
  return {
    slot: session.id.slot,
    generation: session.id.generation,
    key: toHex(session.key),
    byWallet: session.callKind === envelopeKind.sessionKeyCalls,
    closes: session.closes,
    nextCounter: session.holes[0] ?? session.nextCounter,
  }
}

/** Rejects `session-form`. */
export function importedSession(exported: ExportedSession): ClientSession {
  const { slot, generation, closes, nextCounter } = exported
  for (const value of [slot, generation, closes.height, closes.time, nextCounter])
    if (!Number.isSafeInteger(value) || value < 0)
      throw new OnusError('session-form', 'expected what exportSession gave: unsigned integers', { path: 'session' })
  const key = fromHex(exported.key)
  addressOfKey(key)
  const callKind = exported.byWallet ? envelopeKind.sessionKeyCalls : envelopeKind.accountCalls
  return newSession({ slot, generation }, key, callKind, closes, nextCounter)
}
