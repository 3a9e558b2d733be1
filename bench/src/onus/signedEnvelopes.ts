/** Envelopes signed before they are sent, so that signing takes no CPU from the cluster while it is measured. */
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import type { ClusterDomain } from '@onus/protocol/chainId'
import type { Hasher } from '@onus/protocol/hash'
import type { Expiry, SessionId } from '@onus/protocol/opening'
import { type Call, encodeEnvelope, envelopeKind, signEnvelope, transactionIds } from '@onus/protocol/transaction'
import { encodeTransfer, randomTransfer, transferGas } from '../ledger/ledgerCalls.js'

export interface SignedEnvelope {
  readonly bytes: Uint8Array
  /** Of its calls, 32 bytes each. */
  readonly ids: readonly Uint8Array[]
}

/** A session of the load source. */
export interface LoadSession {
  readonly id: SessionId
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly gatewayUrl: string
  nextCounter: number
}

/** Transfers of the session from its next counter on; the counter is not moved. */
export function signTransfers(
  hasher: Hasher,
  domain: ClusterDomain,
  session: LoadSession,
  plan: { readonly envelopes: number; readonly callsPerEnvelope: number; readonly expiry: Expiry },
): SignedEnvelope[] {
  const { envelopes, callsPerEnvelope, expiry } = plan
  return Array.from({ length: envelopes }, (_, position) => {
    const first = session.nextCounter + position * callsPerEnvelope
    const calls = Array.from(
      { length: callsPerEnvelope },
      (_unused, index): Call => ({
        type: 'call',
        session: session.id,
        counter: first + index,
        expiry,
        gasLimit: transferGas,
        argument: encodeTransfer(randomTransfer()),
      }),
    )
    const envelope = signEnvelope(hasher, nativeCurve, domain, envelopeKind.accountCalls, calls, session.key)
    return { bytes: encodeEnvelope(envelope), ids: transactionIds(hasher, domain, envelope) }
  })
}
