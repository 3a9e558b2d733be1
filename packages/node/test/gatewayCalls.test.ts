/** The call stream of a gateway over real sockets: answers, errors, what ends a connection, and who may open one. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LaterError } from '@onus/node/gateway/laterError'
import {
  callStreamProtocol,
  decodeStreamAnswers,
  encodeStreamRequests,
  type StreamAnswer,
} from '@onus/protocol/callStream'
import { OnusError } from '@onus/protocol/errors'
import { decodeResults, type Results } from '@onus/protocol/gatewayMessages'
import { WebSocket } from 'ws'
import { seededBytes } from './support/seeded.js'
import { type StubGateway, withGateway } from './support/stubGateway.js'

const certificate = seededBytes('certificate', 300)
const other = seededBytes('another certificate', 300)
const resultsWith = (certificates: readonly Uint8Array[], receipt: Uint8Array): Results => ({
  certificates,
  receipts: [receipt],
})

interface Stream {
  readonly socket: WebSocket
  readonly answers: StreamAnswer[]
  readonly messages: number
  closed: Promise<number>
  send(...envelopes: readonly (readonly [number: number, envelope: Uint8Array])[]): void
  until(count: number): Promise<readonly StreamAnswer[]>
}

async function open({ port }: StubGateway, options: { headers?: Record<string, string> } = {}): Promise<Stream> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/calls`, callStreamProtocol, options)
  const answers: StreamAnswer[] = []
  const stream = {
    socket,
    answers,
    messages: 0,
    closed: new Promise<number>((resolve) => socket.on('close', resolve)),
    send: (...envelopes: readonly (readonly [number, Uint8Array])[]) =>
      socket.send(encodeStreamRequests(envelopes.map(([number, envelope]) => ({ number, envelope })))),
    async until(count: number) {
      while (answers.length < count) await new Promise((resolve) => socket.once('message', resolve))
      return answers
    },
  }
  socket.on('message', (data: Buffer) => {
    stream.messages += 1
    answers.push(...decodeStreamAnswers(new Uint8Array(data)))
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  assert.equal(socket.protocol, callStreamProtocol)
  return stream
}

/** Status with which the gateway refuses to open a stream. */
function refusalOf(port: number, path = '/v1/calls', headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, callStreamProtocol, { headers })
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
    socket.on('open', () => reject(new Error('it was opened')))
    socket.on('error', () => undefined)
  })
}

describe('call stream', { timeout: 30_000 }, () => {
  test('each envelope gets its results, a certificate goes over the connection once, and one turn is one message', () =>
    withGateway(
      {},
      { carry: async (envelope) => resultsWith([envelope[0] === 3 ? other : certificate], envelope) },
      async (gateway) => {
        const stream = await open(gateway)
        stream.send([7, Uint8Array.of(1)], [8, Uint8Array.of(2)], [9, Uint8Array.of(3)])
        const answers = await stream.until(5)
        assert.equal(stream.messages, 1)
        assert.deepEqual(
          answers.map((answer) =>
            answer.kind === 'results'
              ? [answer.number, decodeResults(answer.bytes)]
              : [answer.kind, 'bytes' in answer && answer.bytes],
          ),
          [
            ['certificate', certificate],
            [7, { certificates: [], receipts: [Uint8Array.of(1)] }],
            [8, { certificates: [], receipts: [Uint8Array.of(2)] }],
            ['certificate', other],
            [9, { certificates: [], receipts: [Uint8Array.of(3)] }],
          ],
        )
        stream.send([1, Uint8Array.of(1)])
        assert.equal((await stream.until(6))[5]?.kind, 'results', 'known certificates are not sent again')
        const second = await open(gateway)
        second.send([1, Uint8Array.of(1)])
        assert.equal((await second.until(1))[0]?.kind, 'certificate', 'a new connection knows none')
        stream.socket.close()
        second.socket.close()
        await Promise.all([stream.closed, second.closed])
      },
    ))

  test('errors are those of a request of its own, with status and time to wait', () =>
    withGateway(
      {},
      {
        carry: async ([kind]) => {
          if (kind === 0) throw new OnusError('signature-wrong', 'no', { remedy: 'sign' })
          if (kind === 1) throw new LaterError('rate-limited', 'later', 1500)
          throw new OnusError('busy', 'full')
        },
      },
      async (gateway) => {
        const stream = await open(gateway)
        stream.send([1, Uint8Array.of(0)], [2, Uint8Array.of(1)], [3, Uint8Array.of(2)])
        const answers = await stream.until(3)
        assert.deepEqual(
          answers.map((answer) => {
            if (answer.kind !== 'error') return answer.kind
            const { error } = JSON.parse(answer.body) as { error: { code: string } }
            return [answer.number, answer.status, answer.retryAfter, error.code]
          }),
          [
            [1, 401, 0, 'signature-wrong'],
            [2, 429, 1500, 'rate-limited'],
            [3, 429, 7500, 'busy'],
          ],
        )
        stream.socket.close()
        await stream.closed
      },
    ))

  test('what is no request ends the connection, and only that one', () =>
    withGateway({}, { carry: async () => resultsWith([certificate], new Uint8Array(1)) }, async (gateway) => {
      const honest = await open(gateway)
      for (const [bad, code] of [
        [Buffer.from([1, 2, 3]), 1008],
        [Buffer.from([0, 0, 0, 1, 255, 255, 255, 255]), 1008],
        ['text', 1003],
        [Buffer.alloc(3_000_000), 1009],
      ] as const) {
        const stream = await open(gateway)
        stream.socket.on('error', () => undefined)
        stream.socket.send(bad)
        assert.equal(await stream.closed, code)
      }
      honest.send([1, Uint8Array.of(1)])
      assert.equal((await honest.until(2)).length, 2)
      honest.socket.close()
      await honest.closed
    }))

  test('paths, origins and numbers of connections are checked before a stream is opened', () =>
    withGateway(
      { origins: ['https://app.example'], calls: { streams: 3, streamsPerAddress: 2 } },
      {},
      async (gateway) => {
        const { port } = gateway
        assert.equal(await refusalOf(port, '/v1/envelopes'), 404)
        for (const query of ['timeout=0', 'timeout=60001', 'timeout=x', 'other=1', 'timeout='])
          assert.equal(await refusalOf(port, `/v1/calls?${query}`), 400)
        assert.equal(await refusalOf(port, '/v1/calls', { origin: 'https://other.example' }), 403)
        const first = await open(gateway, { headers: { origin: 'https://app.example' } })
        const second = await open(gateway)
        assert.equal(await refusalOf(port), 429)
        first.socket.close()
        await first.closed
        // The server hears of it a moment later.
        await new Promise((resolve) => setTimeout(resolve, 50))
        const third = await open(gateway)
        await gateway.close()
        assert.deepEqual(await Promise.all([second.closed, third.closed]), [1001, 1001], 'told that the node stops')
      },
    ))

  test('a client that does not answer does not hold up the end of a node', () =>
    withGateway({}, {}, async (gateway) => {
      const stream = await open(gateway)
      // It reads nothing any more, so it never hears of the end.
      ;(stream.socket as unknown as { _socket: { pause(): void } })._socket.pause()
      // Hangs until the test's own time is over otherwise.
      await gateway.close()
      stream.socket.terminate()
    }))
})
