/** Why no transaction of an envelope can execute any more, as the error that its sender gets. */
import { OnusError } from '@onus/protocol/errors'
import { type RejectionCode, rejectionCode } from '@onus/protocol/receipt'
import type { BlockMoment } from '@onus/protocol/session'
import { admitCall, admitOpening } from '@onus/state-transition/admission'
import type { SignedEnvelope } from '@onus/state-transition/blockExecution'
import type { ClusterState } from '@onus/state-transition/clusterState'

const errors: Readonly<Record<RejectionCode, readonly [code: string, message: string, remedy: string]>> = {
  [rejectionCode.none]: ['useless', 'no transaction of this envelope can execute any more', 'make a new one'],
  [rejectionCode.sessionUnknown]: ['session-unknown', 'the session is not open', 'open a session'],
  [rejectionCode.sessionKey]: [
    'signature-wrong',
    'the signer is not the key of the session',
    'sign with the key that the session was opened for',
  ],
  [rejectionCode.counterUsed]: [
    'counter-used',
    'the counter was used before',
    'ask for the receipt of the transaction, or continue with the next counter',
  ],
  [rejectionCode.counterGap]: [
    'counter-gap',
    'an earlier counter of the session is missing',
    'send the missing transaction',
  ],
  [rejectionCode.expired]: ['expired', 'the expiry height or time lies in the past', 'sign again with a later expiry'],
  [rejectionCode.expiryTooFar]: [
    'expiry-too-far',
    'the expiry lies further ahead than the cluster remembers',
    'choose an earlier expiry',
  ],
  [rejectionCode.gasLimit]: [
    'gas-limit',
    'the gas limit is not one that the cluster allows',
    'choose a lower gas limit',
  ],
  [rejectionCode.slotTaken]: [
    'slot-taken',
    'the slot holds an open session or has another generation',
    'choose another slot',
  ],
  [rejectionCode.openingLimits]: [
    'opening-limits',
    'slot or closing of the session lie beyond the limits of the cluster',
    'choose a lower slot or an earlier closing',
  ],
}

export function uselessError(state: ClusterState, signed: SignedEnvelope, moment: BlockMoment): OnusError {
  const { limits } = state.genesis
  const { kind, transactions } = signed.envelope
  let found: RejectionCode = rejectionCode.none
  for (const transaction of transactions) {
    const session = state.sessions.get(transaction.session.slot)
    found =
      transaction.type === 'call'
        ? admitCall(session, transaction, kind, signed.signer, moment, limits)
        : admitOpening(session, transaction, kind, signed.signer, moment, limits)
    if (found !== rejectionCode.none) break
  }
  const [code, message, remedy] = errors[found]
  return new OnusError(code, message, { remedy })
}
