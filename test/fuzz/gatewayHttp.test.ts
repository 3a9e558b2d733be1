/**
 * Bad HTTP to the gateways of a live cluster (`spec/gateway.md`): parameters, paths, content types, bodies too long or
 * without end, no HTTP at all, and random requests from a printed seed. All get a typed error, and the nodes stay healthy.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { utf8Text } from '@onus/protocol/bytes'
import { encodeCall } from '@onus/protocol/interface/call'
import { ledger } from '../e2e/backend/ledger.interface.js'
import { type GatewayReply, post, request } from '../e2e/gatewayClient.js'
import { integerBelow, oneOf, randomFrom } from '../e2e/random.js'
import { findCometbft } from '../e2e/testCluster.js'
import { TestSession } from '../e2e/testSession.js'
import { addArgument, type GatewayTarget, openTarget } from './gatewayTarget.js'
import { openSlowly, rawExchange } from './rawHttp.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const seed = Number(process.env['ONUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const fuzzMilliseconds = process.env['ONUS_NIGHTLY'] === '1' ? 120_000 : 8_000

describe('bad HTTP', { skip, timeout: 300_000 }, () => {
  let target: GatewayTarget
  let slowBodies: Promise<string[]>

  before(async () => {
    target = await openTarget('path' in cometbft ? cometbft.path : null)
    // Their end is looked at last: a node gives up on them after half a minute.
    slowBodies = Promise.all(Array.from({ length: 20 }, () => openSlowly(target.url, 75_000)))
    // Awaited in the last test; until then a rejection must not end the process.
    slowBodies.catch(() => undefined)
  })

  after(() => target?.remove())

  test('parameters and paths that mean nothing', async () => {
    const { url, checkHealthy } = target
    const get = async (path: string, status: number, code: string | null): Promise<void> => {
      const reply = await request(url + path)
      assert.deepEqual([reply.status, reply.code], [status, code], path)
    }
    await get(`/v1/receipts/${'0'.repeat(64)}`, 404, 'unknown-transaction')
    await get(`/v1/receipts/${'0'.repeat(64)}?timeout=50`, 404, 'unknown-transaction')
    for (const id of ['0'.repeat(62), '0'.repeat(66)]) await get(`/v1/receipts/${id}`, 400, 'parameter')
    for (const id of ['x'.repeat(64), '0'.repeat(63), 'latest', '..%2f..%2fetc'])
      await get(`/v1/receipts/${id}`, 400, 'hex')
    for (const timeout of ['-1', '1e3', '01', '60001', '99999999999999999999', 'abc', '%00', ' 1'])
      await get(`/v1/receipts/${'0'.repeat(64)}?timeout=${timeout}`, 400, 'parameter')
    await get(`/v1/receipts/${'0'.repeat(64)}?timeout=1&timeout=2`, 400, 'parameter')
    for (const height of ['-1', '1.5', 'newest', '9007199254740992', '0x1'])
      await get(`/v1/certificates/${height}`, 400, 'parameter')
    await get('/v1/certificates/0', 404, 'unknown-block')
    await get(`/v1/certificates/${Number.MAX_SAFE_INTEGER}`, 200, null)
    for (const slot of ['-1', '4294967296', 'abc', '1.0']) await get(`/v1/sessions/${slot}`, 400, 'parameter')
    await get('/v1/sessions/4294967295', 200, null)
    for (const path of ['/', '/v1', '/v2/status', '/v1/status/x', '//v1/status', '/v1/receipts', '/v1/envelopes'])
      await get(path, 404, 'no-such-path')
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const reply = await request(`${url}/v1/envelopes`, { method })
      assert.deepEqual([reply.status, reply.code], [404, 'no-such-path'], method)
    }
    await checkHealthy()
  })

  test('content types, huge bodies and broken HTTP', async () => {
    const { cluster, url, session, checkRefused, checkHealthy } = target
    const { bytes } = session.sign([session.callOf(addArgument)])
    for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x', 'nonsense']) {
      const reply = await request(`${url}/v1/envelopes`, {
        method: 'POST',
        body: bytes as Uint8Array<ArrayBuffer>,
        headers: { 'content-type': type },
      })
      assert.ok([400, 415].includes(reply.status) && reply.code !== null, `${type}: ${reply.status}`)
    }
    const { envelopeBytes } = cluster.localnet.genesis.limits
    await checkRefused(new Uint8Array(envelopeBytes + 1), 413, 'too-large')
    // Announced or not, more is not read.
    const announced = await rawExchange(
      url,
      'POST /v1/envelopes HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: 99999999999\r\n\r\n',
    )
    assert.match(announced, /^HTTP\/1\.1 413 .*"code":"too-large"/s)
    const endless = await rawExchange(
      url,
      'POST /v1/envelopes HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n',
      `10000\r\n${'x'.repeat(0x10000)}\r\n`.repeat(20),
    )
    assert.match(endless, /^HTTP\/1\.1 413 .*"code":"too-large"/s)
    for (const garbage of [
      'GARBAGE\r\n\r\n',
      'GET /v1/status HTTP/9.9\r\n\r\n',
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
      'POST /v1/envelopes HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n',
      'POST /v1/envelopes HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
      'GET /v1/status%ff%fe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      'GET /v1/receipts/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    ]) {
      const answer = await rawExchange(url, garbage)
      assert.match(answer, /^HTTP\/1\.1 4\d\d /, JSON.stringify(garbage.slice(0, 40)))
      assert.match(answer, /\{"error":\{"code":"[a-z-]+","message":/, JSON.stringify(garbage.slice(0, 40)))
    }
    await checkHealthy()
  })

  test(`random requests to all endpoints, seed ${seed}`, async () => {
    const { cluster, client, urls, url, session, checkHealthy } = target
    const random = randomFrom(seed)
    const bases = [
      session.sign([session.callOf(addArgument)]).bytes,
      session.sign([0, 1, 2].map((more) => session.callOf(addArgument, { counter: session.nextCounter + more }))).bytes,
      (await TestSession.plan(cluster.localnet, url)).opening().bytes,
      encodeCall(ledger, 'balance', [3]),
    ]
    const randomBytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => integerBelow(random, 256))
    const mutated = (): Uint8Array => {
      const bytes = oneOf(random, bases)
      const at = integerBelow(random, bytes.length)
      const some = randomBytes(1 + integerBelow(random, 8))
      const tail = bytes.subarray(at + integerBelow(random, 9))
      if (random() < 0.2) return randomBytes(integerBelow(random, 300))
      return new Uint8Array([...bytes.subarray(0, at), ...some, ...tail])
    }
    const text = (): string =>
      encodeURIComponent(utf8Text(randomBytes(integerBelow(random, 40)).map((byte) => byte & 127)))
    const paths = ['/v1/receipts/', '/v1/certificates/', '/v1/sessions/', '/v1/', '/v1/status', '/']
    const requestOnce = (): Promise<GatewayReply> => {
      const node = oneOf(random, urls)
      const kind = integerBelow(random, 4)
      if (kind === 0) return post(`${node}/v1/envelopes?timeout=${integerBelow(random, 40)}`, mutated())
      if (kind === 1) return post(`${node}/v1/queries`, mutated())
      if (kind === 2) return post(`${node}/v1/queries?height=${text()}`, mutated())
      return request(`${node}${oneOf(random, paths)}${text()}${random() < 0.3 ? `?timeout=${text()}` : ''}`)
    }
    const counts = new Map<string, number>()
    const { value: executed } = await client.query.calls()
    const end = Date.now() + fuzzMilliseconds
    const worker = async (): Promise<void> => {
      while (Date.now() < end) {
        const { status, code } = await requestOnce()
        assert.notEqual(status, 500, `a bug answered ${code}`)
        counts.set(code ?? 'ok', (counts.get(code ?? 'ok') ?? 0) + 1)
      }
    }
    await Promise.all([worker(), worker(), worker(), worker()])
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    console.log(`${total} random requests: ${[...counts].map(([code, count]) => `${count} ${code}`).join(', ')}`)
    assert.ok(counts.size > 8, 'many kinds of errors were met')
    assert.equal((await client.query.calls()).value, executed, 'nothing of it was executed')
    await checkHealthy()
  })

  test('bodies that never end are given up', async () => {
    const { checkHealthy } = target
    const answers = await slowBodies
    for (const answer of answers) assert.match(answer, /^(HTTP\/1\.1 408 .*"code":"http".*)?$/s)
    assert.ok(
      answers.some((answer) => answer !== ''),
      'and their senders are told',
    )
    await checkHealthy()
  })
})
