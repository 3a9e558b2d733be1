/**
 * `cluster.watch.NAME()`: the events of a cluster as an endless iteration (`spec/client.md` 8). Each is proved before it
 * is seen. A connection that breaks, lies, falls silent or falls behind is followed by one to another node, from the
 * cursor of the last event seen: none comes twice.
 */
import { OnusError } from '@onus/protocol/errors'
import type { Interface } from '@onus/protocol/interface/description'
import type { EmittedEvent } from '@onus/protocol/interface/types'
import { maximumOutputLength } from '@onus/protocol/receipt'
import { askUntil, nodesInOrder } from './askNode.js'
import type { NodeFailure } from './clientErrors.js'
import { openEventStream } from './eventConnection.js'
import { compareCursors, cursorText, type EventCursor, endOfBlock, parseCursor } from './eventCursor.js'
import { type EventReport, EventVerifier, type ProvedEvent } from './eventVerifier.js'
import { keepEvidence } from './evidence.js'
import { type Lifetime, lifetimeWithin, sleep } from './lifetime.js'
import { newestCertificate } from './moment.js'
import type { Network } from './network.js'
import { type PoolNode, recordAnswer, recordFailure } from './nodePool.js'
import { readServerSentEvents, type ServerSentEvent } from './serverSentEvents.js'

export interface WatchOptions {
  /** Cursor of the last event that was seen; default: from the newest block that this client has verified. */
  readonly from?: string
}

/** A proved event. */
export interface WatchedEvent<V> {
  readonly value: V
  /** Give it as `from` to go on behind this event. */
  readonly cursor: string
  readonly report: EventReport
}

type NamedEvent<I extends Interface, N> = Extract<EmittedEvent<I>, { readonly name: N }>

export type WatchMethods<I extends Interface> = {
  readonly [N in EmittedEvent<I>['name']]: (
    options?: WatchOptions,
  ) => AsyncGenerator<WatchedEvent<NamedEvent<I, N>['value']>, void, undefined>
}

/** Characters of a message: a receipt and its call in hexadecimal. */
const overhead = 65_536

/** Nodes write a heartbeat every 10 s by default. */
const longestSilence = 30_000
/** Heartbeats between two looks at whether this node keeps up with the others. */
const heartbeatsALook = 3
const mostBehind = 2
const pauses = [0, 100, 250, 500, 1000, 2000, 5000] as const

/** Why a connection ended. */
type End =
  | { readonly kind: 'over' }
  | { readonly kind: 'failed'; readonly failure: NodeFailure; readonly bytes: Uint8Array | null }

interface Watch {
  readonly network: Network
  readonly description: Interface
  readonly name: string
  readonly lifetime: Lifetime
  cursor: EventCursor
  /** Events since the last connection. */
  received: number
  /** Final refusals of the place `cursor`: codes by node. */
  readonly refusals: Map<string, string>
}

function failed(node: PoolNode, kind: NodeFailure['kind'], error: OnusError, bytes: Uint8Array | null = null): End {
  const { code, message } = error
  const failure = { node: node.url, kind, code, message: message.slice(0, 500), passing: true, retryAfter: null }
  return { kind: 'failed', failure, bytes }
}

/** Codes that mean the same at every honest node; one alone may lie. */
const finalRefusals: ReadonlySet<string> = new Set(['no-such-event', 'cursor-form', 'cursor-gone', 'no-such-path'])

/** What no node can bring about alone: two certified blocks of one height, and certified calls of another interface. */
const certifiedTroubles: ReadonlySet<string> = new Set(['forked', 'event-form'])

/** Whether this node is far behind what another one certified. */
async function isBehind(watch: Watch, node: PoolNode, height: number): Promise<boolean> {
  const { network } = watch
  const others = nodesInOrder(network, null).filter((other) => other !== node)
  if (others.length > 0) await askUntil(network, others, newestCertificate(network))
  return network.certificates.newest.height > height + mostBehind
}

/** The events of one message that were not seen; throws an `OnusError` where the node lies. */
function unseen(watch: Watch, verifier: EventVerifier, { type, data }: ServerSentEvent): ProvedEvent[] {
  if (type === 'certificate') verifier.certificate(data)
  if (type !== 'receipt') return []
  const events = verifier.receipt(data, watch.cursor)
  return events.filter(({ name, cursor }) => name === watch.name && compareCursors(cursor, watch.cursor) > 0)
}

/** Follows one node until its stream ends; gives why. */
async function* follow(watch: Watch, node: PoolNode): AsyncGenerator<ProvedEvent, End, undefined> {
  const { network, description, name, cursor, lifetime } = watch
  const { envelopeBytes } = network.trust.genesis.limits
  const path = `/v1/events?from=${cursorText(cursor)}&name=${encodeURIComponent(name)}&values=no`
  const { fetch, timeouts } = network.settings
  const opened = await openEventStream(fetch, node.url, path, timeouts.request, longestSilence, lifetime)
  if (opened.kind === 'refused') return failed(node, 'refused', opened.error)
  if (opened.kind === 'failed') return failed(node, opened.reason, opened.error)
  const verifier = new EventVerifier(network, description, node.url)
  let heartbeats = 0
  try {
    for await (const message of readServerSentEvents(
      opened.body,
      2 * (maximumOutputLength + envelopeBytes) + overhead,
    )) {
      opened.alive()
      if (message.type === 'closed') return failed(node, 'refused', new OnusError('closed', message.data))
      const height = honest(message, () => heightOfHeartbeat(message))
      if (height !== null && ++heartbeats % heartbeatsALook === 0 && (await isBehind(watch, node, height)))
        return failed(node, 'slow', new OnusError('behind', `stands at block ${height}`))
      for (const event of honest(message, () => unseen(watch, verifier, message))) yield event
    }
    return failed(node, 'dead', new OnusError('stream-ended', 'the stream of events ended'))
  } catch (error) {
    if (error instanceof Lie) return failed(node, 'lying', error.why, error.bytes)
    if (error instanceof OnusError && error.code === 'event-too-long') return failed(node, 'lying', error)
    if (error instanceof OnusError && certifiedTroubles.has(error.code)) throw error
    return failed(node, 'dead', new OnusError('unreachable', String(error)))
  } finally {
    opened.close()
  }
}

/** What a node sent that cannot be true. */
class Lie extends Error {
  readonly why: OnusError
  readonly bytes: Uint8Array

  constructor(why: OnusError, data: string) {
    super(why.message)
    this.why = why
    this.bytes = new TextEncoder().encode(data)
  }
}

/** What `read` finds in a message; throws a `Lie` where no honest node sends it. */
function honest<T>(message: ServerSentEvent, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof OnusError) || certifiedTroubles.has(error.code)) throw error
    throw new Lie(error, message.data === '' ? `id: ${message.id}` : message.data)
  }
}

/** Where the node says that it stands; null for other messages. Rejects `cursor-form`. */
function heightOfHeartbeat({ data, id }: ServerSentEvent): number | null {
  return data === '' && id !== null ? parseCursor(id).height : null
}

function recordEnd(network: Network, node: PoolNode, { failure, bytes }: Extract<End, { kind: 'failed' }>): void {
  recordFailure(node, failure, true, performance.now())
  if (failure.kind !== 'lying') return
  keepEvidence(network.evidence, {
    node: node.url,
    request: 'GET /v1/events',
    body: null,
    code: failure.code,
    what: failure.message,
    bytes: bytes ?? new Uint8Array(0),
    at: Date.now(),
  })
}

/** Throws what f+1 nodes (or all, if fewer are known) refuse with one code: at least one honest node says so. */
function checkRefusals(watch: Watch, node: PoolNode, { kind, code, message }: NodeFailure): void {
  const { network, refusals } = watch
  if (watch.received > 0) refusals.clear()
  refusals.delete(node.url)
  if (kind !== 'refused' || !finalRefusals.has(code)) return
  refusals.set(node.url, code)
  const count = [...refusals.values()].filter((other) => other === code).length
  if (count >= Math.min(network.trust.oneHonest, network.pool.length)) throw new OnusError(code, message)
}

/**
 * The events `name` behind `options.from`, one after the other as they are certified. Ends when the client is closed.
 * Rejects `cursor-form`, `cursor-gone`, `no-such-event` and `no-such-path` if f+1 nodes say so, `event-form` and
 * `forked`; everything else sends it to another node. A node that leaves out whole calls is not found out by this: what comes is proved, that all came is its word.
 */
export async function* watchEvents(
  network: Network,
  description: Interface,
  name: string,
  options: WatchOptions,
): AsyncGenerator<WatchedEvent<Readonly<Record<string, unknown>>>, void, undefined> {
  const lifetime = lifetimeWithin(network.lifetime)
  const from = options.from === undefined ? endOfBlock(network.certificates.newest.height) : parseCursor(options.from)
  const watch: Watch = { network, description, name, lifetime, cursor: from, received: 0, refusals: new Map() }
  let failures = 0
  try {
    while (!lifetime.isOver) {
      network.certificates.checkUnforked()
      const node = nodesInOrder(network, null)[0] as PoolNode
      const end = yield* shown(watch, node)
      if (end.kind === 'over' || lifetime.isOver) return
      failures = watch.received > 0 ? 1 : failures + 1
      recordEnd(network, node, end)
      checkRefusals(watch, node, end.failure)
      // The first further nodes are asked at once.
      await sleep(pauses[Math.max(0, Math.min(failures - network.pool.length, pauses.length - 1))] as number, lifetime)
    }
  } finally {
    lifetime.end()
  }
}

async function* shown(
  watch: Watch,
  node: PoolNode,
): AsyncGenerator<WatchedEvent<Readonly<Record<string, unknown>>>, End, undefined> {
  watch.received = 0
  const followed = follow(watch, node)
  try {
    for (;;) {
      const next = await followed.next()
      if (next.done) return watch.lifetime.isOver ? { kind: 'over' } : next.value
      const { value, cursor, report } = next.value
      if (watch.received === 0) recordAnswer(node, node.latency ?? 0)
      watch.cursor = cursor
      watch.received += 1
      yield { value, cursor: cursorText(cursor), report }
    }
  } finally {
    await followed.return({ kind: 'over' })
  }
}
