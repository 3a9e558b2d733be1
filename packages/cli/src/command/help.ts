/** Help texts, made from the tables of the commands. */
import { type Command, commonOptions } from './command.js'

const column = 22

function row(left: string, right: string): string {
  return `  ${left.padEnd(column)} ${right}`
}

function usageOf({ name, positionals, options }: Command): string {
  const words = positionals.map(({ name: word, isOptional, isRest }) => {
    if (isRest === true) return `[${word} …]`
    return isOptional === true ? `[${word}]` : word
  })
  return ['onus', name, ...words, ...(Object.keys(options).length > 0 ? ['[OPTIONS]'] : [])].join(' ')
}

export function commandHelp(command: Command): string {
  const { about, details, positionals, options, examples } = command
  const optionRows = Object.entries({ ...options, ...commonOptions }).map(([name, spec]) =>
    row(spec.value === undefined ? `--${name}` : `--${name} ${spec.value}`, spec.about),
  )
  const blocks = [
    `Usage: ${usageOf(command)}`,
    details === undefined ? about : `${about}\n\n${details}`,
    positionals.length === 0
      ? null
      : `Arguments:\n${positionals.map((argument) => row(argument.name, argument.about)).join('\n')}`,
    `Options:\n${optionRows.join('\n')}`,
    `Examples:\n${examples.map(({ command: line, about: what }) => `  ${line}\n      ${what}`).join('\n')}`,
  ]
  return `${blocks.filter((block) => block !== null).join('\n\n')}\n`
}

export function overallHelp(commands: readonly Command[]): string {
  return `Usage: onus COMMAND [ARGUMENTS] [OPTIONS]

Real-time backends that answer for every result.

Commands:
${commands.map(({ name, about }) => row(name, about)).join('\n')}

onus COMMAND --help tells arguments, options and examples. A first backend:

  onus new notes
  cd notes && npx onus dev
`
}
