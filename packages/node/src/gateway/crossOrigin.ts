/**
 * Which pages may call (CORS). Headers go to browsers only, which say where they come from; nothing is authorised by a
 * cookie, so letting any page call gives it no right that a program would not have.
 */
import type { FastifyInstance } from 'fastify'
import type { GatewaySettings } from './settings.js'

const exposed = 'retry-after, ratelimit, ratelimit-policy'

/** The value of `access-control-allow-origin` for a page of `origin`, or null when it may not call. */
export function allowedOrigin(origins: GatewaySettings['origins'], origin: string): string | null {
  if (origins === 'any') return '*'
  return origins.includes(origin) ? origin : null
}

/** Headers of every answer to a page of `origin`. */
export function originHeaders(origins: GatewaySettings['origins'], origin: string): Record<string, string> {
  const allowed = allowedOrigin(origins, origin)
  const vary = origins === 'any' ? {} : { vary: 'origin' }
  if (allowed === null) return vary
  return { ...vary, 'access-control-allow-origin': allowed, 'access-control-expose-headers': exposed }
}

export function addCrossOrigin(server: FastifyInstance, origins: GatewaySettings['origins']): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    if (origin !== undefined) reply.headers(originHeaders(origins, origin))
    if (request.method !== 'OPTIONS') return done()
    reply.header('access-control-allow-methods', 'GET, POST')
    reply.header('access-control-allow-headers', 'content-type, last-event-id')
    reply.header('access-control-max-age', '86400')
    return void reply.code(204).send()
  })
}
