/**
 * What a test run left out: one row per suite and reason, with how to get it. With --require-all a row is a failure,
 * unless its reason begins with `nightly:` in a run that is not nightly.
 */
import { capabilities } from '../capabilities.mjs'

const nightlyPrefix = 'nightly:'

/** How to get what a reason such as `needs go: no compiler` lacks. */
function remedyOf(reason) {
  const needed = /^needs ([a-z]+)\b/.exec(reason)?.[1]
  if (needed !== undefined && Object.hasOwn(capabilities, needed)) return capabilities[needed].how
  if (reason.startsWith(nightlyPrefix)) return 'npm run test:nightly'
  return reason === '' ? 'the test gives no reason: see its source' : 'see the reason'
}

/** A row for something whole: `count` tests or files, named `what`. */
export function rowOf(what, reason, count) {
  return { what, reason, how: remedyOf(reason), count }
}

/** Rows for skipped tests of one suite, grouped by reason. */
export function rowsOfSkips(suiteName, skips) {
  const byReason = new Map()
  for (const skip of skips) byReason.set(skip.reason, [...(byReason.get(skip.reason) ?? []), skip])
  return [...byReason].map(([reason, group]) => {
    const names = group.slice(0, 3).map(({ name }) => name)
    const more = group.length > names.length ? `, and ${group.length - names.length} more` : ''
    return rowOf(`${suiteName}: ${names.join(', ')}${more}`, reason, group.length)
  })
}

/** Whether --require-all lets this row pass. */
export function isExcused(row, nightly) {
  return !nightly && row.reason.startsWith(nightlyPrefix)
}

/** The table "not run: what, why, how to get it", as lines. */
export function notRunTable(rows) {
  if (rows.length === 0) return []
  const cells = [['what', 'why', 'how to get it'], ...rows.map(({ what, reason, how }) => [what, reason, how])]
  const widths = [0, 1].map((column) => Math.min(60, Math.max(...cells.map((row) => row[column].length))))
  const lines = cells.map(([what, why, how]) => `  ${what.padEnd(widths[0])}  ${why.padEnd(widths[1])}  ${how}`)
  return ['', 'Not run', ...lines]
}
