/**
 * Nodes with a deliberately wrong machine (S1). One of four is never certified and the rest goes on; three of four are
 * certified (that is beyond what a quorum can survive), but never with a signature of the fourth, which keeps the
 * evidence and stays readable as dissenting.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { CometbftRpc } from '@onus/node/engines/cometbft/rpc'
import { readNodeFiles } from '@onus/node/nodeConfig'
import { type Dissent, Store } from '@onus/node/store/store'
import { equalBytes, toHex } from '@onus/protocol/bytes'
import { Certificate, decodeCertificate } from '@onus/protocol/certificate'
import { blockIdFlag } from '@onus/protocol/commit'
import { headerHash } from '@onus/protocol/header'
import { decodeManifest, manifestOfSeal } from '@onus/protocol/manifest'
import { addressOf, nobleCurve, publicKeyOf } from '@onus/protocol/signature'
import { buildLedger } from './buildLedger.js'
import { post, request, statusOf, untilAtRest, untilStatus } from './gatewayClient.js'
import { fetchReceipt } from './invariants.js'
import { openClient } from './load.js'
import { compareChains, readStoredChain } from './storedChain.js'
import { findCometbft, startCluster, type TestCluster } from './testCluster.js'
import { hashing, TestSession } from './testSession.js'
import { votersFor } from './votes.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const path = 'path' in cometbft ? cometbft.path : null
const restPatience = 30_000

async function addressOfNode(cluster: TestCluster, node: number): Promise<Uint8Array> {
  const { validatorKey } = await readNodeFiles(cluster.localnet.homes[node - 1] as string)
  return addressOf(publicKeyOf(validatorKey)).slice()
}

async function rpcOf(cluster: TestCluster, node: number): Promise<CometbftRpc> {
  const { config } = await readNodeFiles(cluster.localnet.homes[node - 1] as string)
  return new CometbftRpc(config.cometbft.rpcPort, 5000, cluster.localnet.genesis.limits.blockBytes)
}

/** Calls that a lie does not touch, until the member at `address` is the next to propose. */
async function untilNextProposer(cluster: TestCluster, address: Uint8Array): Promise<void> {
  const { gatewayUrls, genesis } = cluster.localnet
  const order = genesis.validators.validators.map((member) => toHex(member.address))
  const client = await openClient(cluster.localnet)
  const rpc = await rpcOf(cluster, 1)
  try {
    for (let attempt = 0; attempt < 12; attempt++) {
      await client.call.touch()
      const height = await untilAtRest(gatewayUrls, restPatience)
      const { header, commit } = await rpc.commit(height)
      // In later rounds others than the next in order propose; such a height tells nothing.
      const last = order.indexOf(toHex(header.proposerAddress))
      if (commit.round === 0 && order[(last + 1) % order.length] === toHex(address)) return
    }
    assert.fail('the liar is never the next proposer')
  } finally {
    rpc.close()
    client.close()
  }
}

describe('one liar of four', { skip, timeout: 120_000 }, () => {
  const liar = 2

  test('its proposals are refused, and the cluster goes on without it', async () => {
    const cluster = await startCluster({ nodes: 4, module: await buildLedger(), liars: [liar - 1], cometbft: path })
    try {
      const { gatewayUrls, genesis } = cluster.localnet
      const honest = gatewayUrls.filter((_, index) => index !== liar - 1)
      const address = await addressOfNode(cluster, liar)
      const session = await TestSession.open(cluster.localnet, honest[0] as string)
      await untilNextProposer(cluster, address)

      // Given to the liar, so that the block that it proposes next holds this call.
      const { bytes, id } = session.add(5)
      const asked = post(`${gatewayUrls[liar - 1]}/v1/envelopes?timeout=1`, bytes)
      const { status } = await request(`${honest[0]}/v1/receipts/${id}?timeout=20000`)
      assert.equal(status, 200, 'the call is certified all the same')
      await asked
      const { receipt, certificate } = await fetchReceipt(honest[0] as string, genesis, id)
      assert.deepEqual([...receipt.output], [5, 0, 0, 0], 'with the honest result')
      assert.ok(certificate.round >= 1, 'the first round failed')
      assert.notDeepEqual(certificate.header.proposerAddress, address, 'another member proposed it')
      const refusals = await Promise.all([1, 3, 4].map((node) => cluster.logLines(node, 'refused a proposal')))
      assert.ok(
        refusals.flat().some((line) => line.includes('result-differs')),
        'honest nodes say why they refused',
      )

      const client = await openClient(cluster.localnet)
      const values = await Promise.all(Array.from({ length: 20 }, () => client.call.add(1)))
      assert.deepEqual(
        values,
        [...values].sort((a, b) => a - b),
      )
      assert.equal(values.at(-1), 25)
      client.close()
      await untilAtRest(honest, restPatience)
      const lying = await statusOf(gatewayUrls[liar - 1] as string)
      assert.equal(lying.state, 'dissenting', 'the liar finds the others wrong')
      for (const url of honest) assert.equal((await statusOf(url)).state, 'validating')

      await cluster.stop()
      const chains = await Promise.all(
        cluster.localnet.homes.filter((_, index) => index !== liar - 1).map(readStoredChain),
      )
      compareChains(chains, new Map([[id, certificate.manifest.height]]))
    } finally {
      await cluster.remove()
    }
  })
})

/** Everything that must hold of the evidence that the honest node has on disk. */
async function checkDissent(cluster: TestCluster, node: number, height: number): Promise<Dissent> {
  const { homes, genesis } = cluster.localnet
  const store = new Store(join(homes[node - 1] as string, 'store'))
  try {
    const { dissent, position } = store
    assert.ok(dissent !== null && position !== null)
    assert.equal(dissent.height, height)
    assert.ok(dissent.certificate !== null)
    const certificate = Certificate.verify(hashing, nobleCurve, decodeCertificate(dissent.certificate), genesis)
    assert.equal(toHex(headerHash(hashing, certificate.header)), toHex(dissent.blockHash))
    const own = await addressOfNode(cluster, node)
    assert.ok(!certificate.signers.some((signer) => equalBytes(signer, own)), 'it did not sign the wrong block')
    assert.equal(certificate.signers.length, 3)

    const sealed = decodeManifest(manifestOfSeal(dissent.items[0] as Uint8Array))
    assert.ok(dissent.ownManifest !== null)
    const ownManifest = decodeManifest(dissent.ownManifest)
    assert.equal(toHex(ownManifest.previousManifest), toHex(sealed.previousManifest))
    assert.equal(toHex(ownManifest.blockDataReference), toHex(sealed.blockDataReference))
    assert.notEqual(toHex(ownManifest.receiptsRoot), toHex(sealed.receiptsRoot), 'the outputs differ')

    // The parent state: what the wrong block was executed on.
    assert.equal(position.height, height - 1)
    assert.equal(toHex(position.chain.manifestHash), toHex(sealed.previousManifest))
    return dissent
  } finally {
    await store.close()
  }
}

describe('three liars of four', { skip, timeout: 180_000 }, () => {
  const honest = 3
  const liars = [1, 2, 4]

  test('the fourth never signs, keeps the evidence, and stays readable as dissenting', async () => {
    const module = await buildLedger()
    const cluster = await startCluster({ nodes: 4, module, liars: liars.map((node) => node - 1), cometbft: path })
    try {
      const { gatewayUrls, genesis, homes } = cluster.localnet
      const url = gatewayUrls[honest - 1] as string
      const own = await addressOfNode(cluster, honest)
      const client = await openClient(cluster.localnet)
      const before = await client.send.touch().until('certified')
      await untilAtRest(gatewayUrls, restPatience)
      const stateBefore = (await client.at({ node: url }).calls()).value
      assert.equal(stateBefore, 1)

      // Three of four sign a wrong output: certified, and wrong. A quorum of liars is what `disputes.md` is for.
      const wrong = await client.send.add(6).until('certified')
      assert.equal(wrong.value, 7)
      const { height } = wrong.report
      assert.ok(!wrong.report.certifiedBy.includes(`0x${toHex(own)}`))
      const [status] = await untilStatus([url], 'dissent', restPatience, ([one]) => one?.state === 'dissenting')
      assert.ok((status?.signed?.refused['signer-not-executed'] ?? 0) >= 1, 'its signer was asked, and refused')

      const checkReadable = async (): Promise<void> => {
        assert.equal((await statusOf(url)).state, 'dissenting')
        assert.equal((await statusOf(url)).dissent, height)
        assert.equal((await client.at({ node: url }).calls()).value, 1, 'reads see the state before the wrong block')
        const { certificate } = await fetchReceipt(url, genesis, before.report.transactionId)
        assert.equal(certificate.manifest.height, before.report.height)
        assert.equal((await request(`${url}/v1/receipts/${wrong.report.transactionId}`)).code, 'unknown-transaction')
        const session = await TestSession.plan(cluster.localnet, url)
        const refused = await post(`${url}/v1/envelopes`, session.opening().bytes)
        assert.deepEqual([refused.status, refused.code], [503, 'dissenting'])
        assert.ok(refused.headers.has('retry-after'))
      }
      await checkReadable()
      const { node } = await cluster.pids(honest)
      assert.ok(node !== null)
      process.kill(node, 'SIGKILL')
      await untilStatus([url], 'the node is back', restPatience, ([one]) => one?.state === 'dissenting')
      await checkReadable()
      await cluster.stopNode(honest)
      await cluster.startNode(honest)
      await checkReadable()

      // The liars go on among themselves; the commits that they keep have no vote of the fourth for their blocks.
      await client.call.add(1)
      await untilAtRest(
        liars.map((liar) => gatewayUrls[liar - 1] as string),
        restPatience,
      )
      for (const liar of liars) {
        const rpc = await rpcOf(cluster, liar)
        const { commit } = await rpc.commit(height)
        rpc.close()
        const vote = commit.signatures.find(({ address }) => equalBytes(address, own))
        assert.notEqual(vote?.flag, blockIdFlag.commit)
      }
      client.close()
      await cluster.stop()
      const { blockHash } = await checkDissent(cluster, honest, height)
      const voters = new Set<string>()
      for (const home of homes) for (const voter of await votersFor(home, blockHash)) voters.add(voter)
      const liarAddresses = await Promise.all(liars.map((liar) => addressOfNode(cluster, liar)))
      assert.deepEqual([...voters].sort(), liarAddresses.map(toHex).sort(), 'votes for the wrong block in all logs')
    } finally {
      await cluster.remove()
    }
  })
})
