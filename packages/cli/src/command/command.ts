/**
 * What a command is: a table of its arguments, options and examples, from which parsing, `--help` and the guide are made
 * (`docs/guides/cli.md`), and a function that runs it. A command knows nothing of the process: output goes through `Output`.
 */
import type { Output } from './output.js'

export interface ArgumentSpec {
  readonly name: string
  readonly about: string
  readonly isOptional?: boolean
  /** Takes all that is left, none included. */
  readonly isRest?: boolean
}

export interface OptionSpec {
  /** Word for the value in `--help`; a flag without value has none. */
  readonly value?: string
  readonly about: string
}

export interface Example {
  readonly command: string
  readonly about: string
}

export interface Parsed {
  readonly positionals: readonly string[]
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
}

export interface Context extends Parsed {
  readonly output: Output
  /** Folder from which paths are resolved. */
  readonly folder: string
}

export interface Command {
  readonly name: string
  /** One line. */
  readonly about: string
  /** More lines of `--help`. */
  readonly details?: string
  readonly positionals: readonly ArgumentSpec[]
  readonly options: Readonly<Record<string, OptionSpec>>
  readonly examples: readonly Example[]
  /** Gives the exit code. Throws `OnusError` for what a user can mend. */
  readonly run: (context: Context) => Promise<number>
}

/** Options of every command. */
export const commonOptions: Readonly<Record<string, OptionSpec>> = {
  json: { about: 'print exactly one JSON object on standard output' },
  help: { about: 'print this text' },
}
