/**
 * Carries one signed envelope to a certified end (`spec/client.md` 6): the same bytes to one node after another, which
 * is safe because a transaction executes at most once, until its receipts are verified, f+1 nodes refuse it, or its
 * expiry has passed.
 */

import type { Expiry } from '@onus/protocol/opening'
import type { BlockMoment } from '@onus/protocol/session'
import { type Envelope, encodeEnvelope, transactionIds } from '@onus/protocol/transaction'
import { askUntil, type Found, nodesInOrder, type Question } from './askNode.js'
import { sleep } from './lifetime.js'
import { gatherHint, isOver, refreshMoment } from './moment.js'
import type { Network } from './network.js'
import type { DeliveredReceipt, VerifiedReceipt } from './reports.js'
import { resultsLimit, verifyResults } from './verifyResults.js'

/** A signed envelope on its way. */
export interface Cargo {
  readonly bytes: Uint8Array
  readonly ids: readonly Uint8Array[]
  readonly expiry: Expiry
  /** Rounds over the nodes so far. */
  rounds: number
  /** The last round without an answer. */
  trouble: Exclude<Found<unknown>, { kind: 'answer' }> | null
}

export type Carried =
  | { readonly kind: 'receipts'; readonly receipts: readonly DeliveredReceipt[] }
  /** By f+1 nodes. `counter-used` and `slot-taken` may mean that it executed. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** The newest verified block is past its expiry. */
  | { readonly kind: 'expired' }
  /** To be signed again: f+1 nodes are past its expiry and no certificate is (the cluster rested), or none took it. */
  | { readonly kind: 'outdated' }
  /** Nobody waits any more; it may still execute. */
  | { readonly kind: 'unwanted' }

export function cargoOf(network: Network, envelope: Envelope, expiry: Expiry): Cargo {
  const { hasher, domain } = network.trust
  const ids = transactionIds(hasher, domain, envelope)
  return { bytes: encodeEnvelope(envelope), ids, expiry, rounds: 0, trouble: null }
}

/** The node gives up before the client does, so that `not-yet-certified` can still be told from silence. */
export function waitingTime(deadline: number): number {
  return Math.max(1, Math.floor(deadline * 0.8))
}

function envelopeQuestion(network: Network, cargo: Cargo): Question<VerifiedReceipt[]> {
  const deadline = network.settings.timeouts.request
  return {
    request: {
      method: 'POST',
      path: `/v1/envelopes?timeout=${waitingTime(deadline)}`,
      body: cargo.bytes,
      maximumBytes: resultsLimit(cargo.ids.length),
      deadline,
    },
    read: (bytes) => verifyResults((certificate) => network.certificates.admit(certificate), bytes, cargo.ids),
  }
}

/** Refusals that pass when nodes catch up or earlier calls arrive; believed only after this many rounds. */
const passingRefusals: ReadonlyMap<string, number> = new Map([
  ['counter-gap', Number.POSITIVE_INFINITY],
  ['session-unknown', 6],
  ['expiry-too-far', 6],
  ['expired', Number.POSITIVE_INFINITY],
])

const firstPause = 50
const longestPause = 2000

function pauseAfter(cargo: Cargo): number {
  const pause = Math.min(longestPause, firstPause * 2 ** Math.min(cargo.rounds - 1, 10))
  const asked = cargo.trouble?.failures.map(({ retryAfter }) => retryAfter ?? 0) ?? []
  // Every node may ask for time; the soonest one ends the pause.
  return Math.max(pause, asked.length === 0 ? 0 : Math.min(...asked, 10_000))
}

/** Whether the expiry has passed, on a certificate or on the word of f+1 nodes. */
async function lateness(network: Network, cargo: Cargo, prefer: string | null): Promise<Carried | null> {
  const isLate = (moment: BlockMoment): boolean => isOver(cargo.expiry, moment)
  const isRefused = cargo.trouble?.kind === 'refused' && cargo.trouble.code === 'expired'
  await refreshMoment(network, prefer)
  // Refused when first sent: it was signed on an old moment, and no node ever took it.
  if (isLate(network.certificates.newest)) return { kind: isRefused && cargo.rounds === 1 ? 'outdated' : 'expired' }
  // Without an answer the reason may be a rest as well: proposers drop what is expired and say nothing.
  if (!isRefused && cargo.rounds < 2) return null
  await gatherHint(network)
  return network.hint !== null && isLate(network.hint) ? { kind: 'outdated' } : null
}

/** Goes on until an end, or until `isWanted` says no between two rounds. Throws `forked`. */
export async function carryEnvelope(
  network: Network,
  cargo: Cargo,
  prefer: () => string | null,
  isWanted: () => boolean,
): Promise<Carried> {
  const sentAt = performance.now()
  while (isWanted() && !network.lifetime.isOver) {
    network.certificates.checkUnforked()
    const found = await askUntil(network, nodesInOrder(network, prefer()), envelopeQuestion(network, cargo))
    if (found.kind === 'answer') {
      const { node, value, readTime } = found
      return { kind: 'receipts', receipts: value.map((one) => ({ ...one, node, sentAt, verifyTime: readTime })) }
    }
    cargo.rounds += 1
    cargo.trouble = found
    if (found.kind === 'refused' && cargo.rounds >= (passingRefusals.get(found.code) ?? 0))
      return { kind: 'refused', code: found.code, message: found.message }
    const late = await lateness(network, cargo, prefer())
    if (late !== null) return late
    if (isWanted()) await sleep(pauseAfter(cargo), network.lifetime)
  }
  return { kind: 'unwanted' }
}
