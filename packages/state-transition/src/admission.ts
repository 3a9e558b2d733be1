/**
 * Whether a transaction may execute (`spec/session.md` 3): decided by the block, the cluster's limits and one session
 * leaf, and by nothing else, so that each rejection is provable over that leaf.
 */
import { equalBytes } from '@onus/protocol/bytes'
import type { Limits } from '@onus/protocol/genesis'
import type { Expiry, Opening } from '@onus/protocol/opening'
import { type RejectionCode, rejectionCode } from '@onus/protocol/receipt'
import { type BlockMoment, isPast, type Session } from '@onus/protocol/session'
import { type Call, type EnvelopeKind, envelopeKind } from '@onus/protocol/transaction'

function isTooFar(expiry: Expiry, block: BlockMoment, limits: Limits): boolean {
  return (
    expiry.height > block.height + limits.expiryBlocks || expiry.time > block.milliseconds + limits.expiryMilliseconds
  )
}

/** The rejection of a call, or `none`. `signer` is the address that signed its envelope. */
export function admitCall(
  session: Session | null,
  call: Call,
  kind: EnvelopeKind,
  signer: Uint8Array,
  block: BlockMoment,
  limits: Limits,
): RejectionCode {
  if (session === null || session.generation !== call.session.generation || isPast(session.closes, block))
    return rejectionCode.sessionUnknown
  if (session.callKind !== kind || !equalBytes(session.key, signer)) return rejectionCode.sessionKey
  // Before the expiry, so that `expired` proves that the call did not execute and never will.
  if (call.counter < session.nextCounter) return rejectionCode.counterUsed
  if (isPast(call.expiry, block)) return rejectionCode.expired
  if (isTooFar(call.expiry, block, limits)) return rejectionCode.expiryTooFar
  if (call.gasLimit === 0 || call.gasLimit > limits.callGas) return rejectionCode.gasLimit
  if (call.counter > session.nextCounter) return rejectionCode.counterGap
  return rejectionCode.none
}

/** Whether the slot is free for this generation: never opened, or closed and the generation the next one. */
function isSlotFree(session: Session | null, opening: Opening, block: BlockMoment): boolean {
  if (session === null) return opening.session.generation === 0
  return isPast(session.closes, block) && opening.session.generation === session.generation + 1
}

/** Whether the cluster admits an opening, at a block time in milliseconds. */
export type AdmitsOpening = (opening: Opening, milliseconds: number) => boolean

/** The rejection of an opening, or `none`. `session` is what the slot holds. */
export function admitOpening(
  session: Session | null,
  opening: Opening,
  kind: EnvelopeKind,
  signer: Uint8Array,
  block: BlockMoment,
  limits: Limits,
  admits: AdmitsOpening,
): RejectionCode {
  const isOwnKey = equalBytes(opening.owner, opening.key)
  if (!equalBytes(opening.owner, signer) || (kind === envelopeKind.accountOpening && !isOwnKey))
    return rejectionCode.sessionKey
  // Before the expiry, as with a used counter: what opened a session is not told as expired later.
  if (!isSlotFree(session, opening, block)) return rejectionCode.slotTaken
  if (isPast(opening.expiry, block)) return rejectionCode.expired
  if (isTooFar(opening.expiry, block, limits)) return rejectionCode.expiryTooFar
  if (
    opening.session.slot >= limits.sessionCapacity ||
    opening.closes.height > block.height + limits.sessionBlocks ||
    opening.closes.time > block.milliseconds + limits.sessionMilliseconds ||
    isPast(opening.closes, block)
  )
    return rejectionCode.openingLimits
  return admits(opening, block.milliseconds) ? rejectionCode.none : rejectionCode.admission
}

/** The session that an admitted opening makes. */
export function sessionOfOpening(opening: Opening, kind: EnvelopeKind): Session {
  return {
    owner: opening.owner.slice(),
    key: opening.key.slice(),
    callKind: kind === envelopeKind.typedOpening ? envelopeKind.sessionKeyCalls : envelopeKind.accountCalls,
    generation: opening.session.generation,
    nextCounter: 0,
    closes: opening.closes,
  }
}
