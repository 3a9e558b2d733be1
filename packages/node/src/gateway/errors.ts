/** HTTP status of each error code of the gateway (`spec/gateway.md`); a code not listed is the sender's mistake: 400. */
import type { OnusError } from '@onus/protocol/errors'

const statusOfCode: Readonly<Record<string, number>> = {
  'signature-wrong': 401,
  'not-admitted': 403,
  'no-such-entry': 404,
  'no-such-event': 404,
  'unknown-transaction': 404,
  'unknown-block': 404,
  'session-unknown': 404,
  'counter-used': 409,
  'counter-gap': 409,
  'slot-taken': 409,
  useless: 409,
  poisoned: 409,
  expired: 410,
  'cursor-gone': 410,
  'height-gone': 410,
  'too-large': 413,
  'json-too-large': 413,
  'query-trapped': 422,
  'result-form': 502,
  busy: 429,
  'session-quota': 429,
  'rate-limited': 429,
  'too-many-streams': 429,
  'not-ready': 503,
  dissenting: 503,
  'worker-died': 503,
  'not-yet-certified': 504,
  'height-ahead': 504,
  'cursor-ahead': 504,
}

export function httpStatusOf(error: OnusError): number {
  return statusOfCode[error.code] ?? 400
}

/** The JSON body of an error. */
export function errorBody(error: Pick<OnusError, 'code' | 'message' | 'remedy' | 'path'>): string {
  const { code, message, remedy, path } = error
  return JSON.stringify({ error: { code, message, remedy, path } })
}
