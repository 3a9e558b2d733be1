/**
 * What an executing node knows of a trap (`spec/interface.md` 5.3): the guest's own words and where it happened. One
 * node's word, not certified: a receipt says only that a call trapped.
 */

export interface TrapHint {
  readonly message: string
  /** The innermost first, such as `add (assembly/backend.ts:12:5)`. */
  readonly trace: readonly string[]
}

const maximumMessage = 1000
const maximumFrames = 32

/** The first line, and the lines behind it that begin with four spaces and `at` or `in`. */
export function trapHint(detail: string): TrapHint {
  const [message = '', ...lines] = detail.split('\n')
  const trace = lines.filter((line) => /^ {4}(at|in) /.test(line)).map((line) => line.slice(7, 300))
  return { message: message.slice(0, maximumMessage), trace: trace.slice(0, maximumFrames) }
}
