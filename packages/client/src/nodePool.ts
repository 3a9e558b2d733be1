/**
 * Health of the nodes that a client knows, and the order in which it asks them. No timers and no clock of its own:
 * `now` is milliseconds of a monotonic clock and comes with every call. A node put aside is asked last, not never:
 * every answer is verified, so asking a bad node costs time only.
 */
import { OnusError } from '@onus/protocol/errors'
import type { NodeFailure } from './clientErrors.js'

export interface PoolNode {
  /** Without a slash at its end. */
  readonly url: string
  /** Smoothed milliseconds of its answers; null before the first. */
  latency: number | null
  /** Failures since its last good answer. */
  failures: number
  /** Answers that failed verification, ever. */
  lies: number
  /** Asked last until then. */
  asideUntil: number
  lastFailure: NodeFailure | null
}

/** Base address of a node. Rejects `node-url` unless it is http or https without query and user. */
export function nodeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '')
    throw new OnusError('node-url', `expected the URL of a gateway, got ${JSON.stringify(text.slice(0, 100))}`, {
      remedy: 'name it as http://host:port or https://host',
    })
  return (url.origin + url.pathname).replace(/\/+$/, '')
}

/** The pool of `urls`, each once: one node under one name must not count twice where f+1 have to agree. */
export function createPool(urls: readonly string[]): PoolNode[] {
  const distinct = [...new Set(urls.map(nodeUrl))]
  if (distinct.length === 0) throw new OnusError('node-url', 'expected the URL of at least one node')
  return distinct.map((url) => ({ url, latency: null, failures: 0, lies: 0, asideUntil: 0, lastFailure: null }))
}

const backoff = {
  dead: { first: 250, most: 30_000 },
  slow: { first: 500, most: 30_000 },
  refused: { first: 250, most: 5_000 },
  lying: { first: 60_000, most: 3_600_000 },
} as const

/** Milliseconds for which a node is put aside after its `count`th failure in a row. */
export function backoffTime(kind: keyof typeof backoff, count: number): number {
  const { first, most } = backoff[kind]
  return Math.min(most, first * 2 ** Math.min(Math.max(count, 1) - 1, 30))
}

const latencyWeight = 0.3

export function recordAnswer(node: PoolNode, milliseconds: number): void {
  node.latency = node.latency === null ? milliseconds : node.latency + latencyWeight * (milliseconds - node.latency)
  node.failures = 0
  // One good answer does not clear a liar: it stays aside for its time.
  if (node.lies === 0) node.asideUntil = 0
}

/** A node lost a race after `milliseconds`: it is at least that slow. */
export function recordOvertaken(node: PoolNode, milliseconds: number): void {
  node.latency = Math.max(node.latency ?? 0, milliseconds)
}

/** Refusals that say something of the request, not of the node, cost nothing; `busy` and not ready do. */
export function recordFailure(node: PoolNode, failure: NodeFailure, isSick: boolean, now: number): void {
  node.lastFailure = failure
  if (failure.kind === 'refused' && !isSick) return
  node.failures += 1
  if (failure.kind === 'lying') node.lies += 1
  const time =
    failure.retryAfter === null
      ? backoffTime(failure.kind, failure.kind === 'lying' ? node.lies : node.failures)
      : Math.min(failure.retryAfter, backoff.dead.most)
  node.asideUntil = Math.max(node.asideUntil, now + time)
}

/**
 * All nodes in the order to ask them: `prefer` first if it is not aside, then the fastest, those not yet known before
 * them; at the end those aside, soonest back first. `random` (0 to 1) breaks ties, so that clients spread.
 */
export function orderNodes(
  pool: readonly PoolNode[],
  now: number,
  prefer: string | null,
  random: () => number,
): PoolNode[] {
  const keyed = pool.map((node) => ({ node, aside: Math.max(0, node.asideUntil - now), tie: random() }))
  keyed.sort((a, b) => {
    if (a.aside !== b.aside) return a.aside - b.aside
    if ((a.node.url === prefer) !== (b.node.url === prefer)) return a.node.url === prefer ? -1 : 1
    return (a.node.latency ?? 0) - (b.node.latency ?? 0) || a.tie - b.tie
  })
  return keyed.map(({ node }) => node)
}
