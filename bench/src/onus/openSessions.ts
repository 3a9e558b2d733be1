/** Opens the sessions of the load source on a fresh cluster: slot i for session i, at the nodes in turn. */
import { nativeCurve, nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import type { Opening } from '@onus/protocol/opening'
import { addressOf, randomPrivateKey } from '@onus/protocol/signature'
import { encodeEnvelope, envelopeKind, signEnvelope, transactionIds } from '@onus/protocol/transaction'
import type { LoopContext } from './closedLoop.js'
import { GatewayClient } from './gatewayClient.js'
import type { LoadSession, SignedEnvelope } from './signedEnvelopes.js'

function signOpening(context: LoopContext, session: LoadSession): SignedEnvelope {
  const { hasher, domain } = context
  const owner = addressOf(nativePublicKeyOf(session.key)).slice()
  const expiry = context.expiry()
  const opening: Opening = {
    type: 'opening',
    owner,
    key: owner,
    session: session.id,
    closes: { height: expiry.height + 100_000, time: expiry.time + 3_600_000 },
    expiry,
    admission: new Uint8Array(0),
  }
  const envelope = signEnvelope(hasher, nativeCurve, domain, envelopeKind.accountOpening, [opening], session.key)
  return { bytes: encodeEnvelope(envelope), ids: transactionIds(hasher, domain, envelope) }
}

/** Rejects as `GatewayClient.call`. */
export async function openSessions(
  context: LoopContext,
  gatewayUrls: readonly string[],
  count: number,
): Promise<LoadSession[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, slot) => {
      const gatewayUrl = gatewayUrls[slot % gatewayUrls.length] as string
      const session: LoadSession = { id: { slot, generation: 0 }, key: randomPrivateKey(), gatewayUrl, nextCounter: 0 }
      const client = await GatewayClient.open(gatewayUrl, context.certificates)
      try {
        await client.call(signOpening(context, session))
      } finally {
        client.close()
      }
      return session
    }),
  )
}
