/**
 * One WebSocket to a node's call stream (`spec/gateway.md`): many envelopes on their way at once. Gives the outcomes
 * that `POST /v1/envelopes` would give, certificates included, so that what follows verifies them in the same way.
 */

import { utf8Bytes } from '@onus/protocol/bytes'
import {
  callStreamProtocol,
  decodeStreamAnswers,
  encodeStreamRequests,
  type StreamAnswer,
} from '@onus/protocol/callStream'
import { decodeCertificate } from '@onus/protocol/certificate'
import { OnusError } from '@onus/protocol/errors'
import { decodeResults, encodeResults } from '@onus/protocol/gatewayMessages'
import type { HttpOutcome } from './http.js'
import type { Lifetime } from './lifetime.js'

/** What of the WebSocket of browsers (and of Node 22, and of the package `ws`) is used here. */
export interface WebSocketLike {
  binaryType: string
  readonly readyState: number
  send(data: Uint8Array<ArrayBuffer>): void
  close(): void
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
}

export type OpenWebSocket = (url: string, protocol: string) => WebSocketLike

const certificatesKept = 256
/** Where a receipt proof has the height of its block, as u64. */
const heightOffset = 16

interface Waiting {
  readonly maximumBytes: number
  end(outcome: HttpOutcome): void
}

function heightOfProof(proof: Uint8Array): number {
  if (proof.length < heightOffset + 8) return -1
  const view = new DataView(proof.buffer, proof.byteOffset + heightOffset, 8)
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4)
}

export class CallStream {
  readonly #socket: WebSocketLike
  readonly #waiting = new Map<number, Waiting>()
  /** Encoded certificates by height, as they came. */
  readonly #certificates = new Map<number, Uint8Array>()
  #requests: { number: number; envelope: Uint8Array }[] = []
  #next = 0
  /** Messages that came, whatever was in them. */
  #received = 0
  #state: 'connecting' | 'open' | 'closed' = 'connecting'
  #endedAt = Number.POSITIVE_INFINITY

  /** `url` is a node's, with http or https; after `timeout` milliseconds it says that a call is not yet certified. */
  constructor(url: string, timeout: number, open: OpenWebSocket) {
    this.#socket = open(`${url.replace(/^http/, 'ws')}/v1/calls?timeout=${timeout}`, callStreamProtocol)
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.addEventListener('open', () => {
      if (this.#state === 'connecting') this.#state = 'open'
    })
    this.#socket.addEventListener('close', () => this.#end('the connection was closed'))
    this.#socket.addEventListener('error', () => this.#end('the connection failed'))
    this.#socket.addEventListener('message', ({ data }) => this.#take(data))
  }

  get state(): 'connecting' | 'open' | 'closed' {
    return this.#state
  }

  /** `performance.now()` when it closed; infinite until then. */
  get endedAt(): number {
    return this.#endedAt
  }

  /** Envelopes under way. */
  get size(): number {
    return this.#waiting.size
  }

  /**
   * Sends an envelope. Its outcome comes within `deadline` milliseconds, and never as an exception. If nothing at all
   * came in that time the connection counts as dead, for half of one is not told apart otherwise: no pings in browsers.
   */
  carry(envelope: Uint8Array, deadline: number, maximumBytes: number, lifetime: Lifetime): Promise<HttpOutcome> {
    if (this.#state !== 'open') return Promise.resolve({ kind: 'unreachable', message: 'the connection is not open' })
    if (lifetime.isOver) return Promise.resolve({ kind: 'aborted' })
    const number = this.#next
    this.#next = (this.#next + 1) >>> 0
    const receivedBefore = this.#received
    return new Promise((resolve) => {
      const end = (outcome: HttpOutcome): void => {
        clearTimeout(timer)
        takeBack()
        this.#waiting.delete(number)
        resolve(outcome)
      }
      const timer = setTimeout(() => {
        end({ kind: 'deadline' })
        if (this.#received === receivedBefore) this.#abandon(`nothing came for ${deadline} ms`)
      }, deadline)
      this.#waiting.set(number, { maximumBytes, end })
      const takeBack = lifetime.onEnd(() => end({ kind: 'aborted' }))
      this.#requests.push({ number, envelope })
      if (this.#requests.length === 1) queueMicrotask(() => this.#flush())
    })
  }

  close(): void {
    this.#abandon('the client was closed')
  }

  #abandon(message: string): void {
    const wasConnecting = this.#state === 'connecting'
    this.#end(message)
    // Browsers tell of a connection closed before it is open as of an error.
    if (wasConnecting) this.#socket.addEventListener('open', () => this.#socket.close())
    else this.#socket.close()
  }

  #flush(): void {
    const requests = this.#requests
    this.#requests = []
    if (this.#state === 'open') this.#socket.send(encodeStreamRequests(requests) as Uint8Array<ArrayBuffer>)
  }

  #end(message: string): void {
    if (this.#state !== 'closed') this.#endedAt = performance.now()
    this.#state = 'closed'
    for (const { end } of [...this.#waiting.values()]) end({ kind: 'unreachable', message })
  }

  #take(data: unknown): void {
    this.#received += 1
    try {
      if (!(data instanceof ArrayBuffer)) throw new OnusError('stream-form', 'expected a binary message')
      for (const answer of decodeStreamAnswers(new Uint8Array(data))) this.#settle(answer)
    } catch (error) {
      if (!(error instanceof OnusError)) throw error
      this.#abandon(`${error.code}: ${error.message}`)
    }
  }

  #settle(answer: StreamAnswer): void {
    if (answer.kind === 'certificate') {
      this.#keep(answer.bytes.slice())
      return
    }
    const waiting = this.#waiting.get(answer.number)
    if (waiting === undefined) return
    if (answer.kind === 'error') {
      const { status, retryAfter } = answer
      waiting.end({
        kind: 'reply',
        status,
        bytes: utf8Bytes(answer.body),
        retryAfter: retryAfter === 0 ? null : retryAfter,
      })
      return
    }
    const bytes = this.#withCertificates(answer.bytes)
    if (bytes.length > waiting.maximumBytes) waiting.end({ kind: 'too-long', bytes })
    else waiting.end({ kind: 'reply', status: 200, bytes, retryAfter: null })
  }

  #keep(certificate: Uint8Array): void {
    this.#certificates.set(decodeCertificate(certificate).header.height, certificate)
    for (const oldest of this.#certificates.keys()) {
      if (this.#certificates.size <= certificatesKept) break
      this.#certificates.delete(oldest)
    }
  }

  /** The results with the certificates of their blocks, as far as they came; what lacks is found by who verifies. */
  #withCertificates(bytes: Uint8Array): Uint8Array {
    const results = decodeResults(bytes)
    const heights = [...new Set(results.receipts.map(heightOfProof))]
    const certificates = heights.flatMap((height) => this.#certificates.get(height) ?? [])
    return encodeResults({ ...results, certificates })
  }
}
