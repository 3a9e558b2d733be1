/**
 * The rate of calls by session, and so by the key that signs in it (`spec/gateway.md` 6). A session is charged only for
 * envelopes whose signature and place were found right, so nobody can use up the rate of another's session.
 */
import { envelopeKind } from '@onus/protocol/transaction'
import type { RateLimits } from './rateLimits.js'

/** Slot and generation of the first transaction, and how many there are. Read in place: the bytes were decoded before. */
export function sessionOfEnvelope(bytes: Uint8Array): { readonly session: string; readonly calls: number } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const kind = bytes[0]
  if (kind !== envelopeKind.accountCalls && kind !== envelopeKind.sessionKeyCalls) return null
  return { session: `${view.getUint32(7)}.${view.getUint32(11)}`, calls: view.getUint16(1) }
}

/** Takes a decoded envelope unless its session has no calls left. Rejects `rate-limited`, and as `take` does. */
export async function takeWithin(
  limits: RateLimits,
  bytes: Uint8Array,
  take: (bytes: Uint8Array) => Promise<boolean>,
): Promise<boolean> {
  const found = sessionOfEnvelope(bytes)
  if (found !== null) limits.checkCalls(found.session)
  const isNew = await take(bytes)
  // Sending again is safe, and costs as much: it is looked at anew.
  if (found !== null) limits.chargeCalls(found.session, isNew ? found.calls : 1)
  return isNew
}
