/** The command line: `onus COMMAND`, reached by `npm start` with the command `start`. Each command parses its own options. */
import { OnusError } from '@onus/protocol/errors'
import { startCommand, startHelp } from './commands/start.js'

const help = `Usage: onus COMMAND [OPTIONS]

Commands:
  start   run a local cluster with the example backend on real data

onus COMMAND --help tells the options of a command.
`

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args
  if (command === undefined || command === '--help' || command === 'help') {
    process.stdout.write(help)
    return command === undefined ? 1 : 0
  }
  if (command !== 'start')
    throw new OnusError('usage', `there is no command ${JSON.stringify(command)}`, { remedy: 'see onus --help' })
  if (rest.includes('--help')) {
    process.stdout.write(startHelp)
    return 0
  }
  return startCommand(rest)
}

/** What a person sees of a failure: what, and what to do about it. */
function describe(error: unknown): string {
  if (!(error instanceof OnusError)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  return error.remedy === undefined ? error.message : `${error.message}\n  ${error.remedy}`
}

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`✖ ${describe(error)}\n`)
  return 1
})
// Sockets of finished requests may linger; nothing is under way any more.
process.exit()
