/** The parts of the OpenAPI document that are the same for every backend: routes, errors, certificates, receipts. */
import type { Interface } from '@onus/protocol/interface/description'
import { rejectionCode } from '@onus/protocol/receipt'
import type { GatewaySettings } from './settings.js'
import type { Schema } from './typeSchema.js'

const binary = { schema: { type: 'string', format: 'binary' } }
const reference = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
const error = { $ref: '#/components/responses/Error' }
const parameter = (name: string): Schema => ({ $ref: `#/components/parameters/${name}` })
const json = (schema: Schema): Schema => ({ 'application/json': { schema } })

interface Operation {
  readonly id: string
  readonly tag: string
  readonly summary: string
  readonly answer: Schema
  readonly parameters?: readonly Schema[]
  readonly body?: Schema
  readonly status?: number
}

function operation({ id, tag, summary, answer, parameters, body }: Operation): Schema {
  return {
    tags: [tag],
    operationId: id,
    summary,
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
    responses: { 200: { description: summary, content: answer }, default: error },
  }
}

const results: Schema = { 'application/octet-stream': binary, ...json(reference('Results')) }
const certificate: Schema = { 'application/octet-stream': binary, ...json(reference('Certificate')) }
const anyObject: Schema = json({ type: 'object' })

const pathParameter = (name: string, schema: Schema): Schema => ({ name, in: 'path', required: true, schema })

function transactionPaths(settings: GatewaySettings): Schema {
  const envelope = {
    type: 'object',
    properties: { envelope: { type: 'string', description: 'the signed envelope as 0x-hexadecimal or base64' } },
    required: ['envelope'],
    additionalProperties: false,
  }
  const events = operation({
    id: 'events',
    tag: 'events',
    summary: `Server-Sent Events: certificate, receipt, event, closed; at most ${settings.events.streamsPerAddress} streams an address`,
    parameters: [
      { name: 'from', in: 'query', schema: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+\\.[0-9]+)?$' } },
      { name: 'last-event-id', in: 'header', schema: { type: 'string' } },
      { name: 'name', in: 'query', schema: { type: 'array', items: { type: 'string' } } },
      { name: 'values', in: 'query', schema: { enum: ['yes', 'no'] } },
    ],
    answer: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  return {
    '/v1/envelopes': {
      post: operation({
        id: 'submit',
        tag: 'transactions',
        summary: 'Takes a signed envelope; answers when all of it is certified',
        parameters: [parameter('Timeout')],
        body: { 'application/octet-stream': binary, ...json(envelope) },
        answer: results,
      }),
    },
    '/v1/receipts/{id}': {
      get: operation({
        id: 'receipt',
        tag: 'transactions',
        summary: 'Certificate and receipt of a transaction',
        parameters: [pathParameter('id', { type: 'string', pattern: '^(0x)?[0-9a-fA-F]{64}$' }), parameter('Timeout')],
        answer: results,
      }),
    },
    '/v1/events': { get: events },
  }
}

function readingPaths(): Schema {
  const queries = {
    id: 'query',
    tag: 'queries',
    summary: 'A query as selector and arguments in binary',
    parameters: [parameter('Height')],
    body: { 'application/octet-stream': binary },
    answer: { 'application/octet-stream': binary },
  }
  const get = (id: string, tag: string, summary: string, answer: Schema, parameters?: readonly Schema[]): Schema => ({
    get: operation({ id, tag, summary, answer, ...(parameters === undefined ? {} : { parameters }) }),
  })
  const height = pathParameter('height', { oneOf: [{ type: 'integer', minimum: 0 }, { const: 'latest' }] })
  const slot = pathParameter('slot', { type: 'integer', minimum: 0, maximum: 0xffffffff })
  return {
    '/v1/certificates/{height}': get(
      'certificate',
      'transactions',
      'Certificate of the newest manifest at or below a height',
      certificate,
      [height],
    ),
    '/v1/queries': { post: operation(queries) },
    '/v1/sessions/{slot}': get('session', 'sessions', 'A session as this node sees it', anyObject, [slot]),
    '/v1/sessions/free': get('freeSession', 'sessions', 'A free session slot', anyObject),
    '/v1/status': get('status', 'node', 'Where the node stands', anyObject),
    '/v1/genesis': get('genesis', 'node', 'The genesis file', { 'application/octet-stream': binary }),
    '/v1/interface': get('interface', 'node', 'The interface description', anyObject),
    '/v1/openapi.json': get('openapi', 'node', 'This document', anyObject),
    '/healthz': get('healthz', 'node', 'The process lives', anyObject),
    '/readyz': get('readyz', 'node', 'The node takes part (503 if not)', json(reference('Readiness'))),
    '/metrics': get('metrics', 'node', 'Prometheus metrics', { 'text/plain': { schema: { type: 'string' } } }),
  }
}

export function fixedPaths(settings: GatewaySettings): Schema {
  return { ...transactionPaths(settings), ...readingPaths() }
}

const hexBytes = { type: 'string', pattern: '^0x([0-9a-f]{2})*$' }
const count = { type: 'integer', minimum: 0 }

function closed(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

function receiptSchema(description: Interface): Schema {
  const rejections = Object.keys(rejectionCode).filter((name) => name !== 'none')
  const names = (description.events ?? []).map(({ name }) => name)
  const event = closed({ name: names.length === 0 ? { type: 'string' } : { enum: names }, value: { type: 'object' } })
  return closed(
    {
      height: count,
      index: count,
      transactionId: reference('Hash'),
      status: { enum: ['executed', 'trapped', 'rejected'] },
      rejection: { oneOf: [{ type: 'null' }, { enum: rejections }] },
      gasUsed: count,
      entry: { type: ['string', 'null'] },
      value: { description: 'as components.schemas of the entry says' },
      events: { type: 'array', items: event },
      undecodable: { type: 'string', description: 'why the output is not of the described type' },
      output: hexBytes,
      siblings: hexBytes,
      hint: closed({ message: { type: 'string' }, trace: { type: 'array', items: { type: 'string' } } }),
      bytes: hexBytes,
    },
    ['value', 'events', 'undecodable', 'hint'],
  )
}

const certificateSchema: Schema = closed({
  height: count,
  header: { type: 'object' },
  round: count,
  parts: closed({ total: count, hash: hexBytes }),
  signers: {
    type: 'array',
    items: closed({
      address: { type: ['string', 'null'], pattern: '^0x[0-9a-f]{40}$' },
      time: { type: 'string' },
      signature: hexBytes,
    }),
  },
  manifestHash: reference('Hash'),
  manifest: { type: 'object' },
  itemCount: count,
  sealProof: { type: 'array', items: reference('Hash') },
  bytes: hexBytes,
})

const readiness = closed({
  ready: { type: 'boolean' },
  checks: {
    type: 'array',
    items: closed({ name: { type: 'string' }, ok: { type: 'boolean' }, detail: { type: 'string' } }),
  },
})

/** Components that every document has. */
export function fixedSchemas(description: Interface): Schema {
  const text = { type: 'string' }
  const failure = closed({ code: text, message: text, remedy: text, path: text }, ['remedy', 'path'])
  return {
    parameters: {
      Height: {
        name: 'height',
        in: 'query',
        description: 'state after this block',
        schema: { type: 'integer', minimum: 0 },
      },
      Timeout: {
        name: 'timeout',
        in: 'query',
        description: 'milliseconds to wait',
        schema: { type: 'integer', minimum: 0, maximum: 60_000 },
      },
    },
    responses: {
      Error: {
        description: 'a refusal with a stable code',
        headers: { 'retry-after': { description: 'seconds, of 429 and 503', schema: { type: 'integer' } } },
        content: json(reference('Error')),
      },
    },
    schemas: {
      Hash: { type: 'string', pattern: '^0x[0-9a-f]{64}$' },
      Error: closed({ error: failure }),
      Certificate: certificateSchema,
      Receipt: receiptSchema(description),
      Results: closed({
        certificates: { type: 'array', items: reference('Certificate') },
        receipts: { type: 'array', items: reference('Receipt') },
      }),
      Readiness: readiness,
    },
  }
}
