/** The routes of `spec/gateway.md` 2: each reads its parameters, asks the backend, and gives bytes or their JSON form. */
import { fromHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import type { FastifyRequest } from 'fastify'
import { certificateJson, hex } from './certificateJson.js'
import type { EventHub } from './eventRoutes.js'
import type { GatewayParts } from './gatewayParts.js'
import { type JsonAnswer, queryAnswerJson, queryNamed, queryRequest } from './queryJson.js'
import { bodyOf, envelopeOfJson, heightOf, integerOf, jsonOf, parameter, timeoutOf, wantsJson } from './requestInput.js'
import { type JsonContext, resultsJson } from './resultsJson.js'
import type { AddRoute, RouteAnswer } from './routeTable.js'

type Wanted = Readonly<Record<string, string>>

function pathParameter(request: FastifyRequest, name: string): string {
  return (request.params as Wanted)[name] ?? ''
}

function addEnvelopes(add: AddRoute, parts: GatewayParts, context: JsonContext): void {
  const { backend, limits, metrics } = parts
  add('POST', '/v1/envelopes', async (request) => {
    limits.checkAddress(request.ip)
    const startedAt = performance.now()
    const bytes = typeof request.body === 'string' ? envelopeOfJson(request.body) : bodyOf(request)
    const results = await backend.submit(bytes, timeoutOf(request))
    metrics.certifyLatency.observe((performance.now() - startedAt) / 1000)
    return wantsJson(request) ? { json: resultsJson(context, results) } : results
  })
}

function addReading(add: AddRoute, parts: GatewayParts, context: JsonContext): void {
  const { backend, limits, hasher, members } = parts
  const reading = (handler: (request: FastifyRequest) => Promise<RouteAnswer>) => (request: FastifyRequest) => {
    limits.takeRequest(request.ip, 1)
    return handler(request)
  }
  const receipt = async (request: FastifyRequest): Promise<RouteAnswer> => {
    const id = fromHex(pathParameter(request, 'id'))
    if (id.length !== 32) throw new OnusError('parameter', 'a transaction id has 64 hexadecimal digits', { path: 'id' })
    const results = await backend.receipt(id, timeoutOf(request, 0))
    return wantsJson(request) ? { json: resultsJson(context, results) } : results
  }
  const certificate = async (request: FastifyRequest): Promise<RouteAnswer> => {
    const height = pathParameter(request, 'height')
    const wanted = height === 'latest' ? null : integerOf(height, 'height', Number.MAX_SAFE_INTEGER)
    const bytes = await backend.certificate(wanted)
    return wantsJson(request) ? { json: certificateJson(hasher, members, bytes) } : bytes
  }
  add('GET', '/v1/receipts/:id', reading(receipt))
  add('GET', '/v1/certificates/:height', reading(certificate))
  add(
    'GET',
    '/v1/sessions/free',
    reading(async () => ({ json: await backend.freeSession() })),
  )
  const session = async (request: FastifyRequest): Promise<RouteAnswer> => ({
    json: await backend.session(integerOf(pathParameter(request, 'slot'), 'slot', 0xffffffff)),
  })
  add('GET', '/v1/sessions/:slot', reading(session))
}

/**
 * The newest state, but none before a block that this node showed as certified: the replica that answers may hear of a
 * block later.
 */
async function readSeen(
  read: (height: number | null) => Promise<JsonAnswer>,
  asked: number | null,
  certified: number,
): Promise<JsonAnswer> {
  if (asked !== null) return read(asked)
  const newest = await read(null).catch((error: unknown) => {
    // It may have trapped for want of what the last block brought.
    if (error instanceof OnusError && error.code === 'query-trapped' && certified > 0) return read(certified)
    throw error
  })
  return newest.height < certified ? read(certified) : newest
}

function addQueries(add: AddRoute, parts: GatewayParts): void {
  const { backend, blocks, limits, settings, description, manifestHashAt } = parts
  add('POST', '/v1/queries', async (request) => {
    limits.takeRequest(request.ip, 1)
    return backend.query(bodyOf(request), heightOf(request))
  })
  const ask = async (request: FastifyRequest, args: () => unknown): Promise<RouteAnswer> => {
    limits.takeRequest(request.ip, 1)
    const entry = queryNamed(description, pathParameter(request, 'name'))
    const argument = queryRequest(description, entry, args())
    const read = async (at: number | null): Promise<JsonAnswer> =>
      queryAnswerJson(description, entry, await backend.query(argument, at), settings.jsonBytes)
    const { height, value } = await readSeen(read, heightOf(request), blocks.certifiedHeight())
    const manifestHash = await manifestHashAt(height)
    return { json: { height, manifestHash: manifestHash === null ? null : hex(manifestHash), value } }
  }
  const body = (request: FastifyRequest): unknown => {
    if (typeof request.body === 'string') return jsonOf(request.body, settings.jsonBytes)
    if (request.body === undefined || request.body === null) return []
    throw new OnusError('content-type', 'expected a body of application/json')
  }
  add('POST', '/v1/queries/:name', (request) => ask(request, () => body(request)), settings.jsonBytes)
  add('GET', '/v1/queries/:name', (request) =>
    ask(request, () => {
      const args = parameter(request, 'args')
      return args === null ? [] : jsonOf(args, settings.jsonBytes)
    }),
  )
}

export function addRoutes(add: AddRoute, parts: GatewayParts, hub: EventHub, openApi: Buffer): void {
  const { backend, hasher, description, members, blocks, settings } = parts
  const context: JsonContext = { hasher, description, members, blocks, maximumBytes: settings.jsonBytes }
  addEnvelopes(add, parts, context)
  addReading(add, parts, context)
  addQueries(add, parts)
  add('GET', '/v1/events', async (request, reply) => {
    parts.limits.takeRequest(request.ip, 1)
    hub.open(request, reply)
    return null
  })
  add('GET', '/v1/status', async () => ({ json: backend.status() }))
  add('GET', '/v1/genesis', async () => backend.genesis)
  add('GET', '/v1/interface', async () => ({ type: 'application/json', text: Buffer.from(backend.description) }))
  add('GET', '/v1/openapi.json', async () => ({ type: 'application/json', text: openApi }))
}
