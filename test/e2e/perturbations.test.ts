/**
 * Networks from `regressions/` whose processes are killed, stopped and paused under load: every certified transaction
 * is there afterwards, none executed twice, all roots equal.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readNodeFiles } from '@onus/node/nodeConfig'
import { toHex } from '@onus/protocol/bytes'
import { addressOf, publicKeyOf } from '@onus/protocol/signature'
import { buildLedger } from './buildLedger.js'
import { untilAtRest } from './gatewayClient.js'
import { checkNewest, checkReceipts } from './invariants.js'
import { openClient, runLoad } from './load.js'
import { readManifest } from './network.js'
import { reportLine, runNetwork } from './runNetwork.js'
import { findCometbft, startCluster } from './testCluster.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const path = 'path' in cometbft ? cometbft.path : null

const networks = [
  ['killNode', 'kill -9 of a node process, and of a CometBFT'],
  ['killTwo', 'kill -9 of all processes of two nodes'],
  ['killAll', 'kill -9 of all eight processes, twice'],
  ['pause', 'SIGSTOP of two nodes, one after the other'],
] as const

describe('perturbations under load', { skip }, () => {
  for (const [name, what] of networks)
    test(`${what} (${name})`, { timeout: 180_000 }, async () => {
      const manifest = await readManifest(name)
      console.log(reportLine(manifest, await runNetwork(manifest, path)))
    })
})

describe('one of four dead', { skip, timeout: 120_000 }, () => {
  test('calls go on without it; it catches up when it comes back', async () => {
    const dead = 4
    const cluster = await startCluster({ nodes: 4, module: await buildLedger(), cometbft: path })
    try {
      const { gatewayUrls, genesis, homes } = cluster.localnet
      const client = await openClient(cluster.localnet)
      const load = { calls: 60, concurrency: 6, signed: 'batched' } as const
      const before = await runLoad([client], { ...load, calls: 6 }, 1, () => undefined)
      await cluster.stopNode(dead)
      const without = await runLoad([client], load, 2, () => undefined)
      assert.deepEqual([...before.failures, ...without.failures], [])
      const { validatorKey } = await readNodeFiles(homes[dead - 1] as string)
      const { report } = await client.send.touch().until('certified')
      assert.ok(!report.certifiedBy.includes(`0x${toHex(addressOf(publicKeyOf(validatorKey)))}`))
      assert.equal(report.certifiedBy.length, 3)

      await cluster.startNode(dead)
      await untilAtRest(gatewayUrls, 60_000)
      await checkNewest(gatewayUrls, genesis)
      await checkReceipts(gatewayUrls, genesis, [...before.certified, ...without.certified])
      const url = gatewayUrls[dead - 1] as string
      assert.equal((await client.at({ node: url }).calls()).value, 67)
      const through = await openClient(cluster.localnet, { nodes: [url] })
      await through.call.touch()
      through.close()
      client.close()
      console.log(
        `60 calls with one of four dead: ${without.seconds.toFixed(1)} s, slowest ${Math.max(...without.latencies).toFixed(0)} ms`,
      )
    } finally {
      await cluster.remove()
    }
  })
})
