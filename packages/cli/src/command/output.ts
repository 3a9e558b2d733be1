/**
 * Where a command writes: values on standard output, everything else on standard error. With `--json` standard output
 * gets exactly one object, whatever happens; an error is `{ "error": { code, message, remedy } }`.
 */
import { BuildError } from '@onus/assemblyscript/transform/problems'
import { OnusError } from '@onus/protocol/errors'
import { createProgress, type Progress } from '../progress.js'

export interface Output {
  readonly isJson: boolean
  readonly progress: Progress
  /** A line for people on standard output; with `--json` nothing. */
  line(text: string): void
  /** A value for scripts on standard output, and what is to be known of it beside it or on standard error. */
  value(text: string, note: string): void
  /** The object of `--json`; without it nothing. */
  result(json: Readonly<Record<string, unknown>>): void
  /** A line on standard error. */
  note(text: string): void
}

const silent: Progress = { update: () => undefined, done: () => undefined, clear: () => undefined }
const valueColumn = 6

export function createOutput(isJson: boolean): Output {
  const { stdout, stderr } = process
  return {
    isJson,
    progress: isJson ? silent : createProgress(),
    line: (text) => {
      if (!isJson) stdout.write(`${text}\n`)
    },
    value: (text, note) => {
      if (isJson) return
      if (stdout.isTTY && stderr.isTTY && !text.includes('\n')) stdout.write(`${text.padEnd(valueColumn)} ${note}\n`)
      else {
        stdout.write(`${text}\n`)
        stderr.write(`${note}\n`)
      }
    },
    result: (json) => {
      if (isJson) stdout.write(`${JSON.stringify(json)}\n`)
    },
    note: (text) => void stderr.write(`${text}\n`),
  }
}

/** What a person sees of a failure: what, and what to do about it. A bug keeps its stack. */
export function describeError(error: unknown): string {
  if (!(error instanceof OnusError)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const { message, remedy } = error
  // An argument's remedy stands in the sentence already.
  return remedy === undefined || message.includes(remedy) ? message : `${message}\n  ${remedy}`
}

/** The failure as it is printed: a mark before each, also before each problem of a build. */
export function failureText(error: unknown): string {
  const text = describeError(error)
  return error instanceof BuildError ? text.replaceAll(/^(?! )/gm, '✖ ') : `✖ ${text}`
}

/** The object of a failure for `--json`. */
export function errorJson(error: unknown): { readonly error: Readonly<Record<string, unknown>> } {
  if (!(error instanceof OnusError)) return { error: { code: 'internal', message: describeError(error) } }
  const { code, message, remedy } = error
  return { error: remedy === undefined ? { code, message } : { code, message, remedy } }
}
