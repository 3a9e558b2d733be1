/**
 * Whether a transaction executed (`spec/client.md` 6). Yes is proved by one receipt from any node. No is a claim: it
 * takes f+1 nodes, each of which first showed a certificate of a moment after which the transaction cannot execute
 * any more, so that none of them merely lags.
 */
import { toHex } from '@onus/protocol/bytes'
import { receiptStatus } from '@onus/protocol/receipt'
import type { BlockMoment } from '@onus/protocol/session'
import { millisecondsOfTimestamp } from '@onus/protocol/timestamp'
import { askNode, nodesInOrder, type Question } from './askNode.js'
import { type Lifetime, lifetimeWithin } from './lifetime.js'
import { getRequest, newestCertificate } from './moment.js'
import type { Network } from './network.js'
import type { PoolNode } from './nodePool.js'
import type { VerifiedReceipt } from './reports.js'
import { resultsLimit, verifyResults } from './verifyResults.js'

export type Search =
  | { readonly kind: 'executed'; readonly node: string; readonly found: VerifiedReceipt }
  | { readonly kind: 'absent' }
  /** Too few nodes answered to say. */
  | { readonly kind: 'unsettled' }

function receiptQuestion(network: Network, id: Uint8Array): Question<VerifiedReceipt> {
  return {
    request: getRequest(network, `/v1/receipts/${toHex(id)}`, resultsLimit(1)),
    read: (bytes) =>
      verifyResults((certificate) => network.certificates.admit(certificate), bytes, [id])[0] as VerifiedReceipt,
  }
}

type Vote = { readonly kind: 'executed'; readonly found: VerifiedReceipt } | 'absent' | 'none'

async function isCaughtUp(
  network: Network,
  node: PoolNode,
  enough: (moment: BlockMoment) => boolean,
  lifetime: Lifetime,
): Promise<boolean> {
  const reply = await askNode(network, node, newestCertificate(network), lifetime)
  if (reply.kind !== 'answer') return false
  const { height, time } = reply.value.manifest
  return enough({ height, milliseconds: millisecondsOfTimestamp(time) })
}

async function voteOf(
  network: Network,
  node: PoolNode,
  ids: readonly Uint8Array[],
  enough: (moment: BlockMoment) => boolean,
  lifetime: Lifetime,
): Promise<Vote> {
  const caughtUp = await isCaughtUp(network, node, enough, lifetime)
  let vote: Vote = caughtUp ? 'absent' : 'none'
  for (const id of ids) {
    const reply = await askNode(network, node, receiptQuestion(network, id), lifetime)
    if (reply.kind === 'answer') {
      if (reply.value.receipt.status !== receiptStatus.rejected) return { kind: 'executed', found: reply.value }
    } else if (!('code' in reply) || reply.code !== 'unknown-transaction') vote = 'none'
  }
  return vote
}

/**
 * Looks for the receipt of an execution (also of one that trapped) of any of `ids`, the signed forms of one call.
 * `enough` tells of a moment whether none of them can execute after it.
 */
export function findExecuted(
  network: Network,
  ids: readonly Uint8Array[],
  enough: (moment: BlockMoment) => boolean,
): Promise<Search> {
  const lifetime = lifetimeWithin(network.lifetime)
  return new Promise<Search>((resolve, reject) => {
    let absent = 0
    let open = network.pool.length
    for (const node of nodesInOrder(network, null))
      voteOf(network, node, ids, enough, lifetime).then((vote) => {
        open -= 1
        if (vote === 'absent') absent += 1
        if (typeof vote === 'object') resolve({ ...vote, node: node.url })
        else if (absent >= network.trust.oneHonest) resolve({ kind: 'absent' })
        else if (open === 0) resolve({ kind: 'unsettled' })
      }, reject)
  }).finally(() => lifetime.end())
}
