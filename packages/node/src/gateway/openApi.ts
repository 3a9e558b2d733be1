/**
 * The OpenAPI 3.1 document of a gateway (`spec/gateway.md` 3), made from the interface of its backend: the routes, and
 * for each query its path, its arguments and its value. Calls of entries are signed envelopes, so of an entry there are
 * the schemas of its arguments, result and of the events beside it.
 */
import type { Entry, Interface } from '@onus/protocol/interface/description'
import { fixedPaths, fixedSchemas } from './openApiFixed.js'
import type { GatewaySettings } from './settings.js'
import { definitionSchemas, objectSchema, type Schema, typeSchema } from './typeSchema.js'

const reference = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })

/** Arguments by name, or in order. */
function argumentsSchema(entry: Entry): Schema {
  const list = {
    type: 'array',
    prefixItems: entry.params.map(([, type]) => typeSchema(type)),
    items: false,
    minItems: mandatoryCount(entry),
  }
  // An empty `prefixItems` is no schema.
  const { prefixItems, ...none } = list
  return { oneOf: [objectSchema(entry.params), prefixItems.length === 0 ? none : list] }
}

/** Parameters up to the last that is no option. */
function mandatoryCount({ params }: Entry): number {
  let count = params.length
  for (; count > 0; count--) {
    const type = params[count - 1]?.[1]
    if (type === undefined || typeof type === 'string' || !('option' in type)) break
  }
  return count
}

function resultSchema({ result }: Entry): Schema {
  return result === null ? { type: 'null' } : typeSchema(result)
}

function entrySchemas(entry: Entry): [string, Schema][] {
  const { name, kind, doc } = entry
  const described = doc === undefined ? {} : { description: doc }
  return [
    [`${kind}.${name}.arguments`, { ...argumentsSchema(entry), ...described }],
    [`${kind}.${name}.result`, resultSchema(entry)],
  ]
}

function answerSchema(name: string): Schema {
  return {
    type: 'object',
    properties: {
      height: { type: 'integer', description: 'the state after this block was read' },
      manifestHash: { oneOf: [{ type: 'null' }, reference('Hash')] },
      value: reference(`query.${name}.result`),
    },
    required: ['height', 'manifestHash', 'value'],
    additionalProperties: false,
  }
}

function queryPath(entry: Entry): Schema {
  const { name, doc } = entry
  const schema = reference(`query.${name}.arguments`)
  const responses = {
    200: {
      description: 'the answer of this node, not certified',
      content: { 'application/json': { schema: answerSchema(name) } },
    },
    default: { $ref: '#/components/responses/Error' },
  }
  const common = { tags: ['queries'], ...(doc === undefined ? {} : { description: doc }), responses }
  const height = { $ref: '#/components/parameters/Height' }
  const args = { name: 'args', in: 'query', content: { 'application/json': { schema } } }
  const isAsked = mandatoryCount(entry) > 0
  const body = { required: isAsked, content: { 'application/json': { schema } } }
  return {
    get: { ...common, operationId: `get_${name}`, parameters: [height, { ...args, required: isAsked }] },
    post: { ...common, operationId: `post_${name}`, parameters: [height], requestBody: body },
  }
}

function eventSchemas(description: Interface): [string, Schema][] {
  return (description.events ?? []).map((event) => {
    const described = event.doc === undefined ? {} : { description: event.doc }
    return [`event.${event.name}`, { ...objectSchema(event.fields), ...described }]
  })
}

/** The document as plain JSON. */
export function openApiDocument(description: Interface, settings: GatewaySettings): Schema {
  const queries = description.entries.filter(({ kind }) => kind === 'query')
  return {
    openapi: '3.1.1',
    info: {
      title: 'Gateway of an Onus node',
      version: '1',
      description:
        'Nothing that a gateway says is believed: verify certificates and receipts, and compare queries of f+1 nodes. Integers of 64 bits and more are decimal strings, bytes are hexadecimal behind 0x, maps are lists of pairs.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: {
      ...fixedPaths(settings),
      ...Object.fromEntries(queries.map((query) => [`/v1/queries/${query.name}`, queryPath(query)])),
    },
    components: {
      ...fixedSchemas(description),
      schemas: {
        ...(fixedSchemas(description)['schemas'] as Schema),
        ...definitionSchemas(description),
        ...Object.fromEntries(description.entries.flatMap(entrySchemas)),
        ...Object.fromEntries(eventSchemas(description)),
      },
    },
  }
}
