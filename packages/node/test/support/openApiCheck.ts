/**
 * An OpenAPI 3.1 document under ajv: the document against the official schema (`openApi31.json`, OpenAPI Initiative,
 * Apache-2.0), and answers of a gateway against the document.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, { schema?: object }>> }>
  >
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, object>>>>
}

export interface OpenApiCheck {
  readonly paths: readonly string[]
  /** Answers that were checked. */
  readonly answers: number
  /** What is wrong with the document; empty if nothing. */
  documentErrors(): string[]
  /** Fails unless the JSON body is what the document says of this request. */
  answer(method: string, url: string, status: number, body: unknown): void
  /** Fails unless `value` fits a schema of the components. */
  schema(name: string, value: unknown): void
}

const schemaFile = new URL('../../../test/support/openApi31.json', import.meta.url)

/** References of a document, all of them inside it. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) =>
    name === '$ref' && typeof member === 'string' ? [member] : references(member),
  )
}

function follow(document: object, reference: string): unknown {
  assert.match(reference, /^#\//)
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document)
}

function matches(path: string, pattern: string): boolean {
  const form = pattern.replace(/\{[^}]+\}/g, '[^/]+').replace(/[.]/g, '\\.')
  return new RegExp(`^${form}$`).test(path)
}

export async function openApiCheck(json: unknown): Promise<OpenApiCheck> {
  const document = json as Document
  const official = JSON.parse(await readFile(schemaFile, 'utf8')) as object
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
  const checkDocument = ajv.compile(official)
  ajv.addSchema({ $id: 'onus:document', components: document.components })
  const compiled = new Map<string, ValidateFunction>()
  const check = (name: string, schema: object, value: unknown): void => {
    const absolute = JSON.parse(
      JSON.stringify(schema).replaceAll('"#/components', '"onus:document#/components'),
    ) as object
    const validate = compiled.get(name) ?? ajv.compile(absolute)
    compiled.set(name, validate)
    assert.ok(validate(value), `${name} does not match: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`)
  }
  let answers = 0
  return {
    paths: Object.keys(document.paths),
    get answers() {
      return answers
    },
    documentErrors() {
      const errors = checkDocument(document) ? [] : (checkDocument.errors ?? []).map((error) => ajv.errorsText([error]))
      // The official schema leaves Schema Objects to JSON Schema's own.
      for (const name of Object.keys(document.components['schemas'] ?? {}))
        ajv.compile({ $ref: `onus:document#/components/schemas/${name}` })
      const lost = references(document).filter((reference) => follow(document, reference) === undefined)
      return [...errors, ...lost]
    },
    answer(method, url, status, body) {
      const path = url.split('?')[0] as string
      const exact = path in document.paths ? path : undefined
      const found = exact ?? Object.keys(document.paths).find((pattern) => matches(path, pattern))
      // What the document does not have must be refused.
      if (found === undefined) return assert.ok(status >= 400, `${path} is not in the document`)
      const operation = document.paths[found]?.[method.toLowerCase()]
      const given = operation?.responses[String(status)] ?? operation?.responses['default']
      assert.ok(given !== undefined, `${method} ${found} has no answer ${status}`)
      const response = (given.$ref === undefined ? given : follow(document, given.$ref)) as typeof given
      const isReadiness = found === '/readyz' && status === 503
      const schema = isReadiness
        ? { $ref: '#/components/schemas/Readiness' }
        : response.content?.['application/json']?.schema
      assert.ok(schema !== undefined, `${method} ${found} ${status} has no JSON`)
      check(`${method} ${found} ${status < 400 ? 200 : 'default'}`, schema, body)
      answers += 1
    },
    schema: (name, value) => check(name, { $ref: `#/components/schemas/${name}` }, value),
  }
}
