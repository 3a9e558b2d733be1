import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CallError, NoNodeError } from '@onus/client/clientErrors'
import type { Cluster } from '@onus/client/cluster'
import { connect } from '@onus/client/connect'
import type { ConnectOptions } from '@onus/client/settings'
import { OnusError } from '@onus/protocol/errors'
import { addressOf, publicKeyOf } from '@onus/protocol/signature'
import { decodeEnvelope, envelopeKind } from '@onus/protocol/transaction'
import { testKey } from './fakeChain.js'
import { FakeCluster } from './fakeCluster.js'
import { notes } from './notes.js'

type Options = Partial<ConnectOptions<typeof notes>>

function open(fake: FakeCluster, options: Options = {}): Promise<Cluster<typeof notes>> {
  return connect({
    genesis: fake.chain.genesisBytes,
    nodes: fake.urls(),
    interface: notes,
    fetch: fake.fetch,
    account: testKey(1, 9),
    timeouts: { request: 3000, call: 20_000, hedge: 200 },
    ...options,
  })
}

function callsOf(fake: FakeCluster): number[] {
  const distinct = new Map(fake.posted().map(({ body }) => [Buffer.from(body).toString('hex'), body]))
  return [...distinct.values()]
    .map(decodeEnvelope)
    .filter(({ kind }) => kind === envelopeKind.accountCalls || kind === envelopeKind.sessionKeyCalls)
    .map(({ transactions }) => transactions.length)
}

describe('calls', () => {
  test('resolve to the certified result, with a report', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    assert.equal(await cluster.call.add('milk'), 0)
    const sent = cluster.send.add('eggs')
    const id = await sent.id
    const { value, report } = await sent.until('certified')
    assert.equal(value, 1)
    assert.equal(report.transactionId, id)
    assert.equal(report.height, fake.chain.height)
    assert.deepEqual(
      report.certifiedBy,
      fake.chain.keys.map((key) => `0x${Buffer.from(addressOf(publicKeyOf(key))).toString('hex')}`),
    )
    assert.deepEqual([report.round, report.gasUsed], [0, 123])
    assert.ok(fake.urls().includes(report.node))
    assert.ok(report.latency.total >= report.latency.queued && report.latency.verified > 0)
    assert.equal(cluster.height, fake.chain.height)
    assert.deepEqual(cluster.evidence, [])
    cluster.close()
  })

  test('of one tick share one signature; many envelopes are on their way at once', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake, { maximumBatch: 16 })
    const values = await Promise.all(Array.from({ length: 50 }, (_, index) => cluster.call.add(`note ${index}`)))
    assert.deepEqual(values, [...values.keys()])
    assert.deepEqual(callsOf(fake), [16, 16, 16, 2])
    assert.equal(fake.chain.notes.length, 50)
    cluster.close()
  })

  test('with maximumBatch 1 are signed alone, in order', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake, { maximumBatch: 1 })
    const values = await Promise.all(Array.from({ length: 20 }, (_, index) => cluster.call.add(`note ${index}`)))
    assert.deepEqual(values, [...values.keys()])
    assert.deepEqual(callsOf(fake), new Array(20).fill(1))
    cluster.close()
  })

  test('that trap reject with a certified fact, and the session goes on', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    const outcomes = await Promise.allSettled([cluster.call.add('a'), cluster.call.fail(), cluster.call.add('b')])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    const error = (outcomes[1] as PromiseRejectedResult).reason
    assert.ok(error instanceof CallError)
    assert.equal(error.code, 'call-trapped')
    assert.equal(error.report.certifiedBy.length, 4)
    assert.equal(await cluster.call.add('c'), 2)
    cluster.close()
  })

  test('with wrong arguments, or too large, are not sent', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    const before = fake.requests.length
    await assert.rejects(cluster.call.add(7 as unknown as string), { code: 'argument-type' })
    await assert.rejects(cluster.call.add('x'.repeat(100_000)), { code: 'too-large' })
    assert.throws(() => cluster.send.add('x'.repeat(100_000)), { code: 'too-large' })
    assert.equal(fake.requests.length, before)
    cluster.close()
  })

  test('end when the client is closed', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('a')
    fake.isRunning = false
    const pending = cluster.call.add('b')
    setTimeout(() => cluster.close(), 20)
    await assert.rejects(pending, { code: 'closed' })
    await assert.rejects(cluster.call.add('c'), { code: 'closed' })
  })

  test('of many clients that are told the same slot all find one', async () => {
    const fake = new FakeCluster({ members: 4 })
    const clusters = await Promise.all(
      Array.from({ length: 5 }, (_, index) => open(fake, { account: testKey(index, 8) })),
    )
    const values = await Promise.all(clusters.map((cluster) => cluster.call.add('x')))
    assert.deepEqual(values.sort(), [0, 1, 2, 3, 4])
    assert.equal(fake.chain.sessions.size, 5)
    for (const cluster of clusters) cluster.close()
  })
})

describe('a session', () => {
  test('is exported and imported, and goes on at the counter that f+1 nodes name', async () => {
    const fake = new FakeCluster({ members: 4 })
    const first = await open(fake)
    assert.equal(first.exportSession(), null)
    await first.call.add('a')
    const session = first.exportSession()
    assert.ok(session !== null)
    await first.call.add('b')
    first.close()
    const second = await open(fake, { session: JSON.parse(JSON.stringify(session)) })
    assert.equal(await second.call.add('c'), 2)
    assert.equal(fake.chain.sessions.size, 1)
    second.close()
  })

  test('that is gone is replaced', async () => {
    const fake = new FakeCluster({ members: 4 })
    const gone = {
      slot: 9,
      generation: 0,
      key: Buffer.from(testKey(3, 3)).toString('hex'),
      byWallet: false,
      closes: { height: 1000, time: 2 ** 42 },
      nextCounter: 5,
    }
    const cluster = await open(fake, { session: gone })
    assert.equal(await cluster.call.add('a'), 0)
    cluster.close()
    await assert.rejects(open(fake, { session: { ...gone, slot: -1 } }), { code: 'session-form' })
  })

  test('is replaced before it closes', async () => {
    const fake = new FakeCluster({ members: 4, limits: { sessionBlocks: 20, expiryBlocks: 8 } })
    const cluster = await open(fake)
    for (let index = 0; index < 40; index++) assert.equal(await cluster.call.add('x'), index)
    assert.ok(fake.chain.sessions.size >= 2)
    cluster.close()
  })
})

describe('connect', () => {
  test('refuses a genesis that the id does not commit to, wrong options, and a cluster that nobody runs', async () => {
    const fake = new FakeCluster({ members: 4 })
    const other = { ...fake.chain.genesis, startGas: 5 }
    await assert.rejects(open(fake, { genesis: other }), { code: 'cluster-id' })
    await assert.rejects(open(fake, { genesis: fake.chain.genesisBytes.subarray(1) }), OnusError)
    await assert.rejects(open(fake, { nodes: [] }), { code: 'node-url' })
    await assert.rejects(open(fake, { nodes: ['ftp://x'] }), { code: 'node-url' })
    await assert.rejects(open(fake, { maximumBatch: 0 }), { code: 'option-range' })
    await assert.rejects(open(fake, { maximumBatch: 1025 }), { code: 'option-range' })
    await assert.rejects(open(fake, { gasLimit: 2 ** 40 }), { code: 'option-range' })
    await assert.rejects(open(fake, { account: new Uint8Array(32) }), { code: 'account-key' })
    const nobody = await open(fake, { fetch: () => Promise.reject(new TypeError('refused')) }).catch((error) => error)
    assert.ok(nobody instanceof NoNodeError)
    assert.deepEqual(nobody.failures.map(({ node, kind, code }) => `${node} ${kind} ${code}`).sort(), [
      'http://node0 dead unreachable',
      'http://node1 dead unreachable',
      'http://node2 dead unreachable',
      'http://node3 dead unreachable',
    ])
  })
})
