/**
 * Asks nodes: one, or one after another until enough answers are there. Turns whatever a node does into a value or a
 * typed failure, keeps the pool's health and the evidence. A second node is asked when the first takes long.
 */
import { assert, OnusError } from '@onus/protocol/errors'
import { type NodeFailure, NoNodeError } from './clientErrors.js'
import { keepEvidence } from './evidence.js'
import { isNodeTrouble, readGatewayError } from './gatewayError.js'
import type { HttpOutcome, HttpRequest } from './http.js'
import { type Lifetime, lifetimeWithin } from './lifetime.js'
import type { Network } from './network.js'
import { orderNodes, type PoolNode, recordAnswer, recordFailure, recordOvertaken } from './nodePool.js'

export interface Question<T> {
  readonly request: HttpRequest
  /** Verifies and reads the body of a 200. An `OnusError` thrown means that the node lies. */
  readonly read: (bytes: Uint8Array) => T
}

export interface Answer<T> {
  readonly kind: 'answer'
  readonly node: string
  readonly value: T
  readonly bytes: Uint8Array
  /** Milliseconds spent in `read`. */
  readonly readTime: number
}

export type Reply<T> = Answer<T> | (NodeFailure & { readonly failed: true }) | { readonly kind: 'aborted' }

export function requestName(request: HttpRequest): string {
  return `${request.method} ${request.path.split('?')[0]}`
}

function failureOf(node: PoolNode, kind: NodeFailure['kind'], code: string, message: string): NodeFailure {
  return { node: node.url, kind, code, message: message.slice(0, 500), passing: true, retryAfter: null }
}

/** What an outcome that is no good answer means. */
function judge(node: PoolNode, request: HttpRequest, outcome: Exclude<HttpOutcome, { kind: 'aborted' }>): NodeFailure {
  switch (outcome.kind) {
    case 'unreachable':
      return failureOf(node, 'dead', 'unreachable', outcome.message)
    case 'deadline':
      return failureOf(node, 'slow', 'deadline', `no whole answer within ${request.deadline} ms`)
    case 'too-long':
      return failureOf(node, 'lying', 'too-long', `the answer has more than ${request.maximumBytes} bytes`)
    case 'reply': {
      const error = readGatewayError(outcome.bytes)
      if (error === null)
        return failureOf(node, 'refused', `http-${outcome.status}`, `HTTP ${outcome.status} without a gateway's error`)
      const { retryAfter, status } = outcome
      return { ...failureOf(node, 'refused', error.code, error.message), passing: isNodeTrouble(status), retryAfter }
    }
  }
}

function fail(
  network: Network,
  node: PoolNode,
  request: HttpRequest,
  failure: NodeFailure,
  bytes: Uint8Array,
  isSick: boolean,
): Reply<never> {
  recordFailure(node, failure, isSick, performance.now())
  if (failure.kind === 'lying')
    keepEvidence(network.evidence, {
      node: node.url,
      request: `${request.method} ${request.path}`,
      body: request.body,
      code: failure.code,
      what: failure.message,
      bytes,
      at: Date.now(),
    })
  return { ...failure, failed: true }
}

const noBytes = new Uint8Array(0)

/** One node's reply. Throws only what is a bug, and `forked`. */
export async function askNode<T>(
  network: Network,
  node: PoolNode,
  question: Question<T>,
  lifetime: Lifetime,
): Promise<Reply<T>> {
  const { request } = question
  const startedAt = performance.now()
  const outcome = await network.streams.send(network.settings.fetch, node.url, request, lifetime)
  const elapsed = performance.now() - startedAt
  if (outcome.kind === 'aborted') {
    if (!network.lifetime.isOver) recordOvertaken(node, elapsed)
    return { kind: 'aborted' }
  }
  if (outcome.kind !== 'reply' || outcome.status !== 200) {
    const bytes = outcome.kind === 'too-long' ? outcome.bytes : noBytes
    const isSick = outcome.kind === 'reply' && isNodeTrouble(outcome.status) && outcome.status !== 504
    return fail(network, node, request, judge(node, request, outcome), bytes, isSick)
  }
  try {
    const readAt = performance.now()
    const value = question.read(outcome.bytes)
    const readTime = performance.now() - readAt
    recordAnswer(node, elapsed)
    return { kind: 'answer', node: node.url, value, bytes: outcome.bytes, readTime }
  } catch (error) {
    if (!(error instanceof OnusError)) throw error
    return fail(network, node, request, failureOf(node, 'lying', error.code, error.message), outcome.bytes, true)
  }
}

/** Usual time of a node times this, if more than the setting, before another is asked as well. */
const hedgeFactor = 4

/**
 * Asks `nodes` in order. `accept` sees every reply and says how many further good answers are wanted; 0 ends the asking
 * and aborts what is on its way. Resolves also when all nodes have replied.
 */
export function gather<T>(
  network: Network,
  nodes: readonly PoolNode[],
  question: Question<T>,
  wanted: number,
  accept: (reply: Exclude<Reply<T>, { kind: 'aborted' }>) => number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const search = lifetimeWithin(network.lifetime)
    let missing = wanted
    let next = 0
    let running = 0
    let hedge: ReturnType<typeof setTimeout> | undefined
    const end = (settle: () => void): void => {
      clearTimeout(hedge)
      missing = 0
      settle()
      search.end()
    }
    const startOne = (): void => {
      const node = nodes[next]
      if (node === undefined) return
      next += 1
      running += 1
      askNode(network, node, question, search).then(onReply, (error) => end(() => reject(error)))
      clearTimeout(hedge)
      if (next < nodes.length)
        hedge = setTimeout(startOne, Math.max(network.settings.timeouts.hedge, (node.latency ?? 0) * hedgeFactor))
    }
    const onReply = (reply: Reply<T>): void => {
      running -= 1
      if (missing === 0) return
      missing = reply.kind === 'aborted' ? 0 : accept(reply)
      while (running < missing && next < nodes.length) startOne()
      if (missing === 0 || running === 0) end(resolve)
    }
    assert(wanted > 0 && nodes.length > 0, 'somebody is asked for something')
    while (running < wanted && next < nodes.length) startOne()
  })
}

/** What asking one node after another came to. */
export type Found<T> =
  | Answer<T>
  /** f+1 nodes (or all, if fewer are known) refuse with one code: at least one honest node says so. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly failures: NodeFailure[] }
  | { readonly kind: 'none'; readonly failures: NodeFailure[] }

function agreedRefusal(network: Network, failures: readonly NodeFailure[]): NodeFailure | undefined {
  const last = failures[failures.length - 1]
  if (last === undefined || last.passing) return
  const count = failures.filter(({ passing, code }) => !passing && code === last.code).length
  return count >= Math.min(network.trust.oneHonest, network.pool.length) ? last : undefined
}

/** The first good answer of `nodes`, which are asked one after another. */
export async function askUntil<T>(
  network: Network,
  nodes: readonly PoolNode[],
  question: Question<T>,
): Promise<Found<T>> {
  const failures: NodeFailure[] = []
  const result: { found: Found<T> } = { found: { kind: 'none', failures } }
  await gather(network, nodes, question, 1, (reply) => {
    if (!('failed' in reply)) {
      result.found = reply
      return 0
    }
    failures.push(reply)
    const refusal = agreedRefusal(network, failures)
    if (refusal === undefined) return 1
    result.found = { kind: 'refused', code: refusal.code, message: refusal.message, failures }
    return 0
  })
  return result.found
}

/** All nodes, best first. */
export function nodesInOrder(network: Network, prefer: string | null): PoolNode[] {
  return orderNodes(network.pool, performance.now(), prefer, Math.random)
}

/** The error of a search without an answer. */
export function errorOfFailure(request: HttpRequest, found: Exclude<Found<unknown>, { kind: 'answer' }>): OnusError {
  if (found.kind === 'refused') return new OnusError(found.code, found.message)
  return new NoNodeError(requestName(request), found.failures)
}
