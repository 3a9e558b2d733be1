/**
 * The three kinds of failure (`docs/adr/0001-failures.md`): an outcome is a value in a receipt, a rejection of
 * untrusted input is an `OnusError` with a stable code, a bug is an `assert`.
 */

/** Where a rejection arose and what would mend it; every text is for people, only `code` is for programs. */
export interface RejectionDetails {
  /** What would make it work, as an instruction. */
  readonly remedy?: string
  /** Path of the offending value inside the input, such as `calls[3].counter`. */
  readonly path?: string
  readonly cause?: unknown
}

/** A rejection of untrusted input. `code` is stable across versions; `message` says what was expected and what came. */
export class OnusError extends Error {
  override readonly name = 'OnusError'
  readonly code: string
  readonly remedy: string | undefined
  readonly path: string | undefined

  constructor(code: string, message: string, details: RejectionDetails = {}) {
    super(
      details.path === undefined ? message : `${details.path}: ${message}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.code = code
    this.remedy = details.remedy
    this.path = details.path
  }
}

/** A bug of ours: the process must not go on with state it does not understand. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws an `AssertionError` unless `condition` holds. For invariants, never for input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}
