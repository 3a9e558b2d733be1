/** One round of Onus: a fresh cluster, every measure after the other, and the proof that the ledger still adds up. */

import { OnusError } from '@onus/protocol/errors'
import { totalBalance } from '../ledger/ledgerCalls.js'
import type { LoadResult } from '../load/meter.js'
import { quantile } from '../load/quantile.js'
import { TaskProcess } from '../system/taskProcess.js'
import type { IdleCall, LoadMethods, SignedLoadResult } from './loadMethods.js'
import { type ClusterPlan, type OnusCluster, startOnusCluster } from './onusCluster.js'

/** As many calls under way as the rival has transactions. */
export const singleSessions = 2000
/** 100 calls each: 4,000 calls under way. */
export const batchSessions = 40
export const callsPerBatch = 100
const queryConnections = 64
/**
 * Of the first load of a fresh cluster: V8 compiles what becomes hot in 16 threads of four processes. Measured with two
 * cores: a call costs a quarter less CPU after 8 s than after 2 s, and no less after 30 s.
 */
export const firstWarmSeconds = 8

export interface RoundLengths {
  readonly warmSeconds: number
  readonly seconds: number
  readonly idleCalls: number
}

export interface OnusRound {
  readonly startSeconds: number
  /** Milliseconds. */
  readonly latencies: readonly number[]
  readonly signed: SignedLoadResult
  readonly batched: SignedLoadResult
  readonly queries: LoadResult
  /** Of the largest node with its CometBFT, after the load. */
  readonly pairBytes: number
}

export type OnusLoad = TaskProcess<LoadMethods>

export function startOnusLoad(): OnusLoad {
  return new TaskProcess<LoadMethods>(new URL('./loadProcess.js', import.meta.url))
}

export function latencyOf({ issued, verified }: IdleCall): number {
  return verified - issued
}

/** Rejects `ledger-total` when money came or went. */
export async function checkLedger(load: OnusLoad): Promise<void> {
  const total = await load.call('total', null)
  if (total !== totalBalance)
    throw new OnusError('ledger-total', `the balances add up to ${total} instead of ${totalBalance}`)
}

async function measure(
  cluster: OnusCluster,
  load: OnusLoad,
  lengths: RoundLengths,
  say: (what: string) => void,
): Promise<OnusRound> {
  const { localnet, watched, startSeconds } = cluster
  const { genesisBytes: genesis, gatewayUrls } = localnet
  const { idleCalls, ...times } = lengths
  say('opening sessions')
  await load.call('open', { genesis, gatewayUrls, sessions: singleSessions })
  say('calls signed alone')
  const signed = await load.call('run', {
    sessions: singleSessions,
    callsPerEnvelope: 1,
    ...times,
    warmSeconds: firstWarmSeconds,
    watched,
  })
  say('calls one at a time')
  const latencies = (await load.call('idle', { calls: idleCalls })).map(latencyOf)
  say('queries')
  const queries = await load.call('query', { connections: queryConnections, ...times, watched })
  say('100 calls a signature')
  const batch = { sessions: batchSessions, callsPerEnvelope: callsPerBatch, ...times, watched }
  const batched = await load.call('run', batch)
  const pairBytes = quantile(cluster.memory(), 1)
  await checkLedger(load)
  cluster.check()
  return { startSeconds, latencies, signed, batched, queries, pairBytes }
}

export async function runOnusRound(
  plan: ClusterPlan,
  lengths: RoundLengths,
  say: (what: string) => void,
): Promise<OnusRound> {
  say('starting nodes')
  const cluster = await startOnusCluster(plan)
  const load = startOnusLoad()
  try {
    return await measure(cluster, load, lengths, say)
  } catch (error) {
    // That a node ended says more than what its clients saw of it.
    cluster.check()
    throw error
  } finally {
    await load.stop()
    await cluster.stop()
  }
}
