/**
 * The HTTP front of a node (`spec/gateway.md`). It parses, asks `GatewayBackend`, and answers; it decides nothing. Bodies
 * are bounded before they are read whole, and every rejection is a JSON error with a stable code.
 */
import type { Socket } from 'node:net'
import { fromHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { errorBody, httpStatusOf } from './errors.js'

export interface SessionHint {
  readonly slot: number
  readonly generation: number
  readonly open: boolean
  readonly nextCounter: number
  readonly owner: string | null
  readonly key: string | null
  readonly closes: { readonly height: number; readonly time: number } | null
}

/** What the gateway asks of the node. Every method rejects with an `OnusError`. */
export interface GatewayBackend {
  readonly genesis: Uint8Array
  /** JSON of the interface description. */
  readonly description: Uint8Array
  readonly maximumEnvelopeBytes: number
  /** Encoded results once all transactions of the envelope are certified. */
  submit(envelope: Uint8Array, timeout: number): Promise<Uint8Array>
  receipt(id: Uint8Array, timeout: number): Promise<Uint8Array>
  certificate(height: number | null): Promise<Uint8Array>
  /** Encoded answer, or a rejection `query-trapped` with the guest's words when it trapped and the asker wants JSON. */
  query(argument: Uint8Array, height: number | null): Promise<Uint8Array>
  session(slot: number): Promise<SessionHint>
  freeSession(): Promise<{ slot: number; generation: number; height: number; time: number }>
  status(): Record<string, unknown>
}

const defaultTimeout = 10_000
const maximumTimeout = 60_000

function integerOf(text: string, field: string, most: number): number {
  const value = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= most))
    throw new OnusError(
      'parameter',
      `expected an integer from 0 to ${most}, got ${JSON.stringify(text.slice(0, 40))}`,
      { path: field },
    )
  return value
}

function parameter(request: FastifyRequest, name: string): string | null {
  const value = (request.query as Record<string, unknown>)[name]
  if (value === undefined) return null
  if (typeof value !== 'string') throw new OnusError('parameter', 'expected one value', { path: name })
  return value
}

function timeoutOf(request: FastifyRequest, otherwise: number): number {
  const text = parameter(request, 'timeout')
  return text === null ? otherwise : integerOf(text, 'timeout', maximumTimeout)
}

function bodyOf(request: FastifyRequest): Uint8Array {
  if (!(request.body instanceof Uint8Array))
    throw new OnusError('content-type', 'expected a body of application/octet-stream')
  return new Uint8Array(request.body)
}

function sendBytes(reply: FastifyReply, bytes: Uint8Array): FastifyReply {
  return reply.type('application/octet-stream').send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

function addRoutes(server: FastifyInstance, backend: GatewayBackend): void {
  server.post('/v1/envelopes', async (request, reply) =>
    sendBytes(reply, await backend.submit(bodyOf(request), timeoutOf(request, defaultTimeout))),
  )
  server.get<{ Params: { id: string } }>('/v1/receipts/:id', async (request, reply) => {
    const id = fromHex(request.params.id)
    if (id.length !== 32) throw new OnusError('parameter', 'a transaction id has 64 hexadecimal digits', { path: 'id' })
    return sendBytes(reply, await backend.receipt(id, timeoutOf(request, 0)))
  })
  server.get<{ Params: { height: string } }>('/v1/certificates/:height', async (request, reply) => {
    const { height } = request.params
    const wanted = height === 'latest' ? null : integerOf(height, 'height', Number.MAX_SAFE_INTEGER)
    return sendBytes(reply, await backend.certificate(wanted))
  })
  server.post('/v1/queries', async (request, reply) => {
    const height = parameter(request, 'height')
    const wanted = height === null ? null : integerOf(height, 'height', Number.MAX_SAFE_INTEGER)
    return sendBytes(reply, await backend.query(bodyOf(request), wanted))
  })
  server.get('/v1/sessions/free', async () => backend.freeSession())
  server.get<{ Params: { slot: string } }>('/v1/sessions/:slot', async (request) =>
    backend.session(integerOf(request.params.slot, 'slot', 0xffffffff)),
  )
  server.get('/v1/status', async () => backend.status())
  server.get('/v1/genesis', async (_request, reply) => sendBytes(reply, backend.genesis))
  server.get('/v1/interface', async (_request, reply) =>
    reply.type('application/json').send(Buffer.from(backend.description)),
  )
}

function addErrors(server: FastifyInstance, onBug: (error: Error) => void): void {
  server.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    reply.type('application/json')
    if (error instanceof OnusError) {
      const status = httpStatusOf(error)
      if (status === 429 || status === 503) reply.header('retry-after', '1')
      return reply.code(status).send(errorBody(error))
    }
    const status = error.statusCode ?? 500
    if (status === 413)
      return reply
        .code(413)
        .send(errorBody({ code: 'too-large', message: error.message, remedy: undefined, path: undefined }))
    if (status < 500)
      return reply
        .code(status)
        .send(errorBody({ code: 'http', message: error.message, remedy: undefined, path: undefined }))
    onBug(error)
    return reply
      .code(500)
      .send(errorBody({ code: 'internal', message: 'a bug of this node', remedy: 'see its log', path: undefined }))
  })
  server.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type('application/json')
      .send(
        errorBody({
          code: 'no-such-path',
          message: `${request.method} ${request.url.slice(0, 100)}`,
          remedy: 'see spec/gateway.md',
          path: undefined,
        }),
      ),
  )
}

/** What is no HTTP, or does not end, never reaches a route; it is answered on the bare connection. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const statuses: Readonly<Record<string, string>> = {
    ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
    HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  }
  const body = errorBody({ code: 'http', message: error.message, remedy: undefined, path: undefined })
  socket.write(
    `HTTP/1.1 ${statuses[error.code ?? ''] ?? '400 Bad Request'}\r\ncontent-type: application/json\r\n` +
      `access-control-allow-origin: *\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  // The other side may never close.
  socket.destroySoon()
}

/** Any page may call: nothing here is authorised by a cookie. */
function addCrossOrigin(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.header('access-control-allow-origin', '*')
    reply.header('access-control-expose-headers', 'retry-after')
    if (request.method !== 'OPTIONS') return
    reply.header('access-control-allow-methods', 'GET, POST')
    reply.header('access-control-allow-headers', 'content-type')
    reply.header('access-control-max-age', '86400')
    await reply.code(204).send()
  })
}

/** A gateway that does not listen yet; `close` ends it. */
export function createGateway(backend: GatewayBackend, onBug: (error: Error) => void): FastifyInstance {
  const server = Fastify({
    bodyLimit: backend.maximumEnvelopeBytes,
    requestTimeout: 30_000,
    // Node swaps the two where the time for headers is the longer one, and looks only as often as this.
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 5_000 },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, _request, reply) => {
      const body = errorBody({ code: 'http', message: error.message, remedy: undefined, path: undefined })
      void (reply as FastifyReply).code(400).type('application/json').send(body)
    },
    keepAliveTimeout: 30_000,
    forceCloseConnections: true,
  })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )
  addCrossOrigin(server)
  addErrors(server, onBug)
  addRoutes(server, backend)
  return server
}
