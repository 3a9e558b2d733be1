/**
 * The double-sign guard: the rule of CometBFT's FilePV (privval/file.go) as a pure function over the last thing signed.
 * Per height, round and step one message is signed; asked again for the same message with only another time, the first
 * signature is given again (the engine crashed before its log had it); everything earlier is refused.
 */
import { equalBytes } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import type { Timestamp } from '@onus/protocol/timestamp'
import { type SignRequest, type Step, signBytesAt, stepOf } from './signRequest.js'

/** The last thing signed. */
export interface SignedState {
  readonly height: number
  readonly round: number
  readonly step: Step
  readonly timestamp: Timestamp
  readonly signBytes: Uint8Array
  /** 65 bytes. */
  readonly signature: Uint8Array
}

/** Negative where `a` was to be signed before `b`. */
function compareOrder(
  a: { height: number; round: number; step: Step },
  b: { height: number; round: number; step: Step },
): number {
  return a.height - b.height || a.round - b.round || a.step - b.step
}

/**
 * What the guard says to `request` after `last` (null: nothing was signed yet): null to sign it, or the earlier
 * signature to give again. Rejects `signer-regression` and `signer-conflict`.
 */
export function guardRequest(last: SignedState | null, chainId: string, request: SignRequest): SignedState | null {
  if (last === null) return null
  const asked = { height: request.height, round: request.round, step: stepOf(request) }
  const order = compareOrder(asked, last)
  if (order > 0) return null
  if (order < 0)
    throw new OnusError(
      'signer-regression',
      `signed ${last.height}/${last.round}/${last.step} already, asked for ${asked.height}/${asked.round}/${asked.step}`,
    )
  if (equalBytes(signBytesAt(chainId, request, last.timestamp), last.signBytes)) return last
  throw new OnusError(
    'signer-conflict',
    `signed another message at ${last.height}/${last.round}/${last.step} already; signing both is a crime`,
  )
}
