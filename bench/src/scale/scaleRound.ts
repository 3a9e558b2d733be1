/**
 * One cluster of the scale benchmark: calls of the product's client, many at once, then one after the other. The calls
 * are what counts; the load source runs in this process, on the cores of the nodes.
 */
import { connect } from '@onus/client/connect'
import { createHashing } from '@onus/node/hashing'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { ledger } from '../ledger/ledger.interface.js'
import { randomTransfer } from '../ledger/ledgerCalls.js'
import { quantile } from '../load/quantile.js'
import { type LedgerCluster, runIdleCalls } from '../onus/idleCalls.js'
import { type ClusterPlan, startOnusCluster } from '../onus/onusCluster.js'
import type { ScaleOptions } from './options.js'

export interface ScaleRound {
  readonly nodes: number
  readonly startSeconds: number
  readonly failed: number
  readonly callsPerSecond: number
  /** Of the calls that were certified, in milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Of single calls with pauses. */
  readonly idleP50: number
  /** Blocks that the calls took. */
  readonly blocks: number
  /** Of all nodes and their engines together after the calls. */
  readonly megabytes: number
}

const clients = 4
const idleCalls = 20
/** With 16 nodes on two cores a block takes seconds. */
const callTimeout = 120_000

interface Load {
  readonly latencies: number[]
  readonly heights: Set<number>
  failed: number
  readonly seconds: number
}

async function runCalls(
  clusters: readonly LedgerCluster[],
  { calls, atOnce }: ScaleOptions,
  progress: (text: string) => void,
): Promise<Load> {
  const load = { latencies: [] as number[], heights: new Set<number>(), failed: 0 }
  const startedAt = performance.now()
  let issued = 0
  const work = async (cluster: LedgerCluster): Promise<void> => {
    while (issued < calls) {
      issued += 1
      const { from, to, amount } = randomTransfer()
      const sentAt = performance.now()
      try {
        const { report } = await cluster.send.transfer(from, to, amount).until('certified')
        load.latencies.push(performance.now() - sentAt)
        load.heights.add(report.height)
      } catch {
        load.failed += 1
      }
      progress(`${load.latencies.length} of ${calls} calls certified`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, (_, index) => work(clusters[index % clients] as LedgerCluster)))
  return { ...load, seconds: (performance.now() - startedAt) / 1000 }
}

/** Rejects `cluster-start`, `node-ended`, and as `connect`. */
export async function runScaleRound(
  plan: ClusterPlan,
  options: ScaleOptions,
  progress: (text: string) => void,
): Promise<ScaleRound> {
  progress(`starting ${plan.nodes} nodes`)
  const cluster = await startOnusCluster(plan)
  const { genesisBytes, gatewayUrls } = cluster.localnet
  const open = (): Promise<LedgerCluster> =>
    connect({
      genesis: genesisBytes,
      nodes: gatewayUrls,
      interface: ledger,
      hasher: createHashing(),
      curve: nativeCurve,
      maximumBatch: 1,
      timeouts: { call: callTimeout, request: callTimeout / 2 },
    })
  try {
    const opened = await Promise.all(Array.from({ length: clients }, open))
    const load = await runCalls(opened, options, progress)
    progress('single calls')
    const idle = await runIdleCalls(opened[0] as LedgerCluster, idleCalls)
    for (const one of opened) one.close()
    cluster.check()
    const { latencies, seconds, failed, heights } = load
    return {
      nodes: plan.nodes,
      startSeconds: cluster.startSeconds,
      failed,
      callsPerSecond: latencies.length / seconds,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      idleP50: quantile(
        idle.map(({ issued, verified }) => verified - issued),
        0.5,
      ),
      blocks: heights.size,
      megabytes: cluster.memory().reduce((sum, bytes) => sum + bytes, 0) / 2 ** 20,
    }
  } finally {
    await cluster.stop()
  }
}
