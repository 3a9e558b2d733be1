/** The benchmarks, reached by `npm run bench -- NAME`. Each parses its own options. */
import { OnusError } from '@onus/protocol/errors'
import { clusterBench } from './cluster/clusterBench.js'
import { scaleBench } from './scale/scaleBench.js'
import { soakBench } from './soak/soakBench.js'

const benchmarks = new Map([
  ['cluster', clusterBench],
  ['scale', scaleBench],
  ['soak', soakBench],
])

const help = `Usage: npm run bench -- NAME [OPTIONS]

Benchmarks:
  cluster   certified calls of a cluster beside CometBFT's kvstore
  scale     certified calls of clusters of 4 to 16 nodes
  soak      memory of a node over many minutes of load

npm run bench -- NAME --help tells the options of a benchmark.
`

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help') {
    process.stdout.write(help)
    return name === undefined ? 2 : 0
  }
  const run = benchmarks.get(name)
  if (run === undefined)
    throw new OnusError('usage', `there is no benchmark ${JSON.stringify(name)}`, { remedy: 'see npm run bench' })
  return run(args)
}

/** What a person sees of a failure: what, and what to do about it. */
function describe(error: unknown): string {
  if (!(error instanceof OnusError)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  return error.remedy === undefined ? error.message : `${error.message}\n  ${error.remedy}`
}

// Ends what runs (`system/atExit.ts`).
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`✖ ${describe(error)}\n`)
  return error instanceof OnusError && error.code === 'usage' ? 2 : 1
})
// Sockets of ended processes may linger; nothing is under way any more.
process.exit()
