/** One round of the rival: fresh processes, the load over both transports, the latency at rest. */
import { envelopeBytes } from '../ledger/ledgerCalls.js'
import type { LoadResult } from '../load/meter.js'
import { TaskProcess } from '../system/taskProcess.js'
import { type KvstoreCluster, startKvstore } from './kvstoreCluster.js'
import type { KvstoreMethods } from './loadMethods.js'

export const outstandingTransactions = 400

export interface KvstoreRound {
  readonly http: LoadResult
  readonly websocket: LoadResult
  /** Milliseconds. */
  readonly latencies: readonly number[]
}

export interface KvstorePlan {
  readonly folder: string
  readonly nodes: number
  readonly cometbft: string
  readonly warmSeconds: number
  readonly seconds: number
  readonly idleCalls: number
}

async function measure(
  { rpcPorts, watched, check }: KvstoreCluster,
  load: TaskProcess<KvstoreMethods>,
  { warmSeconds, seconds, idleCalls }: KvstorePlan,
  say: (what: string) => void,
): Promise<KvstoreRound> {
  const outstanding = outstandingTransactions
  const run = { rpcPorts, outstanding, bytes: envelopeBytes, warmSeconds, seconds, watched }
  say('kvstore over HTTP')
  const http = await load.call('run', { ...run, transport: 'http' })
  say('kvstore over WebSocket')
  const websocket = await load.call('run', { ...run, transport: 'websocket' })
  say('kvstore, one at a time')
  const rpcPort = rpcPorts[0] as number
  const latencies = await load.call('idle', { rpcPort, bytes: envelopeBytes, calls: idleCalls })
  check()
  return { http, websocket, latencies }
}

export async function runKvstoreRound(plan: KvstorePlan, say: (what: string) => void): Promise<KvstoreRound> {
  say('starting the kvstore')
  const cluster = await startKvstore(plan.folder, plan.nodes, plan.cometbft)
  const load = new TaskProcess<KvstoreMethods>(new URL('./loadProcess.js', import.meta.url))
  try {
    return await measure(cluster, load, plan, say)
  } finally {
    await load.stop()
    await cluster.stop()
  }
}
