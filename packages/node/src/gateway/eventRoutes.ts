/** `GET /v1/events` (`spec/gateway.md` 5): checks cursor, names and limits, then hands the connection to a stream. */
import { OnusError } from '@onus/protocol/errors'
import type { Interface } from '@onus/protocol/interface/description'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { addressKey } from './addressKey.js'
import { BlockEvents } from './blockEvents.js'
import { originHeaders } from './crossOrigin.js'
import { type EventCursor, endOfBlock, parseCursor } from './eventCursor.js'
import { type CertifiedBlocks, EventStream } from './eventStream.js'
import type { GatewayMetrics } from './gatewayMetrics.js'
import { LaterError } from './laterError.js'
import { parameter, parameters } from './requestInput.js'
import type { GatewaySettings } from './settings.js'

export interface EventHubOptions {
  readonly description: Interface
  readonly blocks: CertifiedBlocks
  readonly settings: GatewaySettings
  readonly metrics: GatewayMetrics
  readonly onBug: (error: Error) => void
}

/** A cursor may be ahead of a node that lags, but not by more than this. */
const mostAhead = 1000
const fullRetry = 5000

export class EventHub {
  readonly #options: EventHubOptions
  readonly #events: BlockEvents
  readonly #streams = new Set<EventStream>()
  readonly #byAddress = new Map<string, number>()

  constructor(options: EventHubOptions) {
    this.#options = options
    this.#events = new BlockEvents(options.description, options.settings.jsonBytes)
  }

  /**
   * Answers with a stream that lasts until the reader leaves. Rejects `no-such-event`, `cursor-form`, `cursor-gone`,
   * `cursor-ahead`, `parameter` and `too-many-streams`.
   */
  open(request: FastifyRequest, reply: FastifyReply): void {
    const { settings, metrics, blocks } = this.#options
    const names = this.#namesOf(request)
    const from = this.#cursorOf(request)
    const values = valuesOf(request)
    const address = addressKey(request.ip)
    const mine = this.#byAddress.get(address) ?? 0
    if (this.#streams.size >= settings.events.streams || mine >= settings.events.streamsPerAddress)
      throw new LaterError('too-many-streams', 'as many event streams are open as this node allows', fullRetry)
    reply.hijack()
    const { origin } = request.headers
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // nginx would hold events back otherwise.
      'x-accel-buffering': 'no',
      ...(origin === undefined ? {} : originHeaders(settings.origins, origin)),
    })
    reply.raw.flushHeaders()
    const stream = new EventStream(reply.raw, {
      blocks,
      events: this.#events,
      limits: settings.events,
      from,
      names,
      values,
    })
    this.#streams.add(stream)
    this.#byAddress.set(address, mine + 1)
    metrics.streams = this.#streams.size
    void this.#follow(stream).finally(() => this.#forget(stream, address))
  }

  async #follow(stream: EventStream): Promise<void> {
    const { settings, metrics, onBug } = this.#options
    try {
      if ((await stream.run()) === 'gone') return
      metrics.slowReaders += 1
      stream.close('slow-reader', `took nothing for ${settings.events.stallSeconds} s; come back with the last id`)
    } catch (error) {
      onBug(error instanceof Error ? error : new Error(String(error)))
      stream.close('internal', 'a bug of this node')
    }
  }

  /** Tells all readers that the node stops. */
  close(): void {
    for (const stream of this.#streams)
      stream.close('node-stops', 'come back with the last id, here or at another node')
  }

  #forget(stream: EventStream, address: string): void {
    this.#streams.delete(stream)
    this.#options.metrics.streams = this.#streams.size
    const left = (this.#byAddress.get(address) ?? 1) - 1
    if (left === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, left)
  }

  #namesOf(request: FastifyRequest): ReadonlySet<string> | null {
    const known = (this.#options.description.events ?? []).map(({ name }) => name)
    if (known.length === 0) throw new OnusError('no-such-event', 'the interface of this backend has no events')
    const names = parameters(request, 'name')
    for (const name of names)
      if (!known.includes(name))
        throw new OnusError('no-such-event', `no event ${name.slice(0, 80)}`, {
          path: 'name',
          remedy: `name some of ${known.slice(0, 50).join(', ')}`,
        })
    return names.length === 0 ? null : new Set(names)
  }

  #cursorOf(request: FastifyRequest): EventCursor {
    const head = this.#options.blocks.height()
    const header = request.headers['last-event-id']
    const field = typeof header === 'string' ? 'last-event-id' : 'from'
    // A browser that reconnects sends both: the header is the later one.
    const text = typeof header === 'string' ? header : parameter(request, 'from')
    if (text === null) return endOfBlock(head)
    const cursor = parseCursor(text, field)
    if (cursor.height < head - this.#options.settings.events.historyBlocks)
      throw new OnusError(
        'cursor-gone',
        `events before block ${head - this.#options.settings.events.historyBlocks} are not given here`,
        {
          path: field,
          remedy: 'begin later, and read the present state by queries',
        },
      )
    if (cursor.height > head + mostAhead)
      throw new OnusError('cursor-ahead', `this node is at block ${head}`, {
        path: field,
        remedy: 'ask another node, and check that the cursor is of this cluster',
      })
    return cursor
  }
}

function valuesOf(request: FastifyRequest): boolean {
  const text = parameter(request, 'values')
  if (text === null || text === 'yes') return true
  if (text === 'no') return false
  throw new OnusError('parameter', 'expected yes or no', { path: 'values' })
}
