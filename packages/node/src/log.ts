/** Logs of a node: one JSON object a line on standard error, for machines first. */

export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export function createLog(write: (line: string) => void, context: LogFields): Log {
  const line =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...context, ...fields })}\n`)
  return { info: line('info'), warn: line('warn'), error: line('error') }
}
