import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FailureKind, NodeFailure } from '@onus/client/clientErrors'
import {
  backoffTime,
  createPool,
  nodeUrl,
  orderNodes,
  type PoolNode,
  recordAnswer,
  recordFailure,
  recordOvertaken,
} from '@onus/client/nodePool'
import fc from 'fast-check'

const kinds: readonly FailureKind[] = ['dead', 'slow', 'lying', 'refused']

function failure(node: PoolNode, kind: FailureKind, retryAfter: number | null = null): NodeFailure {
  return { node: node.url, kind, code: 'x', message: 'x', passing: true, retryAfter }
}

type Step =
  | { readonly at: number; readonly node: number; readonly wait: number; readonly answer: number }
  | {
      readonly at: number
      readonly node: number
      readonly wait: number
      readonly fail: FailureKind
      readonly sick: boolean
      readonly retry: number | null
    }

const step = fc.oneof(
  fc.record({ at: fc.constant(0), node: fc.nat(4), wait: fc.nat(5000), answer: fc.integer({ min: 1, max: 2000 }) }),
  fc.record({
    at: fc.constant(0),
    node: fc.nat(4),
    wait: fc.nat(5000),
    fail: fc.constantFrom(...kinds),
    sick: fc.boolean(),
    retry: fc.option(fc.nat(100_000)),
  }),
)

function play(pool: PoolNode[], steps: readonly Step[]): number {
  let now = 0
  for (const one of steps) {
    now += one.wait
    const node = pool[one.node] as PoolNode
    if ('answer' in one) recordAnswer(node, one.answer)
    else recordFailure(node, failure(node, one.fail, one.retry), one.sick, now)
  }
  return now
}

const urls = ['http://a', 'http://b', 'http://c', 'http://d', 'http://e']

describe('the node pool', () => {
  test('always orders all nodes, healthy ones first, the fastest of them before the slower', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.option(fc.constantFrom(...urls)), (steps, prefer) => {
        const pool = createPool(urls)
        const now = play(pool, steps)
        const order = orderNodes(pool, now, prefer, () => 0.5)
        assert.deepEqual(order.map(({ url }) => url).sort(), urls)
        const aside = order.map(({ asideUntil }) => asideUntil > now)
        assert.deepEqual(
          aside,
          [...aside].sort((a, b) => Number(a) - Number(b)),
        )
        const healthy = order.filter(({ asideUntil, url }) => asideUntil <= now && url !== prefer)
        for (const [index, node] of healthy.entries())
          assert.ok(index === 0 || (healthy[index - 1]?.latency ?? 0) <= (node.latency ?? 0))
        if (prefer !== null && !pool.some(({ url, asideUntil }) => url === prefer && asideUntil > now))
          assert.equal(order[0]?.url, prefer)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  test('puts nobody aside for longer than an hour, and takes back who answers, but no liar', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pool = createPool(urls)
        const now = play(pool, steps)
        for (const node of pool) {
          assert.ok(node.asideUntil <= now + 3_600_000)
          assert.ok(node.latency === null || (node.latency > 0 && node.latency <= 2000))
          const before = node.asideUntil
          recordAnswer(node, 10)
          assert.equal(node.failures, 0)
          assert.equal(node.asideUntil, node.lies === 0 ? 0 : before)
        }
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  test('backs off longer with every failure, up to a bound; a refusal of the request costs nothing', () => {
    for (const kind of kinds) {
      let last = 0
      for (let count = 1; count < 200; count++) {
        const time = backoffTime(kind, count)
        assert.ok(time >= last && time <= 3_600_000)
        last = time
      }
    }
    const [node] = createPool(['http://a']) as [PoolNode]
    recordFailure(node, failure(node, 'refused'), false, 1000)
    assert.deepEqual([node.failures, node.asideUntil], [0, 0])
    recordFailure(node, failure(node, 'refused', 3000), true, 1000)
    assert.deepEqual([node.failures, node.asideUntil], [1, 4000])
    recordOvertaken(node, 700)
    assert.equal(node.latency, 700)
  })

  test('spreads clients over nodes that are alike', () => {
    const firsts = new Set<string>()
    for (let index = 0; index < 100; index++)
      firsts.add(orderNodes(createPool(urls), 0, null, Math.random)[0]?.url ?? '')
    assert.equal(firsts.size, urls.length)
  })

  test('counts one node under several names once, and refuses what is no URL of a gateway', () => {
    assert.deepEqual(
      createPool(['http://a:80/', 'http://A', 'https://a/x/']).map(({ url }) => url),
      ['http://a', 'https://a/x'],
    )
    for (const text of ['', 'a', 'ftp://a', 'http://a?x=1', 'http://a#x', 'http://user@a', 'javascript:1'])
      assert.throws(() => nodeUrl(text), { code: 'node-url' })
    assert.throws(() => createPool([]), { code: 'node-url' })
  })
})
