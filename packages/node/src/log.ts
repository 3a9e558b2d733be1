/**
 * Logs of a node: one JSON object a line on standard error, for machines first. Every line has `time` (ISO 8601), `level`
 * and `message`; what a caller adds cannot replace these, and whatever it adds, writing a line never fails.
 */

export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

const levels = ['info', 'warn', 'error'] as const
export type LogLevel = (typeof levels)[number]

/** What JSON has no words for: big integers as decimal text, bytes as hexadecimal, errors with their stack. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof Error) return { ...value, message: value.message, stack: value.stack }
  return value
}

function lineOf(head: LogFields, fields: LogFields): string {
  try {
    return JSON.stringify({ ...head, ...fields, ...head }, plain)
  } catch (error) {
    return JSON.stringify({ ...head, unwritable: String(error) })
  }
}

/** Lines below `least` are left out; `context` is part of every line. */
export function createLog(write: (line: string) => void, context: LogFields, least: LogLevel = 'info'): Log {
  const line = (level: LogLevel): Log[LogLevel] => {
    if (levels.indexOf(level) < levels.indexOf(least)) return () => undefined
    return (message, fields = {}) => {
      const head = { time: new Date().toISOString(), level, message }
      write(`${lineOf({ ...head, ...context }, fields)}\n`)
    }
  }
  return { info: line('info'), warn: line('warn'), error: line('error') }
}
