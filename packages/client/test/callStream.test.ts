/** Calls over WebSockets: the same outcomes as by HTTP, whatever becomes of the connection. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CallStream, type WebSocketLike } from '@onus/client/callStream'
import { CallStreams } from '@onus/client/callStreams'
import { connect } from '@onus/client/connect'
import type { HttpOutcome } from '@onus/client/http'
import { Lifetime } from '@onus/client/lifetime'
import { decodeStreamRequests, encodeStreamAnswers, type StreamAnswer } from '@onus/protocol/callStream'
import { decodeResults, encodeResults } from '@onus/protocol/gatewayMessages'
import { FakeCluster, pause } from './fakeCluster.js'
import { notes } from './notes.js'

type Listener = (event: { data: unknown }) => void

/** A WebSocket whose other side is the test. */
class FakeSocket implements WebSocketLike {
  binaryType = ''
  readyState = 0
  readonly sent: { number: number; envelope: Uint8Array }[] = []
  isClosed = false
  onSend: (requests: readonly { number: number; envelope: Uint8Array }[]) => void = () => undefined
  readonly #listeners = new Map<string, Listener[]>()

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  emit(type: string, data: unknown = null): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data })
  }

  answer(...answers: readonly StreamAnswer[]): void {
    this.emit('message', new Uint8Array(encodeStreamAnswers(answers)).buffer)
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    const requests = decodeStreamRequests(data.slice())
    this.sent.push(...requests)
    this.onSend(requests)
  }

  close(): void {
    this.isClosed = true
  }
}

function openStream(): { stream: CallStream; socket: FakeSocket } {
  const socket = new FakeSocket()
  const stream = new CallStream('http://node0', 900, (url, protocol) => {
    assert.deepEqual([url, protocol], ['ws://node0/v1/calls?timeout=900', 'onus.calls.1'])
    return socket
  })
  socket.emit('open')
  return { stream, socket }
}

describe('call stream', { timeout: 20_000 }, () => {
  test('gives the outcomes of requests of their own', async () => {
    const fake = new FakeCluster({ members: 4 })
    const cluster = await connect({
      genesis: fake.chain.genesis,
      nodes: fake.urls(),
      interface: notes,
      fetch: fake.fetch,
      webSocket: null,
    })
    await cluster.call.add('one')
    const [block] = fake.chain.blocks.slice(-1)
    assert.ok(block !== undefined)
    const receipt = block.receipts[0] as Uint8Array
    const { stream, socket } = openStream()
    const lifetime = new Lifetime()
    const waiting = [1, 2, 3].map((id) => stream.carry(Uint8Array.of(id), 1000, 100_000, lifetime))
    const short = stream.carry(Uint8Array.of(4), 1000, 10, lifetime)
    await pause(0)
    assert.deepEqual(
      socket.sent.map(({ envelope }) => envelope[0]),
      [1, 2, 3, 4],
    )
    const numbers = socket.sent.map(({ number }) => number)
    const bytes = encodeResults({ certificates: [], receipts: [receipt] })
    socket.answer(
      { kind: 'certificate', bytes: block.certificate },
      { kind: 'results', number: numbers[1] as number, bytes },
      { kind: 'results', number: 77, bytes },
      { kind: 'error', number: numbers[0] as number, status: 429, retryAfter: 1500, body: '{}' },
      { kind: 'results', number: numbers[3] as number, bytes },
    )
    const [first, second] = await Promise.all(waiting.slice(0, 2))
    assert.deepEqual(first, { kind: 'reply', status: 429, bytes: new TextEncoder().encode('{}'), retryAfter: 1500 })
    assert.ok(second?.kind === 'reply')
    assert.deepEqual(decodeResults(second.bytes), { certificates: [block.certificate], receipts: [receipt] })
    assert.equal((await short).kind, 'too-long')
    lifetime.end()
    assert.deepEqual(await waiting[2], { kind: 'aborted' })
    assert.equal(stream.size, 0)
    cluster.close()
  })

  test('a deadline, a closed connection and garbage end what waits, and nothing is thrown', async () => {
    const lifetime = new Lifetime()
    const { stream } = openStream()
    assert.deepEqual(await stream.carry(new Uint8Array(1), 5, 100, lifetime), { kind: 'deadline' })
    const closed = openStream()
    const waiting = closed.stream.carry(new Uint8Array(1), 1000, 100, lifetime)
    closed.socket.emit('close')
    assert.equal((await waiting).kind, 'unreachable')
    assert.equal((await closed.stream.carry(new Uint8Array(1), 1000, 100, lifetime)).kind, 'unreachable')
    for (const bad of [
      'text',
      new ArrayBuffer(3),
      new Uint8Array([9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).buffer,
    ]) {
      const broken = openStream()
      const outcome = broken.stream.carry(new Uint8Array(1), 1000, 100, lifetime)
      await pause(0)
      broken.socket.emit('message', bad)
      assert.equal((await outcome).kind, 'unreachable')
      assert.ok(broken.socket.isClosed)
      assert.equal(broken.stream.state, 'closed')
    }
  })

  test('a lifetime that is over sends nothing', async () => {
    const lifetime = new Lifetime()
    lifetime.end()
    const { stream, socket } = openStream()
    assert.deepEqual(await stream.carry(new Uint8Array(1), 1000, 100, lifetime), { kind: 'aborted' })
    await pause(0)
    assert.deepEqual([socket.sent.length, stream.size, stream.state], [0, 0, 'open'])
  })

  test('a stream on which nothing comes is closed after a deadline, one on which anything comes is not', async () => {
    const lifetime = new Lifetime()
    const dead = openStream()
    const [first, second] = [20, 60_000].map((deadline) =>
      dead.stream.carry(new Uint8Array(1), deadline, 100, lifetime),
    )
    assert.deepEqual(await first, { kind: 'deadline' })
    assert.deepEqual(await second, { kind: 'unreachable', message: 'nothing came for 20 ms' })
    assert.ok(dead.socket.isClosed && dead.stream.state === 'closed')
    const live = openStream()
    const late = live.stream.carry(new Uint8Array(1), 20, 100, lifetime)
    live.socket.answer({ kind: 'error', number: 99, status: 503, retryAfter: 0, body: '{}' })
    assert.deepEqual(await late, { kind: 'deadline' })
    assert.equal(live.stream.state, 'open')
  })

  test('behind a stream that went dead, calls go by HTTP, and it is opened again after the pause', async (context) => {
    const lifetime = new Lifetime()
    const opened: FakeSocket[] = []
    const streams = new CallStreams(
      () => {
        const socket = new FakeSocket()
        opened.push(socket)
        return socket
      },
      900,
      lifetime,
    )
    let byHttp = 0
    const send = (): Promise<HttpOutcome> => {
      const request = { method: 'POST', path: '/v1/envelopes?timeout=9', body: new Uint8Array(1) } as const
      const fetch = async (): Promise<Response> => {
        byHttp += 1
        return new Response('x')
      }
      return streams.send(fetch, 'http://node0', { ...request, maximumBytes: 100, deadline: 10 }, lifetime)
    }
    let skipped = 0
    const clock = performance.now.bind(performance)
    context.mock.method(performance, 'now', () => clock() + skipped)
    await send()
    assert.deepEqual([opened.length, byHttp], [1, 1])
    opened[0]?.emit('open')
    // Long open, so that the pause is one from its end.
    skipped = 60_000
    assert.deepEqual(await send(), { kind: 'deadline' })
    for (let i = 0; i < 3; i++) assert.equal((await send()).kind, 'reply')
    assert.deepEqual([opened.length, byHttp], [1, 4])
    skipped = 75_000
    assert.equal((await send()).kind, 'reply')
    assert.deepEqual([opened.length, byHttp], [2, 5])
    lifetime.end()
  })

  test('a stream that is closed while it connects is closed once it is open', () => {
    const socket = new FakeSocket()
    const stream = new CallStream('http://node0', 900, () => socket)
    stream.close()
    assert.deepEqual([socket.isClosed, stream.state], [false, 'closed'], 'a browser would tell of an error')
    socket.emit('open')
    assert.deepEqual([socket.isClosed, stream.state], [true, 'closed'])
  })

  test('a client calls by HTTP until a stream is open, by it then, and by HTTP again when it broke', async () => {
    const fake = new FakeCluster({ members: 4 })
    const sockets = new Map<number, FakeSocket>()
    const cluster = await connect({
      genesis: fake.chain.genesis,
      nodes: fake.urls(),
      interface: notes,
      fetch: fake.fetch,
      webSocket: (url) => {
        const socket = new FakeSocket()
        const node = Number(new URL(url).hostname.replace('node', ''))
        sockets.set(node, socket)
        // What the node would answer by HTTP, as its stream answers it.
        socket.onSend = async (requests) => {
          for (const { number, envelope } of requests) {
            const response = await fake.handle({
              node,
              method: 'POST',
              path: '/v1/envelopes?timeout=900',
              body: envelope,
            })
            const bytes = new Uint8Array(await response.arrayBuffer())
            if (response.status !== 200) {
              const body = new TextDecoder().decode(bytes)
              socket.answer({ kind: 'error', number, status: response.status, retryAfter: 0, body })
              continue
            }
            const results = decodeResults(bytes)
            for (const certificate of results.certificates) socket.answer({ kind: 'certificate', bytes: certificate })
            socket.answer({ kind: 'results', number, bytes: encodeResults({ ...results, certificates: [] }) })
          }
        }
        return socket
      },
    })
    const sentByStreams = (): number => [...sockets.values()].reduce((sum, { sent }) => sum + sent.length, 0)
    assert.equal(await cluster.call.add('by HTTP'), 0)
    assert.ok(sockets.size > 0)
    assert.equal(sentByStreams(), 0)
    for (const socket of sockets.values()) socket.emit('open')
    assert.equal(await cluster.call.add('by a stream'), 1)
    assert.equal(sentByStreams(), 1)
    for (const socket of sockets.values()) socket.emit('close')
    assert.equal(await cluster.call.add('by HTTP again'), 2)
    assert.equal(sentByStreams(), 1)
    cluster.close()
    for (const socket of sockets.values()) assert.ok(socket.isClosed)
  })

  test('a stream that lies is found out as a node is, and the call ends at another', async () => {
    const fake = new FakeCluster({ members: 4 })
    const opened: FakeSocket[] = []
    const cluster = await connect({
      genesis: fake.chain.genesis,
      nodes: fake.urls(),
      interface: notes,
      fetch: fake.fetch,
      webSocket: () => {
        const socket = new FakeSocket()
        socket.onSend = ([request]) =>
          socket.answer({
            kind: 'results',
            number: request?.number ?? 0,
            bytes: encodeResults({ certificates: [], receipts: [new Uint8Array(600)] }),
          })
        opened.push(socket)
        return socket
      },
    })
    await cluster.call.add('first')
    for (const socket of opened) socket.emit('open')
    assert.equal(await cluster.call.add('second'), 1)
    assert.ok(cluster.evidence.some(({ request }) => request.startsWith('POST /v1/envelopes')))
    cluster.close()
  })
})
