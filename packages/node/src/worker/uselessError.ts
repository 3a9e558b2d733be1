/** Why no transaction of an envelope can execute any more, as the error that its sender gets. */
import { OnusError } from '@onus/protocol/errors'
import type { Limits } from '@onus/protocol/genesis'
import { type RejectionCode, rejectionCode } from '@onus/protocol/receipt'
import type { BlockMoment } from '@onus/protocol/session'
import { admitCall, admitOpening } from '@onus/state-transition/admission'
import type { SignedEnvelope } from '@onus/state-transition/blockExecution'
import type { ClusterState } from '@onus/state-transition/clusterState'
import type { SessionView } from '@onus/state-transition/sessionView'

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
  [rejectionCode.admission]: [
    'not-admitted',
    'the cluster opens sessions only with a token of its developer, and this one does not count',
    'ask the developer of the backend for a token for this account',
  ],
  [rejectionCode.openingLimits]: [
    'opening-limits',
    'slot or closing of the session lie beyond the limits of the cluster',
    'choose a lower slot or an earlier closing',
  ],
}

function errorOf(rejection: RejectionCode): OnusError {
  const [code, message, remedy] = errors[rejection]
  return new OnusError(code, message, { remedy })
}

/**
 * Rejects `expiry-too-far` for what no block could take for a whole window of expiry after `moment`: a pool keeps
 * nothing for so long. What is too far by less is kept: a client may know a newer block than this node.
 */
export function checkNotTooFar({ envelope }: SignedEnvelope, moment: BlockMoment, limits: Limits): void {
  for (const { expiry } of envelope.transactions)
    if (
      expiry.height > moment.height + 2 * limits.expiryBlocks ||
      expiry.time > moment.milliseconds + 2 * limits.expiryMilliseconds
    )
      throw errorOf(rejectionCode.expiryTooFar)
}

export function uselessError(
  view: SessionView,
  signed: SignedEnvelope,
  moment: BlockMoment,
  { genesis, admits }: ClusterState,
): OnusError {
  const { limits } = genesis
  const { kind, transactions } = signed.envelope
  let found: RejectionCode = rejectionCode.none
  for (const transaction of transactions) {
    const session = view.get(transaction.session.slot)
    found =
      transaction.type === 'call'
        ? admitCall(session, transaction, kind, signed.signer, moment, limits)
        : admitOpening(session, transaction, kind, signed.signer, moment, limits, admits)
    if (found !== rejectionCode.none) break
  }
  return errorOf(found)
}
