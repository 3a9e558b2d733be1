/** Options of `npm run bench -- cluster`. */
import { parseArgs } from 'node:util'
import { OnusError } from '@onus/protocol/errors'

export const clusterHelp = `Usage: npm run bench -- cluster [OPTIONS]

Certified calls of an Onus cluster beside CometBFT's built-in kvstore, on this machine, in interleaved rounds.
How it is measured and what it costs: docs/guides/benchmarks.md.

Options:
  --rounds N     rounds, each with fresh clusters (default 3; medians need 3)
  --seconds N    length of each measured window (default 5)
  --disk         also measure with the nodes' homes on the disk of the temporary folder; names end in Disk
  --nodes N      nodes of both clusters, 4 to 16 (default 4)
  --json         print one JSON object as the last line

Example:
  npm run bench -- cluster --rounds 3 --seconds 5 --json
`

export interface ClusterOptions {
  readonly rounds: number
  readonly seconds: number
  readonly disk: boolean
  readonly nodes: number
  readonly json: boolean
}

function usage(message: string): OnusError {
  return new OnusError('usage', message, { remedy: 'see npm run bench -- cluster --help' })
}

function integer(name: string, value: string | undefined, otherwise: number, least: number, most: number): number {
  const number = value === undefined ? otherwise : /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= least && number <= most))
    throw usage(`--${name}: expected ${least} to ${most}, got ${JSON.stringify(value)}`)
  return number
}

/** Rejects `usage`. */
export function parseClusterOptions(args: readonly string[]): ClusterOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        nodes: { type: 'string' },
        disk: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    return {
      rounds: integer('rounds', values.rounds, 3, 1, 100),
      seconds: integer('seconds', values.seconds, 5, 1, 600),
      nodes: integer('nodes', values.nodes, 4, 4, 16),
      disk: values.disk,
      json: values.json,
    }
  } catch (error) {
    if (error instanceof OnusError) throw error
    throw usage(error instanceof Error ? error.message : String(error))
  }
}
