/**
 * The call streams of a client, one to each node that it sends envelopes to. Until a stream is open, and where none can
 * be, envelopes go by HTTP: a node or proxy without WebSockets costs nothing but their gain.
 */
import { CallStream, type OpenWebSocket } from './callStream.js'
import { type Fetch, type HttpOutcome, type HttpRequest, sendRequest } from './http.js'
import type { Lifetime } from './lifetime.js'

/** Milliseconds before a stream that ended is opened again. */
const reopenPause = 10_000
const envelopePath = '/v1/envelopes'

export class CallStreams {
  readonly #open: OpenWebSocket | null
  readonly #timeout: number
  readonly #streams = new Map<string, { readonly stream: CallStream | null; readonly openedAt: number }>()

  /** Nodes wait `timeout` milliseconds for a certificate: less than the deadline, so that silence tells of the node. */
  constructor(open: OpenWebSocket | null, timeout: number, lifetime: Lifetime) {
    this.#open = open
    this.#timeout = timeout
    lifetime.onEnd(() => {
      for (const { stream } of this.#streams.values()) stream?.close()
    })
  }

  /** Sends a request to a node: an envelope by its stream, all else by HTTP. */
  send(fetch: Fetch, node: string, request: HttpRequest, lifetime: Lifetime): Promise<HttpOutcome> {
    // `timeout=0` asks only whether it is taken, which a stream does not tell.
    const isCall = request.body !== null && request.path.startsWith(envelopePath) && !request.path.endsWith('timeout=0')
    const stream = isCall ? this.#streamTo(node) : null
    if (stream === null || request.body === null) return sendRequest(fetch, node, request, lifetime)
    return stream.carry(request.body, request.deadline, request.maximumBytes, lifetime)
  }

  /** An open stream, or null. Starts to open one where there is none. */
  #streamTo(node: string): CallStream | null {
    if (this.#open === null) return null
    const held = this.#streams.get(node)
    if (held?.stream?.state === 'open') return held.stream
    const now = performance.now()
    const endedAt = held?.stream?.endedAt ?? held?.openedAt ?? Number.NEGATIVE_INFINITY
    if (now - endedAt > reopenPause) this.#streams.set(node, { stream: this.#begin(node, this.#open), openedAt: now })
    return null
  }

  #begin(node: string, open: OpenWebSocket): CallStream | null {
    try {
      return new CallStream(node, this.#timeout, open)
    } catch {
      // A page may forbid it (content security policy, mixed content); HTTP then tells what is wrong, if it is.
      return null
    }
  }
}
