/**
 * Execution as a weapon (S10) against a live cluster: calls that never end, take all memory, all stack or too many
 * pages are certified traps or typed refusals, and the cluster goes on. And a cluster at rest makes no blocks (S13).
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CallError } from '@onus/client/clientErrors'
import { verifyResults } from '@onus/client/verifyResults'
import { banEnvelope } from '@onus/node/bannedEnvelopes'
import { createHashing } from '@onus/node/hashing'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { envelopeKey } from '@onus/node/worker/transactionPool'
import { fromHex } from '@onus/protocol/bytes'
import { Certificate, decodeCertificate } from '@onus/protocol/certificate'
import { OnusError } from '@onus/protocol/errors'
import { encodeCall } from '@onus/protocol/interface/call'
import { rejectionCode } from '@onus/protocol/receipt'
import { ledger } from './backend/ledger.interface.js'
import { buildLedger } from './buildLedger.js'
import { post, statusOf, untilAtRest } from './gatewayClient.js'
import { type LedgerCluster, openClient } from './load.js'
import { findCometbft, startCluster, type TestCluster } from './testCluster.js'
import { TestSession } from './testSession.js'

const hashing = createHashing()
const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false

/** Fails unless `call` ends as a certified trap that charged its whole gas limit. */
async function checkTrap(call: Promise<unknown>, gasLimit: number): Promise<string> {
  const started = performance.now()
  const error = await call.then(
    () => assert.fail('it should trap'),
    (cause: unknown) => cause,
  )
  assert.ok(error instanceof CallError, String(error))
  assert.equal(error.code, 'call-trapped')
  assert.equal(error.report.gasUsed, gasLimit)
  assert.ok(error.report.certifiedBy.length >= 3)
  return `${(performance.now() - started).toFixed(0)} ms`
}

describe('execution as a weapon', { skip, timeout: 180_000 }, () => {
  let cluster: TestCluster
  let client: LedgerCluster
  let limits: { readonly callGas: number; readonly blockGas: number; readonly envelopeBytes: number }

  before(async () => {
    const path = 'path' in cometbft ? cometbft.path : null
    cluster = await startCluster({ nodes: 4, module: await buildLedger(), cometbft: path })
    client = await openClient(cluster.localnet)
    limits = cluster.localnet.genesis.limits
    assert.equal(await client.call.add(1), 1)
  })

  after(async () => {
    client?.close()
    await cluster?.remove()
  })

  /** A call next to the hostile one: it must be certified all the same. */
  async function checkGoingOn(): Promise<void> {
    const { value: counted } = await client.query.count()
    assert.equal(await client.call.add(1), counted + 1)
    for (const url of cluster.localnet.gatewayUrls) assert.equal((await statusOf(url)).state, 'validating')
    assert.deepEqual(cluster.exits, [], 'no process ended')
  }

  for (const [name, attack] of [
    ['an endless loop', (target: LedgerCluster) => target.call.spin()],
    ['a stack bomb', (target: LedgerCluster) => target.call.recurse(0xffffffff)],
    ['a memory bomb of many objects', (target: LedgerCluster) => target.call.hoard()],
    ['a memory bomb that grows at once', (target: LedgerCluster) => target.call.balloon()],
    ['a call that adds before it traps', (target: LedgerCluster) => target.call.addAndTrap(1000)],
  ] as const)
    test(`${name} is a certified trap that leaves nothing`, async () => {
      const { value: counted } = await client.query.count()
      console.log(`${name}: certified as a trap after ${await checkTrap(attack(client), limits.callGas)}`)
      assert.equal((await client.query.count()).value, counted)
      await checkGoingOn()
    })

  test('many endless loops at once hold up nobody for long', async () => {
    const other = await openClient(cluster.localnet)
    const started = performance.now()
    const loops = Array.from({ length: 8 }, () => checkTrap(client.call.spin(), limits.callGas))
    const values = await Promise.all([other.call.add(1), other.call.add(1)])
    const elapsed = performance.now() - started
    assert.equal((values[1] as number) - (values[0] as number), 1)
    await Promise.all(loops)
    other.close()
    console.log(
      `two calls beside 8 endless loops: ${elapsed.toFixed(0)} ms; all: ${(performance.now() - started).toFixed(0)} ms`,
    )
    await checkGoingOn()
  })

  test('a call that writes many pages is executed; one that writes more than a block may is refused', async () => {
    const started = performance.now()
    assert.equal(await client.call.scribble(2000), 2000)
    console.log(`2,000 dirty pages: ${(performance.now() - started).toFixed(0)} ms`)
    const other = await openClient(cluster.localnet, { timeouts: { call: 20_000 } })
    const refused = await other.call.scribble(9000).catch((error: unknown) => error)
    other.close()
    assert.ok(refused instanceof OnusError, String(refused))
    assert.equal(refused.code, 'too-large')
    await checkGoingOn()
  })

  test('an endless query ends with its gas, and calls do not wait for it', async () => {
    const query = client.query.spinQuery().catch((error: unknown) => error)
    await checkGoingOn()
    const error = await query
    assert.ok(error instanceof OnusError, String(error))
    assert.equal(error.code, 'query-trapped')
  })

  test('envelopes beyond the limits of a block or a call are refused before anything is spent', async () => {
    const url = cluster.localnet.gatewayUrls[0] as string
    const session = await TestSession.open(cluster.localnet, url)
    const add = encodeCall(ledger, 'add', [1])
    const send = async (calls: Parameters<TestSession['sign']>[0]): Promise<[number, string | null]> => {
      const { status, code } = await post(`${url}/v1/envelopes`, session.sign(calls).bytes)
      return [status, code]
    }
    assert.deepEqual(await send([session.callOf(add, { gasLimit: limits.callGas + 1 })]), [400, 'gas-limit'])
    assert.deepEqual(await send([session.callOf(add, { gasLimit: 0 })]), [400, 'gas-limit'])
    const spin = encodeCall(ledger, 'spin', [])
    const greedy = [0, 1, 2].map((more) =>
      session.callOf(spin, { counter: session.nextCounter + more, gasLimit: limits.callGas }),
    )
    assert.ok(3 * limits.callGas > limits.blockGas)
    assert.deepEqual(await send(greedy), [413, 'too-large'], 'what it uses together fits into no block')
    const { status, code } = await post(`${url}/v1/envelopes`, new Uint8Array(limits.envelopeBytes + 1))
    assert.deepEqual([status, code], [413, 'too-large'])
    assert.deepEqual(await send([session.callOf(add)]), [200, null])
    await checkGoingOn()
  })

  test('a call that waits for an earlier one costs few blocks, and is proved to have ended when it expires', async () => {
    const { gatewayUrls } = cluster.localnet
    const url = gatewayUrls[0] as string
    const session = await TestSession.open(cluster.localnet, url)
    await untilAtRest(gatewayUrls, 30_000)
    const add = encodeCall(ledger, 'add', [1])
    const expiry = { height: session.moment.height + 1000, time: Date.now() + 5000 }
    const waiting = session.sign([session.callOf(add, { counter: session.nextCounter + 1, expiry })])
    const { height } = await statusOf(url)
    const { code } = await post(`${url}/v1/envelopes?timeout=4000`, waiting.bytes)
    assert.equal(code, 'not-yet-certified')
    const passed = (await statusOf(url)).height - height
    console.log(`${passed} blocks in 4 s while a call waits for an earlier one`)
    // Each member's turn at once, then one every 400 ms and the rounds of wakes that crossed; unpaced it is over a hundred.
    assert.ok(passed >= 2 && passed <= 30, `block time goes on, and slowly: ${passed} blocks`)
    await untilAtRest(gatewayUrls, 15_000)
    const { genesis } = cluster.localnet
    for (const gateway of gatewayUrls) {
      const { status, bytes } = await post(`${gateway}/v1/envelopes`, waiting.bytes)
      assert.equal(status, 200, 'every node has the certified rejection')
      const admit = (one: Uint8Array): Certificate =>
        Certificate.verify(hashing, nativeCurve, decodeCertificate(one), genesis)
      const [proved] = verifyResults(admit, bytes, [fromHex(waiting.id)])
      assert.equal(proved?.receipt.rejection, rejectionCode.expired)
    }
    // The session goes on with the counter that was never used.
    assert.equal((await post(`${url}/v1/envelopes`, session.sign([session.callOf(add)]).bytes)).status, 200)
  })

  test('an envelope under which a worker died is not taken again by that node, and executed when another proposes it', async () => {
    const [banning, other] = cluster.localnet.gatewayUrls as [string, string]
    const session = await TestSession.open(cluster.localnet, banning)
    const { bytes, id } = session.add(1)
    await cluster.stopNode(1)
    await banEnvelope(cluster.localnet.homes[0] as string, envelopeKey(bytes))
    await cluster.startNode(1)
    const refused = await post(`${banning}/v1/envelopes`, bytes)
    assert.deepEqual([refused.status, refused.code], [409, 'poisoned'])
    assert.equal((await post(`${other}/v1/envelopes`, bytes)).status, 200)
    await untilAtRest(cluster.localnet.gatewayUrls, 30_000)
    const known = await post(`${banning}/v1/envelopes`, bytes)
    assert.equal(known.status, 200, `the banning node executed ${id} like the others`)
  })

  test('a cluster at rest makes no blocks', async () => {
    await untilAtRest(cluster.localnet.gatewayUrls, 30_000)
    // The application hash of the last block may still want one block that proves it.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const height = await untilAtRest(cluster.localnet.gatewayUrls, 30_000)
    await new Promise((resolve) => setTimeout(resolve, 5000))
    const after = await untilAtRest(cluster.localnet.gatewayUrls, 30_000)
    assert.ok(after - height <= 1, `${after - height} blocks in 5 s of rest`)
    await checkGoingOn()
  })
})
