/** Options of `npm run bench -- soak`. */
import { parseArgs } from 'node:util'
import { OnusError } from '@onus/protocol/errors'

export const soakHelp = `Usage: npm run bench -- soak [OPTIONS]

Memory of a node with its CometBFT (proportional set size) over minutes of steady load: calls signed one by one, by
sessions that each wait for the certificate. The slope is a least-squares line through the samples after minute 5.

Options:
  --minutes N    length of the load, 6 to 1440 (default 20)
  --sessions N   calls under way at once, 1 to 400 (default 32)
  --json         print one JSON object as the last line

Example:
  npm run bench -- soak --minutes 20 --json
`

export interface SoakOptions {
  readonly minutes: number
  readonly sessions: number
  readonly json: boolean
}

function usage(message: string): OnusError {
  return new OnusError('usage', message, { remedy: 'see npm run bench -- soak --help' })
}

function integer(name: string, value: string, least: number, most: number): number {
  const number = /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= least && number <= most))
    throw usage(`--${name}: expected ${least} to ${most}, got ${JSON.stringify(value)}`)
  return number
}

/** Rejects `usage`. */
export function parseSoakOptions(args: readonly string[]): SoakOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '20' },
        sessions: { type: 'string', default: '32' },
        json: { type: 'boolean', default: false },
      },
    })
    return {
      minutes: integer('minutes', values.minutes, 6, 1440),
      sessions: integer('sessions', values.sessions, 1, 400),
      json: values.json,
    }
  } catch (error) {
    if (error instanceof OnusError) throw error
    throw usage(error instanceof Error ? error.message : String(error))
  }
}
