/** The command line: `onus COMMAND`. `npm start` is the command `start`, which parses its own options. */
import { OnusError } from '@onus/protocol/errors'
import { commandHelp, overallHelp } from './command/help.js'
import { nearestWord } from './command/nearestWord.js'
import { createOutput, errorJson, failureText } from './command/output.js'
import { parseCommand } from './command/parse.js'
import { commands } from './commands/all.js'
import { startCommand, startHelp } from './commands/start.js'

function unknownCommand(word: string): OnusError {
  const nearest = nearestWord(
    word,
    commands.map(({ name }) => name),
  )
  return new OnusError('usage', `there is no command ${JSON.stringify(word)}`, {
    remedy: nearest === null ? 'see onus --help' : `did you mean: onus ${nearest}? See onus --help`,
  })
}

async function runStart(words: readonly string[]): Promise<number> {
  if (!words.includes('--help')) return startCommand(words)
  process.stdout.write(startHelp)
  return 0
}

async function run(words: readonly string[]): Promise<number> {
  const [word, ...rest] = words
  if (word === undefined || word === '--help' || word === 'help') {
    process.stdout.write(overallHelp(commands))
    return word === undefined ? 1 : 0
  }
  if (word === 'start') return runStart(rest)
  const command = commands.find(({ name }) => name === word)
  if (command === undefined) throw unknownCommand(word)
  const parsed = parseCommand(command, rest)
  if (parsed.flags.has('help')) {
    process.stdout.write(commandHelp(command))
    return 0
  }
  return command.run({ ...parsed, output: createOutput(parsed.flags.has('json')), folder: process.cwd() })
}

const words = process.argv.slice(2)

/** 2 for wrong usage of a command; `onus start` and words that are no command end with 1 as any failure. */
function exitCodeOf(error: unknown): number {
  const isUsage = error instanceof OnusError && error.code === 'usage'
  return isUsage && commands.some(({ name }) => name === words[0]) ? 2 : 1
}

process.exitCode = await run(words).catch((error: unknown) => {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  if (words.includes('--json') && words[0] !== 'start') process.stdout.write(`${JSON.stringify(errorJson(error))}\n`)
  else process.stderr.write(`${failureText(error)}\n`)
  return exitCodeOf(error)
})
// Sockets of finished requests may linger; nothing is under way any more.
process.exit()
