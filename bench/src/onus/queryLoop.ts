/** Closed loop of typed queries to one node; every answer is decoded, none is compared with other nodes'. */
import { OnusError } from '@onus/protocol/errors'
import { decodeQueryAnswer } from '@onus/protocol/gatewayMessages'
import { decodeResult } from '@onus/protocol/interface/call'
import { ledger } from '../ledger/ledger.interface.js'
import { encodeBalanceQuery } from '../ledger/ledgerCalls.js'
import { type LoadResult, Meter, pause } from '../load/meter.js'
import { HttpConnection } from '../net/httpConnection.js'
import type { Watched } from '../system/cpuWindow.js'

export interface QueryPlan {
  readonly connections: number
  readonly warmSeconds: number
  readonly seconds: number
  readonly watched: Watched
}

/** Output of a query at the node's newest state. Nothing vouches for it but this node. Rejects `gateway`. */
async function query(connection: HttpConnection): Promise<Uint8Array> {
  const reply = await connection.send('POST', '/v1/queries', 'application/octet-stream', encodeBalanceQuery())
  if (reply.status !== 200)
    throw new OnusError('gateway', `status ${reply.status}: ${Buffer.from(reply.body).toString('utf8')}`)
  const { trapped, output } = decodeQueryAnswer(reply.body)
  if (trapped) throw new OnusError('gateway', 'the query trapped')
  return output
}

export async function runQueryLoop(
  url: string,
  { connections, warmSeconds, seconds, watched }: QueryPlan,
): Promise<LoadResult> {
  const meter = new Meter()
  let isStopping = false
  const ask = async (connection: HttpConnection): Promise<void> => {
    while (!isStopping) {
      const sentAt = performance.now()
      try {
        decodeResult(ledger, 'balance', await query(connection))
        meter.completed(1, performance.now() - sentAt, 0)
      } catch (error) {
        meter.failed(1, error)
        return
      }
    }
  }
  const clients = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(url)))
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
