/**
 * Random JSON, cursors, parameters and headers to a live gateway from a printed seed. Each gets an answer or a typed error,
 * none a 500, nothing of it executes, and the node is well afterwards.
 */
import assert from 'node:assert/strict'
import { type IncomingMessage, request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { toHex } from '@onus/protocol/bytes'
import fc from 'fast-check'
import { type LiveCounter, startCounter } from './support/liveCounter.js'
import { openApiCheck } from './support/openApiCheck.js'
import { parseMetrics } from './support/prometheus.js'

const seed = Number(process.env['ONUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const fuzzMilliseconds = process.env['ONUS_NIGHTLY'] === '1' ? 60_000 : 6_000

interface Shot {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Hit {
  readonly status: number
  readonly code: string | null
}

/** Sends a shot; of a stream only the beginning is read. */
function shoot(url: string, { method, path, headers, body }: Shot): Promise<Hit> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const sent = request(
      { hostname, port, method, path, headers, agent: false, timeout: 20_000 },
      (answer: IncomingMessage) => {
        const status = answer.statusCode ?? 0
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          if (answer.headers['content-type'] !== 'text/event-stream') return
          resolve({ status, code: 'stream' })
          answer.destroy()
        })
        answer.on('error', () => undefined)
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          if (status === 200 || status === 204) return resolve({ status, code: null })
          const json = JSON.parse(text) as { error?: { code?: unknown; message?: unknown }; ready?: unknown }
          const code = json.error?.code
          if (typeof code !== 'string' || typeof json.error?.message !== 'string')
            return reject(new Error(`${method} ${path} ${status}: ${text.slice(0, 300)}`))
          resolve({ status, code })
        })
      },
    )
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)))
    sent.end(body)
  })
}

const headerText = fc.string({ unit: fc.constantFrom(...'abz09.,:;/*-"=_ '), maxLength: 40 })
const cursor = fc.oneof(
  fc.tuple(fc.nat(20), fc.nat(70_000), fc.nat(5)).map((parts) => parts.join('.')),
  fc.nat(2_000).map(String),
  fc.constantFrom('-1', '0.0', '1.2.3.4', '9'.repeat(30), '1e5', 'NaN', ''),
  fc.string({ maxLength: 12 }),
)
const names = ['total', 'echo', 'add', 'fail', 'flood', 'wrong', 'trap', 'nothing', '__proto__', 'constructor']
const name = fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 8 }))
const jsonText = fc.oneof(
  fc.json({ maxDepth: 6 }),
  fc.constantFrom(
    '[',
    '{"a":}',
    '[1,2',
    '',
    'null',
    '[]',
    '{}',
    '[[[[[[',
    '{"__proto__":1}',
    '{"value":{"__proto__":null}}',
  ),
  fc.nat(30_000).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.string({ maxLength: 200 }),
)
const encoded = (text: string): string => encodeURIComponent(text.replace(/\p{Surrogate}/gu, '?'))

describe(`random requests to a live gateway, seed ${seed}`, { timeout: 150_000 }, () => {
  let live: LiveCounter

  before(async () => {
    live = await startCounter({ gateway: { events: { streams: 8, heartbeatSeconds: 1 } } })
    await openApiCheck(await (await fetch(`${live.url}/v1/openapi.json`)).json())
    assert.equal((await live.post(live.call('add', [1]))).status, 200)
  })

  after(() => live?.stop())

  const headers = fc.record(
    {
      accept: fc.oneof(
        fc.constantFrom('application/json', 'application/octet-stream', '*/*', 'text/event-stream'),
        headerText,
      ),
      'content-type': fc.oneof(
        fc.constantFrom(
          'application/json',
          'application/json; charset=utf-8',
          'application/octet-stream',
          'text/plain',
        ),
        headerText,
      ),
      origin: headerText,
      'last-event-id': cursor.map((text) => text.replace(/[^\x21-\x7e]/g, '?')),
      'x-forwarded-for': headerText,
      'accept-encoding': headerText,
    },
    { requiredKeys: [] },
  )
  const envelope = (): fc.Arbitrary<string> => {
    const bytes = toHex(live.call('add', [1_000_000]).bytes)
    const cut = fc.tuple(fc.nat(bytes.length), fc.string({ maxLength: 6 }))
    return cut
      .map(([at, into]) => `${bytes.slice(0, at)}${into}${bytes.slice(at + 8)}`)
      .filter((text) => text !== bytes)
      .map((text) => JSON.stringify({ envelope: `0x${text}` }))
  }
  const target = fc.oneof(
    fc
      .tuple(name, jsonText)
      .map(([query, args]) => `/v1/queries/${encoded(query)}?args=${encoded(args.slice(0, 2000))}`),
    fc.tuple(name, cursor).map(([query, height]) => `/v1/queries/${encoded(query)}?height=${encoded(height)}`),
    fc
      .tuple(cursor, name, fc.constantFrom('', '&values=no', '&values=&values=', '&name[]=x', '&from=1'))
      .map(([from, event, more]) => `/v1/events?from=${encoded(from)}&name=${encoded(event)}${more}`),
    cursor.map((from) => `/v1/events?from=${encoded(from)}`),
    fc.constantFrom('/readyz', '/healthz', '/metrics', '/v1/openapi.json', '/v1/status', '/v1/interface?x=%zz'),
    fc.string({ maxLength: 30 }).map((text) => `/v1/${encoded(text)}`),
  )

  test('are answered, typed, and change nothing', async () => {
    const total = async (): Promise<unknown> =>
      ((await (await fetch(`${live.url}/v1/queries/total`)).json()) as { value: unknown }).value
    const before = await total()
    const shot: fc.Arbitrary<Shot> = fc.oneof(
      fc.record({
        method: fc.constantFrom('GET', 'POST', 'OPTIONS', 'HEAD'),
        path: target,
        headers,
        body: fc.constant(''),
      }),
      fc.record({
        method: fc.constant('POST'),
        path: name.map((query) => `/v1/queries/${encoded(query)}`),
        headers,
        body: jsonText,
      }),
      fc.record({
        method: fc.constant('POST'),
        path: fc.constant('/v1/envelopes?timeout=0'),
        headers,
        body: fc.oneof(jsonText, envelope()),
      }),
    )
    const counts = new Map<string, number>()
    const shots = fc.sample(shot, { seed, numRuns: 20_000 })[Symbol.iterator]()
    const end = Date.now() + fuzzMilliseconds
    const worker = async (): Promise<void> => {
      for (let next = shots.next(); !next.done && Date.now() < end; next = shots.next()) {
        const isHead = next.value.method === 'HEAD'
        const hit = await shoot(live.url, isHead ? { ...next.value, method: 'GET' } : next.value)
        assert.ok(hit.status !== 500 && hit.status !== 0, `${hit.status} ${JSON.stringify(next.value).slice(0, 500)}`)
        counts.set(hit.code ?? 'ok', (counts.get(hit.code ?? 'ok') ?? 0) + 1)
      }
    }
    await Promise.all([worker(), worker(), worker()])
    const sum = [...counts.values()].reduce((all, count) => all + count, 0)
    console.log(`${sum} random requests: ${[...counts].map(([code, count]) => `${count} ${code}`).join(', ')}`)
    for (const code of ['ok', 'stream', 'cursor-form', 'json-form', 'no-such-entry'])
      assert.ok(counts.has(code), `${code} was met`)
    assert.equal(await total(), before, 'nothing of it was executed')
    assert.deepEqual(
      live.lines.filter((line) => line.includes('"error"')),
      [],
    )
    const metrics = parseMetrics(await (await fetch(`${live.url}/metrics`)).text())
    for (const wait = Date.now() + 3000; Date.now() < wait; ) {
      const open = parseMetrics(await (await fetch(`${live.url}/metrics`)).text()).value('onus_event_streams', {})
      if (open === 0) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.equal(parseMetrics(await (await fetch(`${live.url}/metrics`)).text()).value('onus_event_streams', {}), 0)
    assert.ok(metrics.value('process_resident_memory_bytes', {}) < 2e9)
    assert.equal(((await (await fetch(`${live.url}/readyz`)).json()) as { ready: boolean }).ready, true)
  })
})
