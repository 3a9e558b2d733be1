/**
 * The HTTP front of a node (`spec/gateway.md`). It parses, asks `GatewayBackend`, and answers; it decides nothing. Bodies
 * are bounded before they are read whole, and every rejection is a JSON error with a stable code.
 */
import type { Socket } from 'node:net'
import { OnusError } from '@onus/protocol/errors'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { CallStreams } from './callStream.js'
import { addCrossOrigin } from './crossOrigin.js'
import { errorBody, httpStatusOf } from './errors.js'
import { EventHub } from './eventRoutes.js'
import { countStatus, type GatewayMetrics } from './gatewayMetrics.js'
import type { GatewayBackend, GatewayParts } from './gatewayParts.js'
import { addHealthRoutes } from './health.js'
import { LaterError } from './laterError.js'
import { openApiDocument } from './openApi.js'
import { addRoutes } from './routes.js'
import { routeAdder } from './routeTable.js'

function plainError(code: string, message: string, remedy?: string): string {
  return errorBody({ code, message, remedy, path: undefined })
}

const contentTypes = 'send it as content-type: application/json, or application/octet-stream if the body is binary'

/** Headers that tell when to come back, and of the limit that was met (draft-ietf-httpapi-ratelimit-headers-10). */
function addLater(reply: FastifyReply, error: OnusError, status: number, parts: GatewayParts): void {
  if (status !== 429 && status !== 503) return
  const later = error instanceof LaterError ? error.retryAfter : status === 429 ? parts.backlogDelay() : 1000
  const seconds = Math.max(1, Math.ceil(later / 1000))
  reply.header('retry-after', String(seconds))
  const limit = error instanceof LaterError ? error.limit : null
  if (limit === null) return
  const { name, burst, perSecond } = limit
  reply.header('ratelimit-policy', `"${name}";q=${burst};w=${Math.ceil(burst / perSecond)}`)
  reply.header('ratelimit', `"${name}";r=0;t=${seconds}`)
}

function addErrors(server: FastifyInstance, parts: GatewayParts): void {
  const { metrics, limits, onBug } = parts
  const count = (request: FastifyRequest, status: number): void => {
    const { url } = request.routeOptions
    countStatus(metrics.route(url === undefined ? 'ANY' : request.method, url ?? 'unknown'), status)
    // What means nothing costs its sender; what a good client meets in the course of things does not.
    if (status === 400 || status === 401 || status === 413 || status === 415) limits.chargeMistake(request.ip)
  }
  server.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    reply.type('application/json')
    const status = error instanceof OnusError ? httpStatusOf(error) : (error.statusCode ?? 500)
    count(request, status)
    if (error instanceof OnusError) {
      addLater(reply, error, status, parts)
      return reply.code(status).send(errorBody(error))
    }
    if (status === 413) return reply.code(413).send(plainError('too-large', error.message))
    if (status === 415) return reply.code(415).send(plainError('http', error.message, contentTypes))
    if (status < 500) return reply.code(status).send(plainError('http', error.message))
    onBug(error)
    return reply.code(500).send(plainError('internal', 'a bug of this node', 'see its log'))
  })
  server.setNotFoundHandler((request, reply) => {
    count(request, 404)
    const body = plainError('no-such-path', `${request.method} ${request.url.slice(0, 100)}`, 'see /v1/openapi.json')
    return reply.code(404).type('application/json').send(body)
  })
}

/** What is no HTTP, or does not end, never reaches a route; it is answered on the bare connection. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const statuses: Readonly<Record<string, string>> = {
    ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
    HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  }
  const body = plainError('http', error.message)
  socket.write(
    `HTTP/1.1 ${statuses[error.code ?? ''] ?? '400 Bad Request'}\r\ncontent-type: application/json\r\n` +
      `connection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  // The other side may never close.
  socket.destroySoon()
}

/** Binary bodies as buffers; JSON as text, which the routes read, so that nothing long is parsed for nothing. */
function addBodies(server: FastifyInstance, parts: GatewayParts): void {
  const { backend, settings } = parts
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )
  // Hexadecimal takes two characters a byte.
  const bodyLimit = Math.max(settings.jsonBytes, 2 * backend.maximumEnvelopeBytes + 64)
  server.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit }, (_request, body, done) =>
    done(null, body),
  )
}

function addRequestLog(server: FastifyInstance, onRequest: NonNullable<GatewayParts['onRequest']>): void {
  server.addHook('onResponse', (request, reply, done) => {
    const { method, url, ip } = request
    const milliseconds = Math.round(reply.elapsedTime * 10) / 10
    onRequest({ method, url: url.slice(0, 300), status: reply.statusCode, milliseconds, address: ip })
    done()
  })
}

/** The backend, with what waits for results counted: many requests may wait for one transaction. */
function countWaiting(backend: GatewayBackend, metrics: GatewayMetrics): GatewayBackend {
  const counted = async <T>(ask: () => Promise<T>): Promise<T> => {
    metrics.waitingRequests += 1
    try {
      return await ask()
    } finally {
      metrics.waitingRequests -= 1
    }
  }
  const { genesis, description, maximumEnvelopeBytes } = backend
  return {
    genesis,
    description,
    maximumEnvelopeBytes,
    submit: (envelope, timeout) => counted(() => backend.submit(envelope, timeout)),
    carry: (envelope, timeout) => counted(() => backend.carry(envelope, timeout)),
    receipt: (id, timeout) => counted(() => backend.receipt(id, timeout)),
    certificate: (height) => backend.certificate(height),
    query: (argument, height) => backend.query(argument, height),
    session: (slot) => backend.session(slot),
    freeSession: () => backend.freeSession(),
    status: () => backend.status(),
  }
}

/** A gateway that does not listen yet; `close` ends it. */
export function createGateway(given: GatewayParts): FastifyInstance {
  const parts = { ...given, backend: countWaiting(given.backend, given.metrics) }
  const { backend, settings, metrics, blocks, description, onBug } = parts
  const server = Fastify({
    bodyLimit: backend.maximumEnvelopeBytes,
    requestTimeout: 30_000,
    trustProxy: settings.trustedProxies === 0 ? false : (_address, hop) => hop < settings.trustedProxies,
    // Node swaps the two where the time for headers is the longer one, and looks only as often as this.
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 5_000 },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, _request, reply) => {
      void (reply as FastifyReply).code(400).type('application/json').send(plainError('http', error.message))
    },
    keepAliveTimeout: 30_000,
    forceCloseConnections: true,
  })
  addBodies(server, parts)
  addCrossOrigin(server, settings.origins)
  addErrors(server, parts)
  if (parts.onRequest !== null) addRequestLog(server, parts.onRequest)
  const hub = new EventHub({ description, blocks, settings, metrics, onBug })
  const add = routeAdder(server, metrics)
  addRoutes(add, parts, hub, Buffer.from(JSON.stringify(openApiDocument(description, settings))))
  addHealthRoutes(add, parts.node, metrics)
  const { limits, backlogDelay } = parts
  const { maximumEnvelopeBytes } = backend
  const { carry } = backend
  const calls = new CallStreams({ maximumEnvelopeBytes, carry, settings, limits, metrics, backlogDelay, onBug })
  calls.attach(server.server)
  server.addHook('preClose', async () => {
    calls.close()
    hub.close()
    metrics.close()
  })
  return server
}
