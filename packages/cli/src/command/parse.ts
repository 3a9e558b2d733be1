/** Arguments of a command from words, by its table. Every complaint names what came, what was expected, and the help. */
import { parseArgs } from 'node:util'
import { OnusError } from '@onus/protocol/errors'
import { type Command, commonOptions, type Parsed } from './command.js'

export function usageError(message: string, command: string): OnusError {
  return new OnusError('usage', message, { remedy: `see: onus ${command} --help` })
}

/** A word that `parseArgs` would take for options although it is a negative number. */
const negativeNumber = /^-[0-9.]/
const guard = '\u0000'

/** Rejects `usage`. */
export function parseCommand(command: Command, words: readonly string[]): Parsed {
  const options = { ...commonOptions, ...command.options }
  const guarded = words.map((word) => (negativeNumber.test(word) ? guard + word : word))
  const { values, positionals } = parseWords(command, options, guarded)
  const plain = positionals.map((word) => (word.startsWith(guard) ? word.slice(1) : word))
  const flags = new Set<string>()
  const texts = new Map<string, string>()
  for (const [name, value] of Object.entries(values)) {
    if (value === true) flags.add(name)
    else if (typeof value === 'string') texts.set(name, value.startsWith(guard) ? value.slice(1) : value)
  }
  if (!flags.has('help')) checkPositionals(command, plain)
  return { positionals: plain, flags, values: texts }
}

function parseWords(
  command: Command,
  options: Readonly<Record<string, { readonly value?: string }>>,
  words: readonly string[],
): { values: Readonly<Record<string, unknown>>; positionals: readonly string[] } {
  try {
    const types = Object.entries(options).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ])
    return parseArgs({ args: [...words], options: Object.fromEntries(types), allowPositionals: true })
  } catch (error) {
    // Its messages name the option; advice on how to write a value that begins with a dash follows in a second sentence.
    const message = error instanceof Error ? error.message.replaceAll(guard, '').split('. ')[0] : String(error)
    throw usageError(`${message}`, command.name)
  }
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const { positionals, name } = command
  const missing = positionals[given.length]
  if (missing !== undefined && missing.isOptional !== true && missing.isRest !== true)
    throw usageError(`onus ${name} needs ${missing.name}: ${missing.about}`, name)
  const last = positionals[positionals.length - 1]
  if (last?.isRest !== true && given.length > positionals.length)
    throw usageError(`onus ${name} does not take ${JSON.stringify(given[positionals.length])}`, name)
}

/** An option that is an integer; `otherwise` when it is not given. Rejects `usage`. */
export function integerOption(
  parsed: Parsed,
  command: string,
  name: string,
  range: { readonly least: number; readonly most: number; readonly otherwise: number },
): number {
  const text = parsed.values.get(name)
  if (text === undefined) return range.otherwise
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (number >= range.least && number <= range.most) return number
  throw usageError(`--${name}: expected ${range.least} to ${range.most}, got ${JSON.stringify(text)}`, command)
}

/** An option with a few words to choose from; null when it is not given. Rejects `usage`. */
export function choiceOption<const Word extends string>(
  parsed: Parsed,
  command: string,
  name: string,
  words: readonly Word[],
): Word | null {
  const text = parsed.values.get(name)
  if (text === undefined) return null
  const found = words.find((word) => word === text)
  if (found !== undefined) return found
  throw usageError(`--${name}: expected ${words.join(' or ')}, got ${JSON.stringify(text)}`, command)
}
