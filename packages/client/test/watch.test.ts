/** Watching events: each proved, none twice, over broken, lying, stuck and refusing nodes; and `until('accepted')`. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Cluster } from '@onus/client/cluster'
import { connect } from '@onus/client/connect'
import { readServerSentEvents } from '@onus/client/serverSentEvents'
import type { ConnectOptions } from '@onus/client/settings'
import type { WatchedEvent } from '@onus/client/watch'
import fc from 'fast-check'
import { FakeCluster, json } from './fakeCluster.js'
import { FakeEvents, messagesOf } from './fakeEvents.js'
import { notes } from './notes.js'

interface Parts {
  readonly fake: FakeCluster
  readonly events: FakeEvents
  readonly cluster: Cluster<typeof notes>
}

type Added = WatchedEvent<{ readonly id: number; readonly text: string }>

async function withCluster(
  action: (parts: Parts) => Promise<void>,
  options: Partial<ConnectOptions<typeof notes>> = {},
): Promise<void> {
  const fake = new FakeCluster({ members: 4 })
  const events = new FakeEvents(fake)
  const cluster = await connect({
    genesis: fake.chain.genesis,
    nodes: fake.urls(),
    interface: notes,
    fetch: events.fetch,
    ...options,
  })
  try {
    await action({ fake, events, cluster })
  } finally {
    cluster.close()
  }
  for (let wait = 0; events.open > 0 && wait < 100; wait++) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(events.open, 0, 'no stream is left open')
}

/** The next `count` events. */
async function take(watch: AsyncGenerator<Added>, count: number): Promise<Added[]> {
  const taken: Added[] = []
  while (taken.length < count) {
    const { done, value } = await watch.next()
    if (done) assert.fail('the events ended')
    taken.push(value)
  }
  return taken
}

const texts = (events: readonly Added[]): string[] => events.map(({ value }) => value.text)

describe('watch', { timeout: 60_000 }, () => {
  test('gives each event of each call in order, with its report', () =>
    withCluster(async ({ fake, cluster }) => {
      const watch = cluster.watch.added()
      const first = take(watch, 4)
      const sent = await cluster.send.add('a').until('certified')
      await cluster.call.add('b+c+d')
      const events = await first
      assert.deepEqual(texts(events), ['a', 'b', 'c', 'd'])
      const [a, b, , d] = events
      assert.equal(a?.report.transactionId, sent.report.transactionId)
      assert.equal(a?.report.height, sent.report.height)
      assert.equal(a?.report.certifiedBy.length, 4)
      assert.match(b?.cursor ?? '', /^\d+\.\d+\.0$/)
      assert.match(d?.cursor ?? '', /^\d+\.\d+\.2$/)
      assert.ok(fake.chain.height >= (d?.report.height ?? 0))
      await watch.return()
    }))

  test('goes on behind a cursor, inside a call too', () =>
    withCluster(async ({ cluster }) => {
      const all = cluster.watch.added({ from: '0' })
      for (const text of ['a+b+c', 'd']) await cluster.call.add(text)
      const events = await take(all, 4)
      await all.return()
      for (const [index, { cursor }] of events.slice(0, 3).entries()) {
        const rest = cluster.watch.added({ from: cursor })
        assert.deepEqual(texts(await take(rest, 3 - index)), ['a', 'b', 'c', 'd'].slice(index + 1))
        await rest.return()
      }
    }))

  test('a connection that breaks anywhere is followed by another, and nothing comes twice or not at all', () =>
    withCluster(async ({ events, cluster }) => {
      for (let i = 0; i < 12; i++) await cluster.call.add(`${i}+${i}`)
      let seed = 7
      for (const node of [0, 1, 2, 3])
        events.bends.set(node, (message, count) => {
          seed = (seed * 1103515245 + 12345) % 2 ** 31
          return count > 0 && (seed >>> 8) % 6 === 0 ? 'break' : message
        })
      const watch = cluster.watch.added({ from: '0' })
      const seen = await take(watch, 24)
      assert.deepEqual(
        texts(seen),
        Array.from({ length: 24 }, (_, index) => String(Math.floor(index / 2))),
      )
      assert.ok(events.requests.length > 5, `${events.requests.length} connections`)
      await watch.return()
    }))

  test('a node that lies is left, and what it sent is kept as evidence', () =>
    withCluster(async ({ events, cluster }) => {
      await cluster.call.add('a')
      await cluster.call.add('b')
      const spoil = (pattern: RegExp, into: string) => (message: string) =>
        message.includes('event: receipt') ? message.replace(pattern, into) : message
      const lies = [
        // Another output, another call, another place, and no JSON at all.
        (message: string) => message.replace(/(event: receipt\ndata: .*"bytes":"0x[0-9a-f]+)[0-9a-f]("),?/, '$1f$2,'),
        spoil(/"body":"0x[0-9a-f]{8}/, '"body":"0xffffffff'),
        (message: string) => message.replace('event: certificate', 'event: other'),
        spoil(/data: .*/, 'data: {'),
      ]
      for (const [node, bend] of lies.slice(0, 3).entries()) events.bends.set(node, bend)
      const watch = cluster.watch.added({ from: '0' })
      assert.deepEqual(texts(await take(watch, 2)), ['a', 'b'])
      await watch.return()
      const liars = new Set(cluster.evidence.map(({ node }) => node))
      assert.ok(!liars.has('http://node3'), 'the honest one is no liar')
      for (const { request, bytes } of cluster.evidence) assert.ok(request === 'GET /v1/events' && bytes.length > 0)
      // Whoever was asked first and lied was found out.
      for (const { node } of events.requests.slice(0, -1)) assert.ok(liars.has(`http://node${node}`))
    }))

  test('heartbeats that are none are a lie of the one node, and the events go on from another', () =>
    withCluster(async ({ events, cluster }) => {
      await cluster.call.add('a')
      const watch = cluster.watch.added({ from: '0' })
      let liar = -1
      for (const node of [0, 1, 2, 3])
        events.bends.set(node, (message) => {
          if (liar < 0 && message.startsWith(': ')) liar = node
          return liar === node ? ': 1\nid: nonsense\n\n' : message
        })
      assert.deepEqual(texts(await take(watch, 1)), ['a'])
      const next = take(watch, 1)
      for (let wait = 0; cluster.evidence.length === 0 && wait < 500; wait++)
        await new Promise((resolve) => setTimeout(resolve, 2))
      await cluster.call.add('b')
      assert.deepEqual(texts(await next), ['b'])
      const [{ node, code, bytes } = assert.fail('no evidence')] = cluster.evidence
      assert.deepEqual(
        [node, code, new TextDecoder().decode(bytes)],
        [`http://node${liar}`, 'cursor-form', 'id: nonsense'],
      )
      assert.notEqual(events.requests.at(-1)?.node, liar)
      await watch.return()
    }))

  test('one node that refuses for good does not end the iteration', () =>
    withCluster(async ({ events, cluster }) => {
      await cluster.call.add('a')
      for (const code of ['no-such-event', 'cursor-form', 'cursor-gone', 'no-such-path']) {
        events.refuseNext.push(code)
        const watch = cluster.watch.added({ from: '0' })
        assert.deepEqual(texts(await take(watch, 1)), ['a'], code)
        await watch.return()
        assert.equal(events.refuseNext.length, 0)
      }
      // Two of four that say different things are no agreement.
      events.refuseNext.push('cursor-gone', 'no-such-event')
      const watch = cluster.watch.added({ from: '0' })
      assert.deepEqual(texts(await take(watch, 1)), ['a'])
      await watch.return()
      events.refuseNext.push('cursor-gone', 'no-such-event', 'cursor-gone')
      await assert.rejects(cluster.watch.added({ from: '0' }).next(), { code: 'cursor-gone' })
    }))

  test('a node that shows calls of an older interface from before the cursor does not end the iteration', async () => {
    const other = { ...notes, events: [{ name: 'added', fields: [['id', 'u64']] }] } as const
    await withCluster(async ({ fake, events, cluster }) => {
      await cluster.call.add('a')
      const old = fake.chain.blocks.flatMap((block) => messagesOf(block, -1)).join('')
      assert.ok(old.includes('event: receipt'))
      for (const node of [0, 1, 2, 3]) events.bends.set(node, (message) => old + message)
      const nodes = fake.urls()
      const strange = await connect({ genesis: fake.chain.genesis, nodes, interface: other, fetch: events.fetch })
      const next = strange.watch.added({ from: String(fake.chain.height) }).next()
      const early = await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 150, 'nothing'))])
      assert.equal(early, 'nothing')
      assert.equal(events.requests.length, 1)
      strange.close()
      assert.deepEqual(await next, { done: true, value: undefined })
    })
  })

  test('an event that the node makes up is not seen', () =>
    withCluster(async ({ events, cluster }) => {
      await cluster.call.add('a')
      for (const node of [0, 1, 2, 3])
        events.bends.set(node, (message) =>
          message.startsWith('event: receipt')
            ? `id: 1.0.0\nevent: event\ndata: {"cursor":"1.0.0","name":"added","value":{"id":9,"text":"forged"}}\n\n${message}`
            : message,
        )
      const watch = cluster.watch.added({ from: '0' })
      assert.deepEqual(texts(await take(watch, 1)), ['a'])
      await watch.return()
    }))

  test('a node that stays behind the others is left', () =>
    withCluster(async ({ fake, events, cluster }) => {
      await cluster.call.add('a')
      const watch = cluster.watch.added({ from: '0' })
      assert.deepEqual(texts(await take(watch, 1)), ['a'])
      const node = events.requests[0]?.node as number
      events.stuck.set(node, fake.chain.height)
      for (const text of ['b', 'c', 'd', 'e']) await cluster.call.add(text)
      assert.deepEqual(texts(await take(watch, 4)), ['b', 'c', 'd', 'e'])
      assert.notEqual(events.requests.at(-1)?.node, node)
      await watch.return()
    }))

  test('dead and busy nodes are passed; what every node would refuse ends the iteration', () =>
    withCluster(async ({ events, cluster }) => {
      await cluster.call.add('a')
      for (const [node, code] of ['unreachable', 'not-ready', 'too-many-streams'].entries())
        events.refusals.set(node, code)
      const watch = cluster.watch.added({ from: '0' })
      assert.deepEqual(texts(await take(watch, 1)), ['a'])
      await watch.return()
      for (const node of [0, 1, 2, 3]) events.refusals.set(node, 'cursor-gone')
      await assert.rejects(cluster.watch.added({ from: '0' }).next(), { code: 'cursor-gone' })
      await assert.rejects(cluster.watch.added({ from: 'yesterday' }).next(), { code: 'cursor-form' })
    }))

  test('events that nobody emits do not come, and closing the client ends the waiting', () =>
    withCluster(async ({ cluster }) => {
      const watch = cluster.watch.cleared({ from: '0' })
      const next = watch.next()
      await cluster.call.add('a')
      const early = await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 100, 'nothing'))])
      assert.equal(early, 'nothing')
      cluster.close()
      assert.deepEqual(await next, { done: true, value: undefined })
    }))

  test('another interface than the cluster’s is told as such', async () => {
    const other = { ...notes, events: [{ name: 'added', fields: [['id', 'u64']] }] } as const
    await withCluster(async ({ fake, events, cluster }) => {
      await cluster.call.add('a')
      const nodes = fake.urls()
      const strange = await connect({ genesis: fake.chain.genesis, nodes, interface: other, fetch: events.fetch })
      await assert.rejects(strange.watch.added({ from: '0' }).next(), { code: 'event-form' })
      strange.close()
    })
  })
})

describe('accepted', { timeout: 30_000 }, () => {
  test('is told before the certificate, and the call goes on to it', () =>
    withCluster(async ({ fake, cluster }) => {
      await cluster.call.add('first')
      fake.isRunning = false
      const sent = cluster.send.add('second')
      const { node } = await sent.until('accepted')
      assert.ok(fake.urls().includes(node))
      fake.isRunning = true
      fake.produce()
      assert.equal((await sent.until('certified')).value, 1)
      assert.ok(fake.urls().includes((await sent.until('accepted')).node))
      assert.ok([...fake.chain.executions.values()].every((count) => count === 1))
    }))

  test('rejects as the call does where no node takes it', () =>
    withCluster(
      async ({ fake, cluster }) => {
        await cluster.call.add('first')
        for (const node of [0, 1, 2, 3])
          fake.behaviours.set(node, async () => json({ error: { code: 'not-ready', message: 'no' } }, 503))
        await assert.rejects(cluster.send.add('second').until('accepted'), { name: 'OnusError' })
      },
      { timeouts: { call: 500 } },
    ))
})

describe('Server-Sent Events', () => {
  const bodyOf = (text: string, sizes: readonly number[]): ReadableStream<Uint8Array> => {
    const bytes = new TextEncoder().encode(text)
    let at = 0
    let turn = 0
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) return controller.close()
        const size = sizes[turn++ % sizes.length] ?? 1
        controller.enqueue(bytes.slice(at, at + size))
        at += size
      },
    })
  }

  const read = async (text: string, sizes: readonly number[], most = 1000): Promise<unknown[]> => {
    const found: unknown[] = []
    for await (const event of readServerSentEvents(bodyOf(text, sizes), most)) found.push(event)
    return found
  }

  test('are the same in whatever pieces they come', async () => {
    const text = 'retry: 9\n\n: 5\nid: 5\n\nevent: added\nid:7.0.0\ndata: {"é": 1}\ndata: x\n\r\ndata\n\n'
    const expected = [
      { type: 'message', data: '', id: null },
      { type: 'message', data: '', id: '5' },
      { type: 'added', data: '{"é": 1}\nx', id: '7.0.0' },
      { type: 'message', data: '', id: null },
    ]
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(sizes, async (list) => {
        assert.deepEqual(await read(text, list), expected)
      }),
      { seed: 11, numRuns: 60 },
    )
  })

  test('without end are given up', async () => {
    await assert.rejects(read(`data: ${'x'.repeat(5000)}`, [700]), { code: 'event-too-long' })
    await assert.rejects(read('data: x\n'.repeat(500), [64]), { code: 'event-too-long' })
  })
})
