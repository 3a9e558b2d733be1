/**
 * Calls of the product's own client, one at a time with pauses, as an application makes them: signed within the time
 * that is measured, over the platform's `fetch`, certificate and receipt verified.
 */
import type { Cluster } from '@onus/client/cluster'
import type { ledger } from '../ledger/ledger.interface.js'
import { randomTransfer } from '../ledger/ledgerCalls.js'
import { monotonicMilliseconds, pauseBetweenCalls } from '../load/meter.js'
import type { IdleCall } from './loadMethods.js'

export type LedgerCluster = Cluster<typeof ledger>

/** Calls before the measured ones: the first opens the session, some warm the code. */
const warmCalls = 5

async function callOnce(cluster: LedgerCluster): Promise<IdleCall> {
  const { from, to, amount } = randomTransfer()
  const issued = monotonicMilliseconds()
  const { report } = await cluster.send.transfer(from, to, amount).until('certified')
  const { queued, answered, verified } = report.latency
  const sent = issued + queued
  return { issued, sent, answered: sent + answered, verified: sent + answered + verified }
}

/** Rejects as `cluster.call`. */
export async function runIdleCalls(cluster: LedgerCluster, calls: number): Promise<IdleCall[]> {
  const done: IdleCall[] = []
  for (let i = 0; i < warmCalls + calls; i++) {
    await pauseBetweenCalls()
    const call = await callOnce(cluster)
    if (i >= warmCalls) done.push(call)
  }
  return done
}
