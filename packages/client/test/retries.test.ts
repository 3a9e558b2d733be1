import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CallError, NoNodeError } from '@onus/client/clientErrors'
import type { Cluster } from '@onus/client/cluster'
import { connect } from '@onus/client/connect'
import type { ConnectOptions } from '@onus/client/settings'
import { encodeResults } from '@onus/protocol/gatewayMessages'
import { domainOfGenesis } from '@onus/protocol/genesis'
import { nobleHasher } from '@onus/protocol/hash'
import { nobleCurve } from '@onus/protocol/signature'
import { decodeEnvelope, encodeEnvelope, envelopeKind, signEnvelope } from '@onus/protocol/transaction'
import { testKey } from './fakeChain.js'
import { type Behaviour, binary, errorResponse, FakeCluster, type FakeRequest, pause } from './fakeCluster.js'
import { notes } from './notes.js'

const account = testKey(1, 9)

function open(fake: FakeCluster, options: Partial<ConnectOptions<typeof notes>> = {}): Promise<Cluster<typeof notes>> {
  return connect({
    genesis: fake.chain.genesisBytes,
    nodes: fake.urls(),
    interface: notes,
    fetch: fake.fetch,
    account,
    timeouts: { request: 1000, call: 20_000, hedge: 100 },
    ...options,
  })
}

function isCall(request: FakeRequest): boolean {
  return request.path.startsWith('/v1/envelopes') && (request.body[0] ?? 0) < 0x10
}

function onAll(fake: FakeCluster, behaviour: Behaviour): void {
  for (const node of fake.chain.keys.keys()) fake.behaviours.set(node, behaviour)
}

/** A second envelope with the first one's calls: what a proposer may do with it. */
function copyOf(fake: FakeCluster, bytes: Uint8Array, expiry: { height: number; time: number }): Uint8Array {
  const transactions = decodeEnvelope(bytes).transactions.map((one) => ({ ...one, expiry }))
  const domain = domainOfGenesis(fake.chain.genesis)
  return encodeEnvelope(signEnvelope(nobleHasher, nobleCurve, domain, envelopeKind.accountCalls, transactions, account))
}

describe('a lost answer', () => {
  test('is asked for again with the same bytes elsewhere, and the call executes once', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    const seen = new Set<string>()
    onAll(fake, async (request, honest) => {
      const response = await honest()
      const body = Buffer.from(request.body).toString('hex')
      if (!isCall(request) || seen.has(body)) return response
      seen.add(body)
      throw new TypeError('connection reset')
    })
    const values = []
    for (let index = 0; index < 6; index++) values.push(await cluster.call.add(`${index}`))
    assert.deepEqual(values, [0, 1, 2, 3, 4, 5])
    for (const count of fake.chain.executions.values()) assert.equal(count, 1)
    assert.equal(seen.size, 6)
    cluster.close()
  })

  test('of an execution that other nodes call counter-used ends in the receipt', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('a')
    let first = true
    onAll(fake, async (request, honest) => {
      if (!isCall(request)) return honest()
      if (!first) return errorResponse(409, 'counter-used')
      first = false
      await honest()
      throw new TypeError('connection reset')
    })
    const sent = cluster.send.add('b')
    assert.equal((await sent.until('certified')).value, 1)
    assert.equal(fake.chain.notes.length, 2)
    cluster.close()
  })

  test('of a random kind under load loses and repeats nothing', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake, { maximumBatch: 4, timeouts: { request: 200, call: 20_000, hedge: 50 } })
    let seed = 12345
    const random = (): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return seed / 2 ** 32
    }
    onAll(fake, async (request, honest) => {
      const dice = random()
      if (!isCall(request)) return honest()
      if (dice < 0.1) throw new TypeError('never arrived')
      if (dice < 0.15) return errorResponse(429, 'busy')
      if (dice < 0.2) return errorResponse(503, 'not-ready')
      const response = await honest()
      if (dice < 0.3) throw new TypeError('lost')
      if (dice < 0.35) await pause(400)
      return response
    })
    const calls = Array.from({ length: 60 }, (_, index) => {
      const call = cluster.call.add(`note ${index}`)
      return index % 7 === 0 ? pause(5).then(() => call) : call
    })
    const values = await Promise.all(calls)
    assert.deepEqual(values, [...values.keys()])
    assert.deepEqual(
      fake.chain.notes.map(({ text }) => text),
      values.map((index) => `note ${index}`),
    )
    for (const count of fake.chain.executions.values()) assert.equal(count, 1)
    cluster.close()
  })
})

describe('a certified rejection', () => {
  test('counterUsed of a copy does not hide the execution', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('a')
    // Three nodes answer with the genuine receipt of a second, rejected copy; one knows the execution.
    onAll(fake, async (request, honest) => {
      const response = await honest()
      if (!isCall(request)) return response
      fake.chain.produce([request.body])
      const block = fake.chain.blocks[fake.chain.blocks.length - 1]
      if (block === undefined) return response
      return binary(encodeResults({ certificates: [block.certificate], receipts: [...block.receipts] }))
    })
    const { value, report } = await cluster.send.add('b').until('certified')
    assert.equal(value, 1)
    assert.ok(report.height < fake.chain.height)
    cluster.close()
  })

  test('counterUsed by another call of the same session is told, and the session goes on', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('a')
    let isFirst = true
    onAll(fake, async (request, honest) => {
      if (isCall(request) && isFirst) {
        isFirst = false
        // Somebody else with the key was faster; a proposer then includes both.
        const { transactions } = decodeEnvelope(request.body)
        const expiry = transactions[0]?.expiry ?? { height: 0, time: 0 }
        fake.chain.produce([copyOf(fake, request.body, { ...expiry, time: expiry.time - 1 })])
        fake.chain.produce([request.body])
        return fake.results(fake.chain.idsOf(decodeEnvelope(request.body))) ?? errorResponse(504, 'not-yet-certified')
      }
      return honest()
    })
    const error = await cluster.call.add('b').catch((caught) => caught)
    assert.ok(error instanceof CallError)
    assert.deepEqual([error.code, error.reason], ['call-rejected', 'counterUsed'])
    assert.equal(await cluster.call.add('c'), 2)
    cluster.close()
  })

  test('counterGap is signed again under the same counter', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake, { maximumBatch: 1 })
    await cluster.call.add('a')
    let isFirst = true
    onAll(fake, async (request, honest) => {
      const { transactions } = isCall(request) ? decodeEnvelope(request.body) : { transactions: [] }
      const [call] = transactions
      if (call?.type === 'call' && call.counter === 2 && isFirst) {
        isFirst = false
        fake.chain.produce([request.body])
      }
      if (call?.type === 'call' && call.counter === 1) await pause(30)
      return honest()
    })
    assert.deepEqual(await Promise.all([cluster.call.add('b'), cluster.call.add('c')]), [1, 2])
    assert.equal(isFirst, false)
    cluster.close()
  })
})

describe('when nobody answers', () => {
  test('the error names every node and the reason', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake, { timeouts: { request: 400, call: 3000, hedge: 50 } })
    await cluster.call.add('a')
    onAll(fake, async ({ node }) => {
      if (node === 0) return new Promise(() => undefined)
      throw new TypeError('refused')
    })
    const error = await cluster.call.add('b').catch((caught) => caught)
    assert.ok(error instanceof NoNodeError)
    assert.equal(error.code, 'no-node')
    assert.deepEqual(error.failures.map(({ node, kind }) => `${node} ${kind}`).sort(), [
      'http://node0 slow',
      'http://node1 dead',
      'http://node2 dead',
      'http://node3 dead',
    ])
    assert.match(error.remedy ?? '', /may still execute up to block/)
    // When they are back, the next call carries the doubtful one to its end first.
    fake.behaviours.clear()
    const next = await cluster.call.add('c')
    assert.deepEqual(
      fake.chain.notes.map(({ text }) => text),
      ['a', 'b', 'c'],
    )
    assert.equal(next, 2)
    cluster.close()
  })

  test('a call waits for nodes that come back', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    onAll(fake, () => Promise.reject(new TypeError('refused')))
    setTimeout(() => fake.behaviours.clear(), 300)
    assert.equal(await cluster.call.add('a'), 0)
    cluster.close()
  })

  test('a slow node is overtaken by another', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake, { timeouts: { request: 5000, call: 9000, hedge: 60 } })
    await cluster.call.add('a')
    for (const node of [0, 1, 2]) fake.behaviours.set(node, () => new Promise(() => undefined))
    const startedAt = performance.now()
    assert.equal(await cluster.call.add('b'), 1)
    assert.ok(performance.now() - startedAt < 4000)
    cluster.close()
  })

  test('f+1 equal refusals end a call, one does not', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('a')
    const refuse: Behaviour = async (request, honest) =>
      isCall(request) ? errorResponse(404, 'no-such-entry') : honest()
    fake.behaviours.set(0, refuse)
    for (let index = 1; index < 5; index++) assert.equal(await cluster.call.add('b'), index)
    onAll(fake, refuse)
    await assert.rejects(cluster.call.add('c'), { code: 'no-such-entry' })
    fake.behaviours.clear()
    assert.equal(await cluster.call.add('d'), 5)
    cluster.close()
  })

  test('a batch too large for a block is halved under the same counters', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    onAll(fake, async (request, honest) =>
      isCall(request) && decodeEnvelope(request.body).transactions.length > 3
        ? errorResponse(413, 'too-large')
        : honest(),
    )
    const values = await Promise.all(Array.from({ length: 10 }, (_, index) => cluster.call.add(`${index}`)))
    assert.deepEqual(values, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    cluster.close()
  })
})

describe('expiry', () => {
  test('a call that nobody included rejects expired, and its counter is used by the next', async () => {
    const fake = new FakeCluster({ members: 4, limits: { expiryBlocks: 5 } })
    const cluster = await open(fake)
    await cluster.call.add('a')
    const other = await open(fake, { account: testKey(4, 4) })
    onAll(fake, async (request, honest) => {
      if (!isCall(request)) return honest()
      const [call] = decodeEnvelope(request.body).transactions
      return call?.session.slot === 0 && call.expiry.height <= 9 ? errorResponse(504, 'not-yet-certified') : honest()
    })
    const pending = cluster.send.add('b')
    await pending.id
    for (let index = 0; index < 12; index++) await other.call.add('x')
    await assert.rejects(pending.until('certified'), { code: 'expired' })
    assert.equal(typeof (await cluster.call.add('c')), 'number')
    assert.equal(fake.chain.sessions.get(0)?.nextCounter, 2)
    assert.ok(fake.chain.notes.every(({ text }) => text !== 'b'))
    cluster.close()
    other.close()
  })

  test('one node that hides an execution does not make it expired', async () => {
    const fake = new FakeCluster({ members: 4, limits: { expiryBlocks: 5 } })
    const cluster = await open(fake)
    await cluster.call.add('a')
    const other = await open(fake, { account: testKey(4, 4) })
    let isHidden = true
    onAll(fake, async (request, honest) => {
      const isOwn = isCall(request) && decodeEnvelope(request.body).transactions[0]?.session.slot === 0
      if (isOwn && isHidden) {
        await honest()
        return errorResponse(504, 'not-yet-certified')
      }
      if (request.path.startsWith('/v1/receipts') && request.node === 0)
        return errorResponse(404, 'unknown-transaction')
      return honest()
    })
    const pending = cluster.send.add('b')
    await pending.id
    for (let index = 0; index < 12; index++) await other.call.add('x')
    assert.equal((await pending.until('certified')).value, 1)
    isHidden = false
    cluster.close()
    other.close()
  })

  test('after a rest longer than any expiry a call is signed again on the word of f+1 nodes', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('a')
    // The next block comes ten minutes later; no certificate tells it before.
    fake.chain.milliseconds += 600_000
    fake.emptyBlockTime = fake.chain.milliseconds
    assert.equal(await cluster.call.add('b'), 1)
    assert.equal(fake.chain.sessions.get(0)?.nextCounter, 2)
    cluster.close()
  })

  test('a single node cannot move the time', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('a')
    fake.chain.milliseconds += 600_000
    fake.emptyBlockTime = fake.chain.milliseconds
    fake.behaviours.set(0, async (request, honest) =>
      request.path === '/v1/status' ? new Response('{"height":5,"time":4000000000000}') : honest(),
    )
    assert.equal(await cluster.call.add('b'), 1)
    const last = fake
      .posted()
      .filter(isCall)
      .map(({ body }) => decodeEnvelope(body).transactions[0]?.expiry.time ?? 0)
    assert.ok(Math.max(...last) <= fake.chain.milliseconds + 60_000)
    cluster.close()
  })
})
