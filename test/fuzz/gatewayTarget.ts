/** A live cluster whose gateways are sent bad input, and what must hold of each answer and of the nodes afterwards. */
import assert from 'node:assert/strict'
import { encodeCall } from '@onus/protocol/interface/call'
import { ledger } from '../e2e/backend/ledger.interface.js'
import { buildLedger } from '../e2e/buildLedger.js'
import { type GatewayReply, post, statusOf } from '../e2e/gatewayClient.js'
import { type LedgerCluster, openClient } from '../e2e/load.js'
import { startCluster, type TestCluster } from '../e2e/testCluster.js'
import { TestSession } from '../e2e/testSession.js'

export const addArgument: Uint8Array = encodeCall(ledger, 'add', [1])

export interface GatewayTarget {
  readonly cluster: TestCluster
  readonly client: LedgerCluster
  /** Of all gateways; `url` is the first. */
  readonly urls: readonly string[]
  readonly url: string
  /** An open session. */
  readonly session: TestSession
  /** Sends an envelope and waits 1.5 s at most for its certificate. */
  submit(bytes: Uint8Array, node?: string): Promise<GatewayReply>
  checkRefused(bytes: Uint8Array, status: number, code: string | RegExp): Promise<void>
  /** Calls go on, no node met a bug, no process ended. */
  checkHealthy(): Promise<void>
  remove(): Promise<void>
}

/** Four nodes over the CometBFT at `cometbft`, with one block. */
export async function openTarget(cometbft: string | null): Promise<GatewayTarget> {
  const cluster = await startCluster({ nodes: 4, module: await buildLedger(), cometbft })
  const urls = cluster.localnet.gatewayUrls
  const url = urls[0] as string
  const client = await openClient(cluster.localnet)
  assert.equal(await client.call.add(1), 1)
  const session = await TestSession.open(cluster.localnet, url)
  const submit = (bytes: Uint8Array, node = url): Promise<GatewayReply> =>
    post(`${node}/v1/envelopes?timeout=1500`, bytes)
  return {
    cluster,
    client,
    urls,
    url,
    session,
    submit,
    async checkRefused(bytes, status, code) {
      const reply = await submit(bytes)
      assert.equal(reply.status, status, `${reply.status} ${reply.code}`)
      if (typeof code === 'string') assert.equal(reply.code, code)
      else assert.match(reply.code ?? '', code)
    },
    async checkHealthy() {
      const { value: counted } = await client.query.count()
      assert.equal(await client.call.add(1), counted + 1)
      for (const [index, node] of urls.entries()) {
        assert.equal((await statusOf(node)).state, 'validating')
        assert.deepEqual(await cluster.logLines(index + 1, 'bug in the gateway'), [])
      }
      assert.deepEqual(cluster.exits, [], 'no process ended')
    },
    async remove() {
      client.close()
      await cluster.remove()
    },
  }
}
