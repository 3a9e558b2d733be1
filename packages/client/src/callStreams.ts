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
  readonly #streams = new Map<string, { readonly stream: CallStream | null; readonly openedAt: number }>()

  constructor(open: OpenWebSocket | null, lifetime: Lifetime) {
    this.#open = open
    lifetime.onEnd(() => {
      for (const { stream } of this.#streams.values()) stream?.close()
    })
  }

  /** Sends a request to a node: an envelope by its stream, all else by HTTP. */
  send(fetch: Fetch, node: string, request: HttpRequest, lifetime: Lifetime): Promise<HttpOutcome> {
    const stream = request.body !== null && request.path.startsWith(envelopePath) ? this.#streamTo(node) : null
    if (stream === null || request.body === null) return sendRequest(fetch, node, request, lifetime)
    return stream.carry(request.body, request.deadline, request.maximumBytes, lifetime)
  }

  /** An open stream, or null. Starts to open one where there is none. */
  #streamTo(node: string): CallStream | null {
    if (this.#open === null) return null
    const held = this.#streams.get(node)
    if (held?.stream?.state === 'open') return held.stream
    const now = performance.now()
    if (held === undefined || (held.stream?.state !== 'connecting' && now - held.openedAt > reopenPause))
      this.#streams.set(node, { stream: this.#begin(node, this.#open), openedAt: now })
    return null
  }

  #begin(node: string, open: OpenWebSocket): CallStream | null {
    try {
      return new CallStream(node, open)
    } catch {
      // A page may forbid it (content security policy, mixed content); HTTP then tells what is wrong, if it is.
      return null
    }
  }
}
