/**
 * Errors of a gateway (`spec/gateway.md`): strict reading of the JSON, and what each code means for the next step.
 * An error is a claim of one node; it ends nothing before f+1 nodes made it.
 */
import { utf8Text } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'

export interface GatewayError {
  readonly code: string
  readonly message: string
}

/** Bytes of an answer in JSON. */
export const maximumJsonLength: number = 64 * 1024
const maximumMessage = 1000

/** The object in JSON bytes. Rejects `json-form`. */
export function readJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return readJsonText(utf8Text(bytes))
  } catch (cause) {
    throw new OnusError('json-form', 'expected a JSON object in UTF-8', { cause })
  }
}

/** The object in a JSON text. Rejects `json-form`. */
export function readJsonText(text: string): Readonly<Record<string, unknown>> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new OnusError('json-form', 'expected JSON', { cause })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new OnusError('json-form', 'expected a JSON object')
  return json as Record<string, unknown>
}

/** An unsigned integer of a JSON object. Rejects `json-form`. */
export function integerOf(object: Readonly<Record<string, unknown>>, key: string, most: number): number {
  const value = object[key]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > most)
    throw new OnusError('json-form', `expected ${key} from 0 to ${most}`)
  return value
}

/** The error in an answer, or null where the body is none of a gateway (a proxy's page, garbage). */
export function readGatewayError(bytes: Uint8Array): GatewayError | null {
  try {
    const error = readJsonObject(bytes)['error']
    if (typeof error !== 'object' || error === null) return null
    const { code, message } = error as Record<string, unknown>
    if (typeof code !== 'string' || !/^[a-z0-9-]{1,64}$/.test(code) || typeof message !== 'string') return null
    return { code, message: message.slice(0, maximumMessage) }
  } catch {
    return null
  }
}

/** Statuses that speak of the node or the moment; another node, or the same later, may answer. */
export function isNodeTrouble(status: number): boolean {
  return status === 429 || status >= 500
}
