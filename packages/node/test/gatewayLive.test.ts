/** The gateway of a live node: JSON forms against its own OpenAPI document, the guide's examples, health, metrics, logs. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { fromHex, toHex } from '@onus/protocol/bytes'
import { Certificate, decodeCertificate } from '@onus/protocol/certificate'
import { decodeResults } from '@onus/protocol/gatewayMessages'
import { decodeReceiptProof } from '@onus/protocol/receipt'
import { decodeEnvelope, transactionIds } from '@onus/protocol/transaction'
import { type LiveCounter, startCounter } from './support/liveCounter.js'
import { type OpenApiCheck, openApiCheck } from './support/openApiCheck.js'
import { parseMetrics } from './support/prometheus.js'
import { hashing } from './support/testNode.js'

const json = { accept: 'application/json' }
const guide = new URL('../../../../docs/guides/gateway.md', import.meta.url)

const all = {
  small: -3,
  large: String(2n ** 255n),
  text: 'né',
  bytes: '0x00ff',
  owner: `0x${'a1'.repeat(20)}`,
  color: 'green',
  rights: { read: true, write: false },
  shapes: [{ tag: 'circle', value: 1.5 }, { tag: 'none' }, { tag: 'circle', value: 'Infinity' }],
  scores: [
    ['a', '1'],
    ['b', '18446744073709551615'],
  ],
  outcome: { tag: 'ok', value: true },
  note: null,
}

interface Body {
  readonly error?: { readonly code: string; readonly message: string; readonly path?: string }
  readonly [name: string]: unknown
}

describe('gateway of a live node', { timeout: 120_000 }, () => {
  let live: LiveCounter
  let check: OpenApiCheck

  before(async () => {
    live = await startCounter({ log: { requests: true } })
    check = await openApiCheck(await (await fetch(`${live.url}/v1/openapi.json`)).json())
  })

  after(() => live?.stop())

  async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; body: Body; headers: Headers }> {
    const response = await fetch(live.url + path, init)
    const body = (await response.json()) as Body
    check.answer(init.method ?? 'GET', path, response.status, body)
    return { status: response.status, body, headers: response.headers }
  }

  const query = (name: string, args: unknown): ReturnType<typeof ask> =>
    ask(`/v1/queries/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(args),
    })

  test('the document is OpenAPI 3.1 by the official schema, and every reference in it leads somewhere', () => {
    assert.deepEqual(check.documentErrors(), [])
    assert.ok(check.paths.includes('/v1/queries/echo') && !check.paths.includes('/v1/queries/add'))
  })

  test('a query in JSON, with arguments by name, in order and in the address', async () => {
    for (const args of [[all], { value: all }]) {
      check.schema('query.echo.arguments', args)
      const { status, body } = await query('echo', args)
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(body['value'], all)
    }
    const { body } = await ask(`/v1/queries/echo?args=${encodeURIComponent(JSON.stringify([all]))}`)
    assert.deepEqual(body['value'], all)
    const wrong = { ...all, color: 'blue' }
    assert.throws(() => check.schema('query.echo.arguments', [wrong]), /match/)
    const refused = await query('echo', [wrong])
    assert.deepEqual([refused.status, refused.body.error?.code], [400, 'argument-range'])
    assert.equal(refused.body.error?.path, 'value.color')
  })

  test('queries that cannot be asked in JSON are refused with what would mend it', async () => {
    const cases: readonly (readonly [string, unknown, number, string])[] = [
      ['total', [1], 400, 'argument-count'],
      ['nothing', [], 404, 'no-such-entry'],
      ['add', [1], 400, 'entry-not-query'],
      ['flood', [], 413, 'json-too-large'],
      ['wrong', [], 502, 'result-form'],
      ['trap', [], 422, 'query-trapped'],
    ]
    for (const [name, args, status, code] of cases) {
      const { body, ...answer } = await query(name, args)
      assert.deepEqual([answer.status, body.error?.code], [status, code], name)
    }
    const post = (body: string, type = 'application/json'): ReturnType<typeof ask> =>
      ask('/v1/queries/total', { method: 'POST', headers: { 'content-type': type }, body })
    assert.equal((await post('[')).body.error?.code, 'json-form')
    assert.equal((await post(`"${'x'.repeat(70_000)}"`)).status, 413)
    assert.equal((await post('x', 'text/plain')).status, 415)
    assert.equal((await post('x', 'application/octet-stream')).body.error?.code, 'content-type')
  })

  test('an envelope in JSON is taken, and its certificate and receipt in JSON are those that verify', async () => {
    const { value: before } = (await ask('/v1/queries/total')).body
    for (const encode of [
      (bytes: Uint8Array): string => `0x${toHex(bytes)}`,
      (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64'),
    ]) {
      const sent = live.call('add', [5])
      const { status, body } = await ask('/v1/envelopes', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ envelope: encode(sent.bytes) }),
      })
      assert.equal(status, 200, JSON.stringify(body))
      const [certificate] = body['certificates'] as { bytes: string; manifestHash: string; signers: unknown[] }[]
      const [receipt] = body['receipts'] as Record<string, unknown>[]
      const verified = Certificate.verify(
        hashing,
        nativeCurve,
        decodeCertificate(fromHex(certificate?.bytes ?? '')),
        live.genesis,
      )
      const proved = verified.verifyReceipt(decodeReceiptProof(fromHex(String(receipt?.['bytes']))))
      assert.equal(certificate?.manifestHash, `0x${toHex(verified.manifestHash)}`)
      assert.equal(certificate?.signers.length, verified.signers.length)
      assert.equal(receipt?.['transactionId'], `0x${toHex(proved.transactionId)}`)
      assert.deepEqual([receipt?.['status'], receipt?.['entry']], ['executed', 'add'])
      assert.deepEqual(receipt?.['events'], [{ name: 'added', value: { amount: 5, total: receipt?.['value'] } }])
      const again = await ask(`/v1/receipts/${toHex(proved.transactionId)}`, { headers: json })
      assert.deepEqual(again.body, body)
    }
    const { value: later, manifestHash, height } = (await ask('/v1/queries/total')).body
    assert.equal(BigInt(later as string) - BigInt(before as string), 10n)
    const at = await ask(`/v1/certificates/${height}`, { headers: json })
    assert.equal(at.body['manifestHash'], manifestHash)
  })

  test('a trap comes with the guest’s words and their place, which are no part of what is certified', async () => {
    const sent = live.call('fail', [])
    const [id] = transactionIds(hashing, live.genesis, decodeEnvelope(sent.bytes))
    const binary = await live.post(sent)
    assert.equal(binary.status, 200)
    const { hints, receipts } = decodeResults(new Uint8Array(await binary.arrayBuffer()))
    assert.equal(receipts.length, 1)
    assert.deepEqual(hints, [{ receipt: 0, text: 'no such note\n    at remove (assembly/backend.ts:12:5)' }])
    const { body } = await ask(`/v1/receipts/${toHex(id as Uint8Array)}`, { headers: json })
    const [receipt] = body['receipts'] as Record<string, unknown>[]
    assert.equal(receipt?.['status'], 'trapped')
    assert.deepEqual(receipt?.['hint'], { message: 'no such note', trace: ['remove (assembly/backend.ts:12:5)'] })
    assert.equal('value' in (receipt ?? {}), false)
  })

  test('envelopes in JSON that are none are refused', async () => {
    const post = (body: string): ReturnType<typeof ask> =>
      ask('/v1/envelopes', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    for (const [body, code] of [
      ['{}', 'json-form'],
      ['{"envelope":7}', 'json-form'],
      ['{"envelope":"a"}', 'json-form'],
      ['{"envelope":"0xabc"}', 'hex'],
      ['{"envelope":"0x"}', 'truncated'],
      ['{"envelope":"","more":1}', 'json-form'],
    ] as const) {
      const { status, body: answer } = await post(body)
      assert.deepEqual([status, answer.error?.code], [400, code], body)
    }
  })

  test('health, readiness and metrics', async () => {
    assert.deepEqual((await ask('/healthz')).body, { status: 'alive' })
    const ready = await ask('/readyz')
    assert.deepEqual([ready.status, ready.body['ready']], [200, true])
    const response = await fetch(`${live.url}/metrics`)
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    const metrics = parseMetrics(await response.text())
    const { certifiedHeight } = (await ask('/v1/status')).body
    assert.equal(metrics.value('onus_certified_height', {}), certifiedHeight)
    assert.ok(metrics.value('onus_certified_transactions_total', {}) >= 4)
    assert.ok(metrics.value('onus_certify_seconds_count', {}) >= 4)
    const refused = { method: 'POST', route: '/v1/queries/:name', status: '400' }
    assert.ok(metrics.value('onus_http_requests_total', refused) >= 3)
    assert.ok(metrics.value('onus_votes_signed_total', {}) > 0)
    assert.ok(metrics.value('process_resident_memory_bytes', {}) > 1e6)
    const guideText = await readFile(guide, 'utf8')
    for (const name of metrics.names) assert.ok(guideText.includes(`\`${name}\``), `the guide does not name ${name}`)
  })

  test('pages of any origin may call, and see when to come back', async () => {
    const { headers } = await ask('/v1/status', { headers: { origin: 'https://app.example' } })
    assert.equal(headers.get('access-control-allow-origin'), '*')
    assert.match(headers.get('access-control-expose-headers') ?? '', /retry-after/)
    const preflight = await fetch(`${live.url}/v1/envelopes`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example' },
    })
    assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-methods')], [204, 'GET, POST'])
  })

  test('requests are log lines when the configuration says so', async () => {
    await ask('/v1/status')
    // The line is written when the answer is out.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const lines = live.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const line = lines.find(({ message, url }) => message === 'request' && url === '/v1/status')
    assert.deepEqual([line?.['level'], line?.['method'], line?.['status']], ['info', 'GET', 200])
    assert.ok(Number.isFinite(line?.['milliseconds']) && typeof line?.['time'] === 'string')
  })

  test('the examples of the guide run', async () => {
    const blocks = [...(await readFile(guide, 'utf8')).matchAll(/```sh\n(.*?)```/gs)].map(([, text]) => text ?? '')
    assert.ok(blocks.length >= 3, 'the guide has examples')
    const sent = live.call('add', [1])
    const [id] = transactionIds(hashing, live.genesis, decodeEnvelope(sent.bytes))
    for (const block of blocks) {
      const environment = { URL: live.url, ENVELOPE: `0x${toHex(sent.bytes)}`, ID: toHex(id as Uint8Array) }
      const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', block], {
        env: { ...process.env, ...environment },
        timeout: 20_000,
      })
      assert.ok(stdout.length > 0, block)
    }
  })

  test('everything that was asked is in the document', () => {
    assert.ok(check.answers >= 30, `${check.answers} answers were checked`)
  })
})
