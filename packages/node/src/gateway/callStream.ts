/**
 * WebSocket `/v1/calls` (`spec/gateway.md`): many envelopes on one connection. What one turn of the event loop has to
 * say goes in one message, and a certificate goes over a connection once: a call costs its node a quarter of what a
 * request of its own costs. Errors are those of `POST /v1/envelopes`.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import {
  callStreamProtocol,
  decodeStreamRequests,
  encodeStreamAnswers,
  type StreamAnswer,
  type StreamRequest,
} from '@onus/protocol/callStream'
import { OnusError } from '@onus/protocol/errors'
import { encodeResults, type Results } from '@onus/protocol/gatewayMessages'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { addressKey } from './addressKey.js'
import { allowedOrigin } from './crossOrigin.js'
import { errorBody, httpStatusOf } from './errors.js'
import { countStatus, type GatewayMetrics, type RouteCount } from './gatewayMetrics.js'
import { LaterError } from './laterError.js'
import type { RateLimits } from './rateLimits.js'
import type { GatewaySettings } from './settings.js'

export const callStreamPath = '/v1/calls'
/** How long an envelope of a stream is waited for, in milliseconds: unless the client says, and at most. */
const defaultTimeout = 10_000
const maximumTimeout = 60_000
/** Answers that a reader leaves lying; more end the connection. */
const maximumBufferedBytes = 16 * 1024 * 1024
/** Envelopes in one message beside one of the greatest length. */
const roomForMore = 1024 * 1024
const heartbeatMilliseconds = 30_000
const closingMilliseconds = 500
/** Envelopes of one connection between request and answer. */
const maximumUnderWay = 4096
const begunAtOnce = 64
/** WebSocket close codes (RFC 6455 7.4.1). */
const closeCode = { goingAway: 1001, unsupported: 1003, policy: 1008, tryLater: 1013 } as const

export interface CallStreamsOptions {
  readonly maximumEnvelopeBytes: number
  /** As `GatewayBackend.carry`. */
  readonly carry: (envelope: Uint8Array, timeout: number) => Promise<Results>
  readonly settings: GatewaySettings
  readonly limits: RateLimits
  readonly metrics: GatewayMetrics
  readonly backlogDelay: () => number
  readonly onBug: (error: Error) => void
}

export class CallStreams {
  readonly #options: CallStreamsOptions
  readonly #sockets: WebSocketServer
  readonly #byAddress = new Map<string, number>()
  readonly #heartbeat: NodeJS.Timeout
  readonly #waiting = new Set<WebSocket>()

  constructor(options: CallStreamsOptions) {
    this.#options = options
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.maximumEnvelopeBytes + roomForMore,
      perMessageDeflate: false,
      handleProtocols: (protocols) => (protocols.has(callStreamProtocol) ? callStreamProtocol : false),
    })
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMilliseconds)
  }

  /** Takes connections of `server` that ask for a WebSocket. */
  attach(server: Server): void {
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const refusal = this.#refusalOf(request)
      if (refusal !== null) {
        socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
        return
      }
      const address = this.#addressOf(request)
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        socket.setNoDelay(true)
        this.#byAddress.set(addressKey(address), this.#connectionsOf(address) + 1)
        webSocket.on('close', () => this.#forget(address))
        this.#serve(webSocket, address, timeoutOf(request) ?? defaultTimeout)
      })
    })
  }

  close(): void {
    clearInterval(this.#heartbeat)
    const clients = [...this.#sockets.clients]
    for (const socket of clients) socket.close(closeCode.goingAway, 'this node stops')
    this.#sockets.close()
    // The server's end waits for every connection; a client that does not answer must not hold it up.
    setTimeout(() => clients.forEach((socket) => void socket.terminate()), closingMilliseconds).unref()
  }

  #refusalOf(request: IncomingMessage): string | null {
    const { settings } = this.#options
    const { origin } = request.headers
    if (request.url?.split('?')[0] !== callStreamPath) return '404 Not Found'
    if (timeoutOf(request) === null) return '400 Bad Request'
    if (origin !== undefined && allowedOrigin(settings.origins, origin) === null) return '403 Forbidden'
    const { streams, streamsPerAddress } = settings.calls
    const isFull = this.#sockets.clients.size >= streams
    if (isFull || this.#connectionsOf(this.#addressOf(request)) >= streamsPerAddress) return '429 Too Many Requests'
    return null
  }

  #connectionsOf(address: string): number {
    return this.#byAddress.get(addressKey(address)) ?? 0
  }

  #forget(address: string): void {
    const left = this.#connectionsOf(address) - 1
    if (left <= 0) this.#byAddress.delete(addressKey(address))
    else this.#byAddress.set(addressKey(address), left)
  }

  /** As Fastify finds it: so many entries at the end of `x-forwarded-for` are believed as there are proxies. */
  #addressOf(request: IncomingMessage): string {
    const direct = request.socket.remoteAddress ?? ''
    const { trustedProxies } = this.#options.settings
    if (trustedProxies === 0) return direct
    const named = String(request.headers['x-forwarded-for'] ?? '').split(',')
    const chain = [...named.map((name) => name.trim()).filter((name) => name !== ''), direct]
    return chain[Math.max(0, chain.length - 1 - trustedProxies)] ?? direct
  }

  /** Ends connections whose other side has not answered the last ping. */
  #beat(): void {
    for (const socket of this.#sockets.clients) {
      if (this.#waiting.has(socket)) socket.terminate()
      else {
        this.#waiting.add(socket)
        socket.ping()
      }
    }
  }

  #serve(socket: WebSocket, address: string, timeout: number): void {
    const connection = new Connection(socket, address, timeout, this.#options)
    socket.on('pong', () => this.#waiting.delete(socket))
    socket.on('close', () => this.#waiting.delete(socket))
    // The other side broke the protocol; `ws` closes the connection.
    socket.on('error', () => undefined)
    socket.on('message', (data, isBinary) => connection.take(data, isBinary))
  }
}

/** The `timeout` of a request for a stream; null where it is no number that may be. */
function timeoutOf({ url = '' }: IncomingMessage): number | null {
  const parameters = new URLSearchParams(url.split('?')[1] ?? '')
  const text = parameters.get('timeout') ?? String(defaultTimeout)
  if ([...parameters.keys()].some((name) => name !== 'timeout') || !/^[1-9][0-9]{0,5}$/.test(text)) return null
  return Number(text) > maximumTimeout ? null : Number(text)
}

class Connection {
  readonly #socket: WebSocket
  readonly #address: string
  readonly #timeout: number
  readonly #options: CallStreamsOptions
  readonly #count: RouteCount
  readonly #sent = new WeakSet<Uint8Array>()
  #answers: StreamAnswer[] = []
  /** Not begun yet. */
  readonly #requests: StreamRequest[] = []
  #underWay = 0

  constructor(socket: WebSocket, address: string, timeout: number, options: CallStreamsOptions) {
    this.#socket = socket
    this.#timeout = timeout
    this.#address = address
    this.#options = options
    this.#count = options.metrics.route('GET', callStreamPath)
  }

  take(data: RawData, isBinary: boolean): void {
    if (!isBinary || !(data instanceof Buffer)) {
      this.#socket.close(closeCode.unsupported, 'expected binary messages')
      return
    }
    try {
      // A copy: `ws` may hand out parts of a larger buffer, and envelopes live on.
      const requests = decodeStreamRequests(new Uint8Array(data))
      if (this.#requests.length + this.#underWay + requests.length > maximumUnderWay) {
        this.#socket.close(closeCode.tryLater, `more than ${maximumUnderWay} envelopes under way`)
        return
      }
      this.#requests.push(...requests)
      if (this.#requests.length === requests.length) this.#begin()
    } catch (error) {
      if (!(error instanceof OnusError)) throw error
      this.#options.limits.chargeMistake(this.#address)
      this.#socket.close(closeCode.policy, `${error.code}: ${error.message}`.slice(0, 100))
    }
  }

  /** A few in each turn of the event loop: checking one takes some microseconds, and a message may hold many. */
  #begin(): void {
    for (const request of this.#requests.splice(0, begunAtOnce)) void this.#carry(request)
    if (this.#requests.length > 0 && this.#socket.readyState === this.#socket.OPEN) setImmediate(() => this.#begin())
  }

  async #carry({ number, envelope }: StreamRequest): Promise<void> {
    const { carry, limits, metrics } = this.#options
    this.#underWay += 1
    try {
      limits.checkAddress(this.#address)
      const startedAt = performance.now()
      const results = await carry(envelope, this.#timeout)
      metrics.certifyLatency.observe((performance.now() - startedAt) / 1000)
      for (const certificate of results.certificates) this.#sendCertificate(certificate)
      this.#send({ kind: 'results', number, bytes: encodeResults({ ...results, certificates: [] }) })
      countStatus(this.#count, 200)
    } catch (error) {
      this.#send(this.#errorOf(number, error))
    } finally {
      this.#underWay -= 1
    }
  }

  #sendCertificate(bytes: Uint8Array): void {
    if (this.#sent.has(bytes)) return
    this.#sent.add(bytes)
    this.#send({ kind: 'certificate', bytes })
  }

  #errorOf(number: number, error: unknown): StreamAnswer {
    const { limits, onBug, backlogDelay } = this.#options
    const isKnown = error instanceof OnusError
    const status = isKnown ? httpStatusOf(error) : 500
    countStatus(this.#count, status)
    if (!isKnown) onBug(error instanceof Error ? error : new Error(String(error)))
    if (status === 400 || status === 401 || status === 413) limits.chargeMistake(this.#address)
    const later = error instanceof LaterError ? error.retryAfter : status === 429 ? backlogDelay() : 0
    const shown = isKnown
      ? error
      : { code: 'internal', message: 'a bug of this node', remedy: 'see its log', path: undefined }
    return { kind: 'error', number, status, retryAfter: Math.ceil(later), body: errorBody(shown) }
  }

  #send(answer: StreamAnswer): void {
    this.#answers.push(answer)
    if (this.#answers.length === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const answers = this.#answers
    this.#answers = []
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (this.#socket.bufferedAmount > maximumBufferedBytes)
      this.#socket.close(closeCode.tryLater, 'answers are not taken')
    else this.#socket.send(encodeStreamAnswers(answers))
  }
}
