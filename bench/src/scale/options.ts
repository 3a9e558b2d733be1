/** Options of `npm run bench -- scale`. */
import { parseArgs } from 'node:util'
import { OnusError } from '@onus/protocol/errors'

export const scaleHelp = `Usage: npm run bench -- scale [OPTIONS]

Certified calls of clusters of 4, 7, 10 and 16 nodes, each node with its CometBFT, all on this machine: what more members
cost. Latency is that of the product's client, from signing to the verified certificate.

Options:
  --nodes LIST   sizes of the clusters, each from 4 to 16 (default 4,7,10,16)
  --calls N      calls of each cluster, signed one by one (default 1000)
  --at-once N    calls under way at once (default 32)
  --json         print one JSON object as the last line

Example:
  npm run bench -- scale --nodes 4,16 --calls 1000 --json
`

export interface ScaleOptions {
  readonly nodes: readonly number[]
  readonly calls: number
  readonly atOnce: number
  readonly json: boolean
}

function usage(message: string): OnusError {
  return new OnusError('usage', message, { remedy: 'see npm run bench -- scale --help' })
}

function integer(name: string, value: string, least: number, most: number): number {
  const number = /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= least && number <= most))
    throw usage(`--${name}: expected ${least} to ${most}, got ${JSON.stringify(value)}`)
  return number
}

/** Rejects `usage`. */
export function parseScaleOptions(args: readonly string[]): ScaleOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        nodes: { type: 'string', default: '4,7,10,16' },
        calls: { type: 'string', default: '1000' },
        'at-once': { type: 'string', default: '32' },
        json: { type: 'boolean', default: false },
      },
    })
    return {
      nodes: [...new Set(values.nodes.split(',').map((size) => integer('nodes', size, 4, 16)))],
      calls: integer('calls', values.calls, 1, 100_000),
      atOnce: integer('at-once', values['at-once'], 1, 1000),
      json: values.json,
    }
  } catch (error) {
    if (error instanceof OnusError) throw error
    throw usage(error instanceof Error ? error.message : String(error))
  }
}
