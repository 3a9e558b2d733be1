/** A refusal that tells when to come back: the gateway answers it with `retry-after`. */
import { OnusError, type RejectionDetails } from '@onus/protocol/errors'

export class LaterError extends OnusError {
  /** Milliseconds. */
  readonly retryAfter: number
  /** The limit that was met, for the header `ratelimit`; null where there is none of its own. */
  readonly limit: { readonly name: string; readonly burst: number; readonly perSecond: number } | null

  constructor(
    code: string,
    message: string,
    retryAfter: number,
    limit: LaterError['limit'] = null,
    details: RejectionDetails = {},
  ) {
    super(code, message, details)
    this.retryAfter = retryAfter
    this.limit = limit
  }
}
