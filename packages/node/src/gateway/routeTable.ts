/**
 * Adds routes so that each counts its answers: successes here, refusals in the error handler, which finds the counts by
 * the route. No hook runs for it on the way of a request.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify'
import { countStatus, type GatewayMetrics } from './gatewayMetrics.js'

/** Bytes (binary), a text with its type, or a JSON value; null where the route has answered by itself. */
export type RouteAnswer =
  | Uint8Array
  | { readonly type: string; readonly text: string | Buffer; readonly status?: number }
  | { readonly json: unknown }
  | null

export type RouteHandler = (request: FastifyRequest<RouteGenericInterface>, reply: FastifyReply) => Promise<RouteAnswer>

export type AddRoute = (method: 'GET' | 'POST', path: string, handler: RouteHandler, bodyLimit?: number) => void

function send(reply: FastifyReply, answer: Exclude<RouteAnswer, null>): FastifyReply {
  if (answer instanceof Uint8Array)
    return reply.type('application/octet-stream').send(Buffer.from(answer.buffer, answer.byteOffset, answer.length))
  if ('json' in answer) return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.json))
  return reply
    .code(answer.status ?? 200)
    .type(answer.type)
    .send(answer.text)
}

export function routeAdder(server: FastifyInstance, metrics: GatewayMetrics): AddRoute {
  return (method, path, handler, bodyLimit) => {
    const count = metrics.route(method, path)
    server.route({
      method,
      url: path,
      ...(bodyLimit === undefined ? {} : { bodyLimit }),
      handler: async (request, reply) => {
        const answer = await handler(request, reply)
        if (answer === null) return reply
        const sent = send(reply, answer)
        countStatus(count, reply.statusCode)
        return sent
      },
    })
  }
}
