/** Closed loop of typed queries to one node; every answer is decoded, none is compared with other nodes'. */
import { decodeResult } from '@onus/protocol/interface/call'
import { ledger } from '../ledger/ledger.interface.js'
import { encodeBalanceQuery } from '../ledger/ledgerCalls.js'
import { type LoadResult, Meter, pause } from '../load/meter.js'
import type { Watched } from '../system/cpuWindow.js'
import type { CertificateCache } from './certificateCache.js'
import { GatewayClient } from './gatewayClient.js'

export interface QueryPlan {
  readonly connections: number
  readonly warmSeconds: number
  readonly seconds: number
  readonly watched: Watched
}

export async function runQueryLoop(
  url: string,
  certificates: CertificateCache,
  { connections, warmSeconds, seconds, watched }: QueryPlan,
): Promise<LoadResult> {
  const meter = new Meter()
  let isStopping = false
  const ask = async (client: GatewayClient): Promise<void> => {
    while (!isStopping) {
      const sentAt = performance.now()
      try {
        decodeResult(ledger, 'balance', await client.query(encodeBalanceQuery()))
        meter.completed(1, performance.now() - sentAt, 0)
      } catch (error) {
        meter.failed(1, error)
        return
      }
    }
  }
  const clients = await Promise.all(Array.from({ length: connections }, () => GatewayClient.open(url, certificates)))
  try {
    const ended = Promise.all(clients.map(ask))
    await pause(warmSeconds * 1000)
    meter.open(watched)
    await pause(seconds * 1000)
    const result = meter.close()
    isStopping = true
    await ended
    return result()
  } finally {
    for (const client of clients) client.close()
  }
}
