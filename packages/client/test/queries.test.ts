import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NoNodeError } from '@onus/client/clientErrors'
import type { Cluster } from '@onus/client/cluster'
import { connect } from '@onus/client/connect'
import { decodeQueryAnswer, encodeQueryAnswer } from '@onus/protocol/gatewayMessages'
import { encodeResult } from '@onus/protocol/interface/call'
import { type Behaviour, binary, errorResponse, FakeCluster, pause } from './fakeCluster.js'
import { notes } from './notes.js'

function open(fake: FakeCluster, nodes: readonly string[] = fake.urls()): Promise<Cluster<typeof notes>> {
  return connect({
    genesis: fake.chain.genesisBytes,
    nodes,
    interface: notes,
    fetch: fake.fetch,
    timeouts: { request: 1000, call: 5000, hedge: 50 },
  })
}

/** Answers queries with a note that nobody wrote. */
function lie(text: string): Behaviour {
  return async (request, honest) => {
    const response = await honest()
    if (!request.path.startsWith('/v1/queries') || response.status !== 200) return response
    const answer = decodeQueryAnswer(new Uint8Array(await response.arrayBuffer()))
    return binary(encodeQueryAnswer({ ...answer, output: encodeResult(notes, 'list', [{ id: 0, text }]) }))
  }
}

const onQueries =
  (answer: Behaviour): Behaviour =>
  (request, honest) =>
    request.path.startsWith('/v1/queries') ? answer(request, honest) : honest()

describe('a query', () => {
  test('is answered once f+1 nodes agree, and reads what was certified before', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('milk')
    const { value, report } = await cluster.query.list(0, 10)
    assert.deepEqual(value, [{ id: 0, text: 'milk' }])
    assert.equal(report.height, fake.chain.height)
    assert.equal(report.agreedBy.length, 2)
    assert.equal(new Set(report.agreedBy).size, 2)
    cluster.close()
  })

  test('asks more nodes in a larger cluster', async () => {
    const fake = new FakeCluster({ members: 7 })
    const cluster = await open(fake)
    await cluster.call.add('milk')
    assert.equal((await cluster.query.list(0, 1)).report.agreedBy.length, 3)
    cluster.close()
  })

  test('of a height reads that state, as long as nodes keep it', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    const sent = [cluster.send.add('a')]
    const { report } = await (sent[0] as (typeof sent)[0]).until('certified')
    for (let index = 0; index < 4; index++) await cluster.call.add('b')
    const { value } = await cluster.at({ height: report.height }).list(0, 10)
    assert.deepEqual(value, [{ id: 0, text: 'a' }])
    for (let index = 0; index < 8; index++) await cluster.call.add('c')
    await assert.rejects(cluster.at({ height: report.height }).list(0, 10), { code: 'height-gone' })
    await assert.rejects(cluster.at({ height: fake.chain.height + 5 }).list(0, 10), { code: 'height-ahead' })
    await assert.rejects(cluster.at({ height: -1 }).list(0, 10), { code: 'option-range' })
    cluster.close()
  })

  test('waits where the node asked lags behind what the user has seen', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('a')
    const old = fake.chain.height
    await cluster.call.add('b')
    for (const node of [0, 1, 2, 3])
      fake.behaviours.set(
        node,
        onQueries(async (request, honest) => {
          if (request.path.includes('height=')) return honest()
          return binary(encodeQueryAnswer({ height: old, trapped: false, output: encodeResult(notes, 'list', []) }))
        }),
      )
    const { value, report } = await cluster.query.list(0, 10)
    assert.deepEqual([value.length, report.height], [2, fake.chain.height])
    cluster.close()
  })

  test('survives one of four lying, and keeps the evidence', async () => {
    const fake = new FakeCluster({ members: 4 })
    // The others wait for the liar, so that it is always asked.
    let isAsked = false
    const forge = lie('forged')
    fake.behaviours.set(2, (request, honest) => {
      isAsked ||= request.path.startsWith('/v1/queries')
      return forge(request, honest)
    })
    for (const node of [0, 1, 3])
      fake.behaviours.set(
        node,
        onQueries(async (_, honest) => {
          while (!isAsked) await pause(1)
          return honest()
        }),
      )
    const cluster = await open(fake)
    await cluster.call.add('true')
    for (let index = 0; index < 12; index++) {
      const { value, report } = await cluster.query.list(0, 10)
      assert.deepEqual(value, [{ id: 0, text: 'true' }])
      assert.ok(!report.agreedBy.includes('http://node2'))
    }
    assert.ok(cluster.evidence.length > 0)
    const [first] = cluster.evidence
    assert.deepEqual([first?.node, first?.code], ['http://node2', 'query-differs'])
    assert.equal(decodeQueryAnswer(first?.bytes ?? new Uint8Array()).height, fake.chain.height)
    assert.ok(cluster.nodes.find(({ url }) => url === 'http://node2')?.isAside)
    cluster.close()
  })

  test('has no answer where no f+1 nodes agree', async () => {
    const fake = new FakeCluster({ members: 4 })
    fake.behaviours.set(0, lie('forged'))
    fake.behaviours.set(1, lie('other'))
    const cluster = await open(fake, fake.urls(3))
    await cluster.call.add('true')
    await assert.rejects(cluster.query.list(0, 10), { code: 'no-agreement' })
    await assert.rejects(cluster.at({ height: fake.chain.height }).list(0, 10), { code: 'no-agreement' })
    const one = await open(fake, fake.urls(1))
    await assert.rejects(one.query.list(0, 10), { code: 'too-few-nodes' })
    await assert.rejects((await open(fake, ['http://node3', 'http://node3/'])).query.list(0, 1), {
      code: 'too-few-nodes',
    })
    cluster.close()
    one.close()
  })

  test('of one named node believes that node, and the report says so', async () => {
    const fake = new FakeCluster({ members: 4 })
    fake.behaviours.set(1, lie('forged'))
    const cluster = await open(fake)
    await cluster.call.add('true')
    const { value, report } = await cluster.at({ node: 'http://node1/' }).list(0, 10)
    assert.deepEqual([value[0]?.text, report.agreedBy], ['forged', ['http://node1']])
    await assert.rejects(cluster.at({ node: 'http://elsewhere' }).list(0, 10), { code: 'unknown-node' })
    await assert.rejects(cluster.at({ node: 'http://node1', height: 10_000 }).list(0, 10), { code: 'height-ahead' })
    cluster.close()
  })

  test('goes on where the first node names a height that nobody has, or answers for another', async () => {
    const fake = new FakeCluster({ members: 4 })
    const output = encodeResult(notes, 'list', [])
    fake.behaviours.set(
      0,
      onQueries(async () => binary(encodeQueryAnswer({ height: 1_000_000, trapped: false, output }))),
    )
    fake.behaviours.set(
      1,
      onQueries(async (request, honest) =>
        request.path.includes('height=') ? binary(encodeQueryAnswer({ height: 1, trapped: false, output })) : honest(),
      ),
    )
    const cluster = await open(fake)
    await cluster.call.add('true')
    for (let index = 0; index < 6; index++) assert.equal((await cluster.query.list(0, 10)).value.length, 1)
    for (const { node, code } of cluster.evidence)
      assert.ok(/node[01]$/.test(node) && /wrong-height|query-differs/.test(code))
    cluster.close()
  })

  test('that traps is an error of f+1 nodes, of one it is not', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('true')
    await assert.rejects(cluster.query.boom(), { code: 'query-trapped' })
    fake.behaviours.set(
      0,
      onQueries(async () => errorResponse(422, 'query-trapped')),
    )
    for (let index = 0; index < 6; index++) assert.equal((await cluster.query.list(0, 10)).value.length, 1)
    for (const node of [0, 1, 2, 3])
      fake.behaviours.set(
        node,
        onQueries(async () => {
          const { height } = fake.chain
          return binary(encodeQueryAnswer({ height, trapped: true, output: new Uint8Array(0) }))
        }),
      )
    await assert.rejects(cluster.query.list(0, 10), { code: 'query-trapped' })
    cluster.close()
  })

  test('without any answer names every node', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await cluster.call.add('true')
    for (const node of [0, 1, 2, 3])
      fake.behaviours.set(
        node,
        onQueries(async () => (node < 2 ? binary(Uint8Array.of(1, 2, 3)) : new Promise(() => undefined))),
      )
    const error = await cluster.query.list(0, 10).catch((caught) => caught)
    assert.ok(error instanceof NoNodeError)
    assert.deepEqual(error.failures.map(({ node, kind }) => `${node} ${kind}`).sort(), [
      'http://node0 lying',
      'http://node1 lying',
      'http://node2 slow',
      'http://node3 slow',
    ])
    cluster.close()
  })

  test('with wrong arguments is not sent', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await open(fake)
    await assert.rejects(cluster.query.list(-1, 10), { code: 'argument-range' })
    assert.ok(fake.requests.every(({ path }) => !path.startsWith('/v1/queries')))
    cluster.close()
  })
})
