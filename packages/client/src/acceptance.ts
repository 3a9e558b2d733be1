/**
 * `until('accepted')`: that a node has taken a call and passed it on. One node's word, and no promise that it executes;
 * it comes before the certificate. The call's own bytes are asked with, which is safe: a node that knows them says so.
 */
import { askNode, nodesInOrder, type Question } from './askNode.js'
import type { Cargo } from './carryEnvelope.js'
import { type Lifetime, lifetimeWithin, sleep } from './lifetime.js'
import type { Network } from './network.js'
import type { PendingCall } from './pendingCall.js'
import { resultsLimit } from './verifyResults.js'

export interface Accepted {
  /** URL of the node that took it. */
  readonly node: string
}

const pause = 20

/** Nodes answer at once: 200 where it is certified already, `not-yet-certified` where it was taken. */
function question(network: Network, cargo: Cargo): Question<null> {
  return {
    request: {
      method: 'POST',
      path: '/v1/envelopes?timeout=0',
      body: cargo.bytes,
      maximumBytes: resultsLimit(cargo.ids.length),
      deadline: network.settings.timeouts.request,
    },
    read: () => null,
  }
}

async function search(network: Network, call: PendingCall, lifetime: Lifetime): Promise<Accepted> {
  await call.id
  while (!lifetime.isOver && call.cargo !== null) {
    for (const node of nodesInOrder(network, null)) {
      const reply = await askNode(network, node, question(network, call.cargo), lifetime)
      if (reply.kind === 'answer') return { node: node.url }
      if (reply.kind === 'refused' && reply.code === 'not-yet-certified') return { node: node.url }
    }
    await sleep(pause, lifetime)
  }
  // Whatever ended the call is what there is to say.
  return { node: (await call.certified).node }
}

/** Rejects as the call does where it ends without having been taken. */
export async function acceptedBy(network: Network, call: PendingCall): Promise<Accepted> {
  const lifetime = lifetimeWithin(network.lifetime)
  try {
    const ended = call.certified.then(({ node }) => ({ node }))
    return await Promise.race([search(network, call, lifetime), ended])
  } finally {
    lifetime.end()
  }
}
