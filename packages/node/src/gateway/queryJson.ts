/**
 * Queries by name in JSON (`spec/gateway.md` 4). The answer is one node's word: whoever has to rely on it asks f+1 nodes
 * for the same height and compares, as the client does.
 */
import { OnusError } from '@onus/protocol/errors'
import { decodeQueryAnswer } from '@onus/protocol/gatewayMessages'
import { decodeResult, encodeCall } from '@onus/protocol/interface/call'
import type { Entry, Interface } from '@onus/protocol/interface/description'
import { argumentsOfJson, type JsonValue, toJsonValue } from '@onus/protocol/interface/jsonValue'
import { checkJsonSize } from './resultsJson.js'

/** Rejects `no-such-entry` and `entry-not-query`. */
export function queryNamed(description: Interface, name: string): Entry {
  const entry = description.entries.find((candidate) => candidate.name === name)
  const queries = description.entries.filter(({ kind }) => kind === 'query').map((query) => query.name)
  if (entry === undefined)
    throw new OnusError('no-such-entry', `no query ${name.slice(0, 80)}`, {
      remedy: `ask one of ${queries.slice(0, 50).join(', ')}`,
    })
  if (entry.kind !== 'query')
    throw new OnusError('entry-not-query', `${name} may change the state, so it is called by a signed envelope`, {
      remedy: 'sign a call and POST it to /v1/envelopes',
    })
  return entry
}

/** Request bytes of a query with JSON arguments. Rejects `argument-…`. */
export function queryRequest(description: Interface, entry: Entry, json: unknown): Uint8Array {
  return encodeCall(description, entry.name, argumentsOfJson(description, entry, json ?? []))
}

export interface JsonAnswer {
  /** The state after this block was read. */
  readonly height: number
  readonly value: JsonValue
}

/** Rejects `json-too-large`, and `result-form` where the answer is not of the described type. */
export function queryAnswerJson(description: Interface, entry: Entry, bytes: Uint8Array, most: number): JsonAnswer {
  checkJsonSize(bytes.length, most)
  const { height, output } = decodeQueryAnswer(bytes)
  if (entry.result === null) return { height, value: null }
  try {
    const value: unknown = decodeResult(description, entry.name, output)
    return { height, value: toJsonValue(description, entry.result, value) }
  } catch (cause) {
    if (!(cause instanceof OnusError)) throw cause
    throw new OnusError('result-form', `${entry.name} answered what is not of its type: ${cause.message}`, { cause })
  }
}
