/**
 * One of four dead under load (S11, `spec/consensus.md` 10): its power is lowered, calls are as fast as before within
 * 20 s, powers survive the death of all processes, and it gets its power back once its votes are seen.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readNodeFiles } from '@onus/node/nodeConfig'
import { toHex } from '@onus/protocol/bytes'
import { addressOf, publicKeyOf } from '@onus/protocol/signature'
import { buildLedger } from './buildLedger.js'
import { statusOf, untilAtRest, untilStatus } from './gatewayClient.js'
import { checkNewest, checkReceipts } from './invariants.js'
import { openClient } from './load.js'
import { perturb } from './perturb.js'
import { SteadyLoad } from './steadyLoad.js'
import { findCometbft, startCluster, startPatience, type TestCluster } from './testCluster.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const path = 'path' in cometbft ? cometbft.path : null

const dead = 3
const perSecond = 20
const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function powerOf(url: string, address: string): Promise<number | undefined> {
  return (await statusOf(url)).members.find((member) => member.address === address)?.power
}

/** Latency in three windows: before the death, right after it, and from 15 to 20 s after it. */
async function loadOverDeath(cluster: TestCluster, load: SteadyLoad): Promise<{ before: number; after: number }> {
  await wait(3000)
  const start = performance.now()
  await wait(7000)
  const killed = performance.now()
  await cluster.killNode(dead)
  await wait(20_500)
  await load.stop()
  const [before, during, after] = [
    load.quantile(0.5, start, killed),
    load.quantile(0.5, killed, killed + 5000),
    load.quantile(0.5, killed + 15_000, killed + 20_000),
  ]
  const slowest = load.quantile(1, killed, killed + 20_000)
  console.log(
    `one of four dead at ${perSecond} calls/s: p50 before ${before.toFixed(0)} ms, in the first 5 s ` +
      `${during.toFixed(0)} ms (slowest ${slowest.toFixed(0)} ms), after 15 to 20 s ${after.toFixed(0)} ms`,
  )
  return { before, after }
}

describe('one of four dead', { skip, timeout: 240_000 }, () => {
  test('calls are as fast as before within 20 s, and it gets its power back when it returns', async () => {
    const cluster = await startCluster({ nodes: 4, module: await buildLedger(), cometbft: path })
    try {
      const { gatewayUrls, genesis, homes } = cluster.localnet
      const { validatorKey } = await readNodeFiles(homes[dead - 1] as string)
      const address = toHex(addressOf(publicKeyOf(validatorKey)))
      const alive = gatewayUrls.filter((_, index) => index !== dead - 1)
      const client = await openClient(cluster.localnet, { maximumBatch: 1 })
      const load = new SteadyLoad(client, perSecond)
      const { before, after } = await loadOverDeath(cluster, load)
      assert.deepEqual(load.failures, [])
      for (const url of alive) assert.equal(await powerOf(url, address), 1, url)
      assert.ok(after <= 1.5 * before, `p50 ${after} ms is more than 1.5 times ${before} ms`)

      // Powers are kept with the state: all processes die, and the others go on from the lowered power.
      await perturb(cluster, { kind: 'kill-all', node: 1 })
      await wait(500)
      await cluster.ready(startPatience)
      for (const url of alive) assert.equal(await powerOf(url, address), 1, url)
      await client.call.touch()

      await cluster.startNode(dead)
      const again = new SteadyLoad(client, perSecond)
      await untilStatus(gatewayUrls, 'the member has its power back', 60_000, (statuses) =>
        statuses.every(({ members }) => members.every(({ power }) => power === 1000)),
      )
      await again.stop()
      assert.deepEqual(again.failures, [])
      await untilAtRest(gatewayUrls, 60_000)
      await checkNewest(gatewayUrls, genesis)
      const certified = [...load.certified, ...again.certified]
      await checkReceipts(gatewayUrls, genesis, certified.slice(-40))
      const url = gatewayUrls[dead - 1] as string
      assert.equal((await client.at({ node: url }).count()).value, certified.length)
      client.close()
      for (let node = 1; node <= 4; node++)
        assert.deepEqual(await cluster.logLines(node, 'had no turn'), [], 'the rotation is the engine’s')
    } finally {
      await cluster.remove()
    }
  })
})
