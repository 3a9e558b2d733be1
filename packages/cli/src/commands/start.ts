/**
 * `onus start` (`npm start`): a local cluster runs the example backend on real data and answers typed, certified calls.
 * Stays up until Ctrl-C, or ends by itself with `--once`.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { connect } from '@onus/client/connect'
import { cities } from '@onus/example-cities/cities.interface'
import { loadCities } from '@onus/example-cities/dataset'
import { createHashing, hashingNote } from '@onus/node/hashing'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { OnusError } from '@onus/protocol/errors'
import {
  type Answered,
  askCities,
  type CallTally,
  type CitiesCluster,
  importCities,
  updateCities,
} from '../demo/citiesDemo.js'
import { type EngineName, type LocalCluster, startLocalCluster } from '../demo/localCluster.js'
import { quantile, rounded } from '../demo/statistics.js'
import { writeSamples } from '../demo/writeSamples.js'
import { createProgress, type Progress } from '../progress.js'
import { openWebSocket } from '../webSocket.js'

export const startHelp = `Usage: npm start -- [OPTIONS]

Runs a local cluster with the example backend "cities", imports 135,233 cities by typed calls, asks it questions, and
verifies every certificate. Stays up until Ctrl-C.

Options:
  --once            end after the run instead of staying up
  --json            print one JSON object as the last line
  --out DIR         also write genesis, members and 100 random certificates with receipts to DIR
  --nodes N         number of nodes, 4 to 16 (default 4)
  --engine NAME     cometbft or embedded (default: CometBFT where Go or a cached build is there)
  --records N       import only the first N cities

Example:
  npm start -- --once --json --out /tmp/run
`

interface StartOptions {
  readonly once: boolean
  readonly json: boolean
  readonly out: string | null
  readonly nodes: number
  readonly engine: EngineName | null
  readonly records: number
}

function usage(message: string): OnusError {
  return new OnusError('usage', message, { remedy: 'see npm start -- --help' })
}

function integerOption(
  name: string,
  value: string | undefined,
  otherwise: number,
  least: number,
  most: number,
): number {
  const number = value === undefined ? otherwise : /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= least && number <= most))
    throw usage(`${name}: expected ${least} to ${most}, got ${JSON.stringify(value)}`)
  return number
}

function parseOptions(args: readonly string[]): StartOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        out: { type: 'string' },
        nodes: { type: 'string' },
        engine: { type: 'string' },
        records: { type: 'string' },
      },
    })
    const { engine } = values
    if (engine !== undefined && engine !== 'cometbft' && engine !== 'embedded')
      throw usage(`--engine: expected cometbft or embedded, got ${JSON.stringify(engine)}`)
    return {
      once: values.once,
      json: values.json,
      out: values.out ?? null,
      nodes: integerOption('--nodes', values.nodes, 4, 4, 16),
      engine: engine ?? null,
      records: integerOption('--records', values.records, 10_000_000, 1, 10_000_000),
    }
  } catch (error) {
    if (error instanceof OnusError) throw error
    throw usage(error instanceof Error ? error.message : String(error))
  }
}

/** Sequential calls that the latency is measured by. */
const sequentialCalls = 200
const samples = 100

interface RunResult {
  readonly records: number
  readonly imported: CallTally
  readonly updated: CallTally
  readonly answers: readonly Answered[]
}

async function run(cluster: CitiesCluster, options: StartOptions, progress: Progress): Promise<RunResult> {
  const records = loadCities().slice(0, options.records)
  const imported = await importCities(cluster, records, progress)
  progress.done(`${records.length} cities imported in ${rounded(imported.seconds)} s`)
  const updated = await updateCities(cluster, records, sequentialCalls, progress)
  progress.done(`${sequentialCalls} calls one at a time, p50 ${rounded(quantile(updated.latencies, 0.5))} ms`)
  const answers = await askCities(cluster)
  return { records: records.length, imported, updated, answers }
}

/** The object of `--json`. Latency is of calls one at a time, throughput of the import (100 cities a call). */
function summaryOf(local: LocalCluster, options: StartOptions, result: RunResult): Record<string, unknown> {
  const { imported, updated, records, answers } = result
  const certified = imported.latencies.length + updated.latencies.length
  const failed = imported.failures.length + updated.failures.length
  return {
    engine: local.engine,
    nodes: options.nodes,
    records,
    calls: certified + failed,
    certified,
    failed,
    p50Ms: rounded(quantile(updated.latencies, 0.5)),
    p99Ms: rounded(quantile(updated.latencies, 0.99)),
    callsPerSecond: rounded(imported.latencies.length / imported.seconds),
    recordsPerSecond: rounded(records / imported.seconds),
    queries: answers.length,
    queryP50Ms: rounded(
      quantile(
        answers.map(({ milliseconds }) => milliseconds),
        0.5,
      ),
    ),
    clusterId: Buffer.from(local.localnet.genesis.clusterId).toString('hex'),
    gateways: local.localnet.gatewayUrls,
  }
}

function report(local: LocalCluster, cluster: CitiesCluster, result: RunResult): string {
  const { imported, updated, answers } = result
  const failures = [...imported.failures, ...updated.failures]
  const lines = [
    '',
    `  cluster ........ ${local.localnet.homes.length} nodes, ${local.engine} engine, block ${cluster.height}`,
    `  import ......... ${result.records} cities in ${imported.latencies.length} certified calls, ${rounded(result.records / imported.seconds)} cities/s, ${rounded(imported.latencies.length / imported.seconds)} calls/s`,
    `  one at a time .. ${updated.latencies.length} calls, p50 ${rounded(quantile(updated.latencies, 0.5))} ms, p99 ${rounded(quantile(updated.latencies, 0.99))} ms from call to verified certificate`,
    ...answers.map(
      ({ question, answer, milliseconds, agreedBy, height }) =>
        `  query .......... ${question} = ${answer} · ${agreedBy} nodes agree at block ${height} · ${rounded(milliseconds)} ms`,
    ),
    `  failed ......... ${failures.length}${failures.length > 0 ? `, the first: ${String(failures[0])}` : ''}`,
    ...(hashingNote === null ? [] : [`  note ........... ${hashingNote}`]),
    ...local.localnet.gatewayUrls.map((url, index) => `  node ${index + 1} ......... ${url}/v1/status`),
    '',
  ]
  return lines.join('\n')
}

/** Resolves at Ctrl-C or a request to end. */
function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}

async function use(local: LocalCluster, options: StartOptions, progress: Progress): Promise<number> {
  const { localnet } = local
  const cluster = await connect({
    genesis: localnet.genesisBytes,
    nodes: localnet.gatewayUrls,
    interface: cities,
    hasher: createHashing(),
    curve: nativeCurve,
    maximumBatch: 8,
    maximumInFlight: 32,
    timeouts: { call: 120_000, request: 30_000 },
    webSocket: openWebSocket,
  })
  try {
    const result = await run(cluster, options, progress)
    process.stdout.write(report(local, cluster, result))
    if (options.out !== null) {
      const transactionIds = [...result.imported.transactionIds, ...result.updated.transactionIds]
      const written = await writeSamples({ folder: options.out, ...localnet, transactionIds, count: samples })
      progress.done(`${written} certificates with receipts written to ${options.out}`)
    }
    if (options.json) process.stdout.write(`${JSON.stringify(summaryOf(local, options, result))}\n`)
    if (!options.once) {
      process.stdout.write('  The cluster stays up; Ctrl-C stops it.\n')
      await untilInterrupted()
      progress.update('stopping')
    }
    return result.imported.failures.length + result.updated.failures.length === 0 ? 0 : 1
  } finally {
    cluster.close()
  }
}

export async function startCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions(args)
  const progress = createProgress()
  const module = await readFile(new URL('../cities.wasm', import.meta.resolve('@onus/example-cities/dataset')))
  const interrupted = untilInterrupted()
  const starting = startLocalCluster({
    nodes: options.nodes,
    engine: options.engine,
    module: new Uint8Array(module),
    progress,
  })
  const local = await starting
  try {
    const ended = interrupted.then(() => 130)
    return await Promise.race([use(local, options, progress), ended])
  } finally {
    await local.stop()
    progress.done('stopped')
  }
}
