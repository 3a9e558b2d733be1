/** The stream of events: proofs, cursors, filters, limits, slow readers, and history from before a restart. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, test } from 'node:test'
import { BlockEvents } from '@onus/node/gateway/blockEvents'
import { cursorText, endOfBlock, isSeen, parseCursor } from '@onus/node/gateway/eventCursor'
import { type CertifiedBlocks, EventStream } from '@onus/node/gateway/eventStream'
import { defaultSettings } from '@onus/node/gateway/settings'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { equalBytes, fromHex } from '@onus/protocol/bytes'
import { Certificate, decodeCertificate } from '@onus/protocol/certificate'
import { domainOfGenesis } from '@onus/protocol/genesis'
import { decodeOutput } from '@onus/protocol/interface/call'
import { decodeReceiptProof } from '@onus/protocol/receipt'
import { transactionId } from '@onus/protocol/transaction'
import fc from 'fast-check'
import { counter } from './support/eventGuest.js'
import { startCounter } from './support/liveCounter.js'
import { readEvents, type StreamMessage } from './support/readEvents.js'
import { rejectionOf } from './support/rejection.js'
import { blockOf, certificateAt, type StubGateway, withGateway } from './support/stubGateway.js'
import { hashing } from './support/testNode.js'

const cursorsOf = (messages: readonly StreamMessage[]): (string | null)[] =>
  messages.filter(({ type }) => type === 'event').map(({ id }) => id)

const countOf = (messages: readonly StreamMessage[], type: string): number =>
  messages.filter((message) => message.type === type).length

async function refusalOf(url: string, headers: Record<string, string> = {}): Promise<[number, string, string | null]> {
  const response = await fetch(url, { headers })
  const { error } = (await response.json()) as { error: { code: string } }
  return [response.status, error.code, response.headers.get('retry-after')]
}

describe('cursors', () => {
  test('are read as they are written, and nothing else is read', () => {
    for (const text of ['0', '12', '12.0.0', '7.65535.4294967295', '9007199254740991'])
      assert.equal(cursorText(parseCursor(text, 'from')), text)
    for (const wrong of [
      '',
      ' 1',
      '1.2',
      '1.2.3.4',
      '-1',
      '01',
      '1.02.3',
      '1e3',
      'x',
      '9007199254740992',
      '1.2.99999999999',
    ])
      assert.equal(rejectionOf(() => parseCursor(wrong, 'from'))?.code, 'cursor-form', wrong)
    fc.assert(
      fc.property(fc.string(), (text) => {
        const rejection = rejectionOf(() => parseCursor(text, 'from'))
        assert.ok(rejection === null || rejection === undefined || rejection.code === 'cursor-form')
      }),
      { seed: 5, numRuns: 500 },
    )
  })

  test('say what was seen', () => {
    const cursor = parseCursor('5.2.1', 'from')
    const seen = [
      [4, 9, 9],
      [5, 1, 7],
      [5, 2, 0],
      [5, 2, 1],
    ] as const
    const unseen = [
      [5, 2, 2],
      [5, 3, 0],
      [6, 0, 0],
    ] as const
    for (const [height, index, event] of seen) assert.equal(isSeen(cursor, height, index, event), true)
    for (const [height, index, event] of unseen) assert.equal(isSeen(cursor, height, index, event), false)
    assert.equal(isSeen(endOfBlock(5), 5, 65_535, 9), true)
    assert.equal(isSeen(endOfBlock(5), 6, 0, 0), false)
  })
})

describe('events of a live node', { timeout: 90_000 }, () => {
  test('are proved by what comes with them, in order, once, from memory and after a restart', async () => {
    const live = await startCounter({ gateway: { events: { heartbeatSeconds: 1 } } })
    try {
      const domain = domainOfGenesis(live.genesis)
      const first = await readEvents(`${live.url}/v1/events?from=0`)
      const removed = await readEvents(`${live.url}/v1/events?from=0&name=removed`)
      for (const amount of [1, 2, 3]) assert.equal((await live.post(live.call('add', [amount]))).status, 200)
      assert.equal((await live.post(live.call('fail', []))).status, 200)
      await first.until((messages) => countOf(messages, 'event') === 3)
      let certificate: Certificate | null = null
      let body = new Uint8Array(0)
      let output = new Uint8Array(0)
      const totals: unknown[] = []
      for (const { type, id, data } of first.messages) {
        if (type === 'certificate')
          certificate = Certificate.verify(
            hashing,
            nativeCurve,
            decodeCertificate(fromHex(data['bytes'] as string)),
            live.genesis,
          )
        if (type === 'receipt') {
          const receipt = certificate?.verifyReceipt(decodeReceiptProof(fromHex(data['bytes'] as string)))
          body = new Uint8Array(fromHex(data['body'] as string))
          output = new Uint8Array(receipt?.output ?? [])
          assert.ok(
            equalBytes(transactionId(hashing, domain, 'call', body), receipt?.transactionId ?? new Uint8Array(0)),
          )
        }
        if (type !== 'event') continue
        const [event] = decodeOutput(counter, 'add', output).events
        assert.equal(data['cursor'], id)
        assert.ok(event?.name === 'added')
        assert.deepEqual(data['value'], { amount: event.value.amount, total: String(event.value.total) })
        totals.push(event.value.total)
      }
      assert.deepEqual(totals, [1n, 3n, 6n])
      const all = cursorsOf(first.messages)
      first.close()
      // One who looks for other events moves on all the same.
      const height = (): number => Number(removed.messages.filter(({ id }) => id !== null).at(-1)?.id ?? 0)
      await removed.until(() => height() >= Number(all[2]?.split('.')[0]))
      assert.deepEqual(cursorsOf(removed.messages), [])
      removed.close()

      await live.restart()
      for (const from of [0, 1, 2] as const) {
        const header = { 'last-event-id': all[from] as string }
        const later = await readEvents(`${live.url}/v1/events?from=0&values=no`, header)
        if (from < 2) await later.until((messages) => countOf(messages, 'event') === 2 - from)
        assert.deepEqual(cursorsOf(later.messages), all.slice(from + 1))
        assert.ok(later.messages.every(({ data }) => !('value' in data)))
        assert.equal(countOf(later.messages, 'receipt'), 2 - from)
        later.close()
      }
    } finally {
      await live.stop()
    }
  })
})

describe('streams of a gateway', { timeout: 60_000 }, () => {
  async function fill(gateway: StubGateway, blocks: number, calls: number): Promise<void> {
    const block = blockOf(calls)
    for (let i = 0; i < blocks; i++) await gateway.add(block)
  }

  test('a block is given when it is certified, not before, and those behind it wait', () =>
    withGateway({}, {}, async (gateway) => {
      const reader = await readEvents(`${gateway.url}/v1/events`)
      const block = blockOf(2)
      gateway.archive.add(1, block)
      gateway.archive.add(2, block)
      gateway.height = 2
      await gateway.archive.certify(2, certificateAt(2))
      await new Promise((resolve) => setTimeout(resolve, 50))
      assert.deepEqual(cursorsOf(reader.messages), [])
      await gateway.archive.certify(1, certificateAt(1))
      await reader.until((messages) => countOf(messages, 'event') === 4)
      assert.deepEqual(cursorsOf(reader.messages), ['1.0.0', '1.1.0', '2.0.0', '2.1.0'])
      assert.equal(countOf(reader.messages, 'certificate'), 2)
      reader.close()
    }))

  test('a certificate that comes while a stream looks for one, or the moment it found none, is not missed', async () => {
    const block = blockOf(1)
    // Where in its looking the certificate comes: while it reads the last block's events, and when it found no more.
    for (const moment of ['certificate', 'height'] as const) {
      const certificates = new Map([[1, certificateAt(1)]])
      let certified: () => void = () => undefined
      let isLate = false
      const certify = (): void => {
        if (isLate) return
        isLate = true
        // After the answer was given, before the stream acts on it.
        queueMicrotask(() => {
          certificates.set(2, certificateAt(2))
          certified()
        })
      }
      const blocks: CertifiedBlocks = {
        height: () => 2,
        certifiedHeight: () => certificates.size,
        block: () => block,
        certificate: (height) => {
          const found = certificates.get(height) ?? null
          if (height === (moment === 'certificate' ? 1 : 2)) certify()
          return found
        },
        receiptProof: () => new Uint8Array(1),
        onCertified: (listener) => {
          certified = () => listener(1)
          return () => undefined
        },
      }
      const server = createServer((_request, response) => {
        const events = new BlockEvents(counter, 65_536)
        // No heartbeat helps.
        const limits = { ...defaultSettings.events, heartbeatSeconds: 600 }
        void new EventStream(response, { blocks, events, limits, from: endOfBlock(0), names: null, values: true }).run()
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const reader = await readEvents(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      try {
        await reader.until((messages) => countOf(messages, 'event') === 2)
      } finally {
        reader.close()
        server.closeAllConnections()
        server.close()
      }
    }
  })

  test('at rest the cursor goes on over heights without content with the heartbeats', () =>
    withGateway({ events: { heartbeatSeconds: 0.05 } }, {}, async (gateway) => {
      const reader = await readEvents(`${gateway.url}/v1/events?from=0`)
      gateway.height = 700
      await reader.until((messages) => messages.at(-1)?.id === '700')
      reader.close()
    }))

  test('from inside a block the rest of it comes, with its certificate', () =>
    withGateway({}, {}, async (gateway) => {
      await fill(gateway, 2, 3)
      const reader = await readEvents(`${gateway.url}/v1/events?from=1.1.0&name=added&name=removed`)
      await reader.until((messages) => countOf(messages, 'event') === 4)
      assert.deepEqual(cursorsOf(reader.messages), ['1.2.0', '2.0.0', '2.1.0', '2.2.0'])
      assert.equal(countOf(reader.messages, 'certificate'), 2)
      reader.close()
    }))

  test('what cannot be given is refused', () =>
    withGateway({ events: { streamsPerAddress: 2, historyBlocks: 10 } }, {}, async (gateway) => {
      await fill(gateway, 1, 1)
      gateway.height = 50
      const events = `${gateway.url}/v1/events`
      assert.deepEqual(await refusalOf(`${events}?from=39`), [410, 'cursor-gone', null])
      assert.deepEqual(await refusalOf(`${events}?from=1051`), [504, 'cursor-ahead', null])
      assert.deepEqual(await refusalOf(`${events}?from=x`), [400, 'cursor-form', null])
      assert.deepEqual(await refusalOf(events, { 'last-event-id': '1.x' }), [400, 'cursor-form', null])
      assert.deepEqual(await refusalOf(`${events}?from=1&from=2`), [400, 'parameter', null])
      assert.deepEqual(await refusalOf(`${events}?name=gone`), [404, 'no-such-event', null])
      assert.deepEqual(await refusalOf(`${events}?values=maybe`), [400, 'parameter', null])
      const readers = [await readEvents(events), await readEvents(events)]
      assert.deepEqual(await refusalOf(events), [429, 'too-many-streams', '5'])
      assert.equal(gateway.metrics.streams, 2)
      for (const reader of readers) reader.close()
      for (const end = Date.now() + 5000; gateway.metrics.streams > 0 && Date.now() < end; )
        await new Promise((resolve) => setTimeout(resolve, 10))
      const next = await readEvents(events)
      next.close()
    }))

  test('a node that stops says so', () =>
    withGateway({}, {}, async (gateway) => {
      const reader = await readEvents(`${gateway.url}/v1/events`)
      await gateway.close()
      await reader.until((messages) => countOf(messages, 'closed') === 1)
      assert.equal(reader.messages.at(-1)?.data['code'], 'node-stops')
    }))

  test('a reader that takes nothing is sent away, holds little memory until then, and comes back without a gap', () =>
    withGateway({ events: { bufferBytes: 65_536, stallSeconds: 1 } }, {}, async (gateway) => {
      // About 1.8 kB an event, 32 MB: more than the buffers of the machine hold.
      const [blocks, calls] = [60, 300]
      await fill(gateway, blocks, calls)
      const socket = connect(gateway.port, '127.0.0.1')
      socket.write('GET /v1/events?from=0 HTTP/1.1\r\nhost: x\r\n\r\n')
      const before = process.memoryUsage.rss()
      for (const end = Date.now() + 15_000; gateway.metrics.slowReaders === 0 && Date.now() < end; )
        await new Promise((resolve) => setTimeout(resolve, 20))
      assert.equal(gateway.metrics.slowReaders, 1)
      const grown = (process.memoryUsage.rss() - before) / 1e6
      assert.ok(grown < 150, `${grown} MB`)
      const chunks: Buffer[] = []
      socket.on('data', (chunk) => chunks.push(chunk))
      await new Promise((resolve) => socket.on('close', resolve))
      const text = Buffer.concat(chunks).toString('utf8')
      const seen = [...text.matchAll(/^id: (\d+\.\d+\.\d+)\n(?:.*\n){2,}?\n/gm)].map(([, id]) => id as string)
      assert.ok(seen.length > 0 && seen.length < blocks * calls, `${seen.length} events of ${blocks * calls}`)
      const reader = await readEvents(`${gateway.url}/v1/events?from=${seen.at(-1)}&values=no`)
      await reader.until((messages) => countOf(messages, 'event') >= blocks * calls - seen.length)
      const together = [...seen, ...cursorsOf(reader.messages)]
      assert.equal(together.length, blocks * calls)
      assert.equal(new Set(together).size, blocks * calls)
      reader.close()
    }))
})
