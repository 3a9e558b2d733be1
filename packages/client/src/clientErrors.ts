/**
 * Errors of the client beyond plain rejections: why each node failed, and a call that ended by a certified receipt
 * without a value (`spec/client.md` 5). Codes are stable; texts are for people.
 */
import { OnusError, type RejectionDetails } from '@onus/protocol/errors'
import type { rejectionCode } from '@onus/protocol/receipt'
import type { CallReport } from './reports.js'

/** `dead`: no connection. `slow`: no whole answer in time. `lying`: an answer that fails verification. `refused`: an error. */
export type FailureKind = 'dead' | 'slow' | 'lying' | 'refused'

/** Why one node gave no answer that counts. */
export interface NodeFailure {
  readonly node: string
  readonly kind: FailureKind
  /** Stable code: of the check that failed, of the node's error, or `unreachable`, `deadline`, `http-STATUS`. */
  readonly code: string
  readonly message: string
  /** Whether it speaks of the node or the moment, not of the request: another node, or the same later, may answer. */
  readonly passing: boolean
  /** How long the node asks to be left alone, in milliseconds. */
  readonly retryAfter: number | null
}

function failureLine(failure: NodeFailure): string {
  return `${failure.node} ${failure.kind}: ${failure.code}, ${failure.message}`
}

/** No node gave an answer that counts. Code `no-node`; `failures` says why, for each node in the order asked. */
export class NoNodeError extends OnusError {
  readonly failures: readonly NodeFailure[]

  constructor(request: string, failures: readonly NodeFailure[], details: RejectionDetails = {}) {
    super('no-node', `no node answered ${request}: ${failures.map(failureLine).join('; ')}`, {
      remedy: 'check the URLs of the nodes and that they run this cluster',
      ...details,
    })
    this.failures = failures
  }
}

export type RejectionName = Exclude<keyof typeof rejectionCode, 'none'>

/**
 * A certified receipt that carries no value: `call-trapped` (the call executed, its writes were undone), `expired` (it
 * did not execute and never can) or `call-rejected` (it did not execute; `reason` says why).
 */
export class CallError extends OnusError {
  readonly report: CallReport
  readonly reason: RejectionName | null
  /** What the node that answered says of the trap: the guest's words and where. Not certified. */
  readonly hint: string | null

  constructor(
    code: 'call-trapped' | 'call-rejected' | 'expired',
    message: string,
    report: CallReport,
    reason: RejectionName | null,
    hint: string | null = null,
  ) {
    super(code, hint === null ? message : `${message}; ${report.node} says: ${hint}`)
    this.report = report
    this.reason = reason
    this.hint = hint
  }
}
