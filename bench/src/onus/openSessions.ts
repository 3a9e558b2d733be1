/** Opens the sessions of the load source on a fresh cluster: slot i for session i, at the nodes in turn. */
import { nativeCurve, nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import type { Opening } from '@onus/protocol/opening'
import { addressOf, randomPrivateKey } from '@onus/protocol/signature'
import { encodeEnvelope, envelopeKind, signEnvelope, transactionIds } from '@onus/protocol/transaction'
import type { LoopContext } from './closedLoop.js'
import { type GatewayClient, openClients } from './gatewayClient.js'
import type { LoadSession, SignedEnvelope } from './signedEnvelopes.js'

const openedAtOnce = 256

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
  const urls = Array.from({ length: count }, (_, slot) => gatewayUrls[slot % gatewayUrls.length] as string)
  const open = async (client: GatewayClient, slot: number): Promise<LoadSession> => {
    const gatewayUrl = urls[slot] as string
    const session = { id: { slot, generation: 0 }, key: randomPrivateKey(), gatewayUrl, nextCounter: 0 }
    await client.call(signOpening(context, session))
    return session
  }
  const { clients, close } = await openClients(urls, context.certificates)
  try {
    const sessions: LoadSession[] = []
    // A block opens 64 sessions at most.
    for (let from = 0; from < count; from += openedAtOnce)
      sessions.push(
        ...(await Promise.all(clients.slice(from, from + openedAtOnce).map((client, i) => open(client, from + i)))),
      )
    return sessions
  } finally {
    close()
  }
}
