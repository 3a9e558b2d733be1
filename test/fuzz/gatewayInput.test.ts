/**
 * Bad input to the gateways of a live cluster (`spec/gateway.md`): each is answered by the documented error, nothing of
 * it is executed, and every node stays healthy. What is random is drawn from a printed seed.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { utf8Bytes, utf8Text } from '@onus/protocol/bytes'
import { Certificate, decodeCertificate, type UnverifiedCertificate } from '@onus/protocol/certificate'
import { encodeCall } from '@onus/protocol/interface/call'
import { decodeManifest, encodeManifest, encodeSeal } from '@onus/protocol/manifest'
import { receiptStatus } from '@onus/protocol/receipt'
import { nobleCurve, randomPrivateKey } from '@onus/protocol/signature'
import { type Call, envelopeKind } from '@onus/protocol/transaction'
import { ledger } from '../e2e/backend/ledger.interface.js'
import { buildLedger } from '../e2e/buildLedger.js'
import { type GatewayReply, post, request, statusOf } from '../e2e/gatewayClient.js'
import { fetchReceipt } from '../e2e/invariants.js'
import { type LedgerCluster, openClient } from '../e2e/load.js'
import { perturb } from '../e2e/perturb.js'
import { integerBelow, oneOf, randomFrom } from '../e2e/random.js'
import { findCometbft, startCluster, type TestCluster } from '../e2e/testCluster.js'
import { hashing, signTransactions, TestSession } from '../e2e/testSession.js'
import { openSlowly, rawExchange } from './rawHttp.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const seed = Number(process.env['ONUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const fuzzMilliseconds = process.env['ONUS_NIGHTLY'] === '1' ? 120_000 : 8_000

const addArgument = encodeCall(ledger, 'add', [1])

/** The high half of S is as good for ECDSA and refused here: one signature has one encoding. */
function withHighS(bytes: Uint8Array): Uint8Array {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const changed = bytes.slice()
  const at = changed.length - 33
  const s = BigInt(`0x${Buffer.from(changed.subarray(at, at + 32)).toString('hex')}`)
  changed.set(Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex'), at)
  changed[changed.length - 1] = 1 - (changed[changed.length - 1] as number)
  return changed
}

describe('bad input to a gateway', { skip, timeout: 240_000 }, () => {
  let cluster: TestCluster
  let client: LedgerCluster
  let urls: readonly string[]
  let url: string
  let session: TestSession
  let slowBodies: Promise<string[]>

  before(async () => {
    const path = 'path' in cometbft ? cometbft.path : null
    cluster = await startCluster({ nodes: 4, module: await buildLedger(), cometbft: path })
    urls = cluster.localnet.gatewayUrls
    url = urls[0] as string
    client = await openClient(cluster.localnet)
    assert.equal(await client.call.add(1), 1)
    session = await TestSession.open(cluster.localnet, url)
    // Their end is looked at later: a node gives up on them after half a minute.
    slowBodies = Promise.all(Array.from({ length: 20 }, () => openSlowly(url, 75_000)))
  })

  after(async () => {
    client?.close()
    await cluster?.remove()
  })

  const submit = (bytes: Uint8Array, node = url): Promise<GatewayReply> =>
    post(`${node}/v1/envelopes?timeout=1500`, bytes)

  async function checkRefused(bytes: Uint8Array, status: number, code: string | RegExp): Promise<void> {
    const reply = await submit(bytes)
    assert.equal(reply.status, status, `${reply.status} ${reply.code}`)
    if (typeof code === 'string') assert.equal(reply.code, code)
    else assert.match(reply.code ?? '', code)
  }

  async function checkHealthy(): Promise<void> {
    const { value: counted } = await client.query.count()
    assert.equal(await client.call.add(1), counted + 1)
    for (const [index, node] of urls.entries()) {
      assert.equal((await statusOf(node)).state, 'validating')
      assert.deepEqual(await cluster.logLines(index + 1, 'bug in the gateway'), [])
    }
    assert.deepEqual(cluster.exits, [], 'no process ended')
  }

  test('malformed envelopes: truncated, trailing, of another kind, with counts and lengths that lie', async () => {
    const { bytes } = session.sign([session.callOf(addArgument)])
    for (let length = 1; length < bytes.length; length += length < 60 ? 7 : 23)
      await checkRefused(bytes.subarray(0, length), 400, /^(truncated|signature-form|trailing-bytes)$/)
    await checkRefused(new Uint8Array(0), 400, /^(truncated|content-type)$/)
    await checkRefused(new Uint8Array([...bytes, 0]), 400, 'trailing-bytes')
    for (const kind of [0, 3, 0x13, 0x6f, 0xff]) {
      const other = bytes.slice()
      other[0] = kind
      await checkRefused(other, 400, 'envelope-kind')
    }
    const counted = (count: number): Uint8Array => {
      const changed = bytes.slice()
      new DataView(changed.buffer).setUint16(1, count)
      return changed
    }
    await checkRefused(counted(0), 400, 'envelope-count')
    await checkRefused(counted(1025), 400, 'envelope-count')
    await checkRefused(counted(2), 400, 'truncated')
    const long = bytes.slice()
    new DataView(long.buffer).setUint32(3, 0xffffffff)
    await checkRefused(long, 400, 'truncated')
    const great = bytes.slice()
    new DataView(great.buffer).setBigUint64(15, 2n ** 63n)
    await checkRefused(great, 400, 'integer-range')
    await checkRefused(withHighS(bytes), 400, 'signature-form')
    await checkHealthy()
  })

  test('arguments that are not of the described types', async () => {
    const send = (argument: Uint8Array, status: number, code: string): Promise<void> =>
      checkRefused(session.sign([session.callOf(argument)]).bytes, status, code)
    await send(new Uint8Array([1, 2, 3, 4]), 404, 'no-such-entry')
    await send(addArgument.subarray(0, 6), 400, 'decode-short')
    await send(new Uint8Array([...addArgument, 0]), 400, 'decode-trailing')
    await send(encodeCall(ledger, 'count', []), 400, 'query-not-callable')
    const note = encodeCall(ledger, 'note', [new Uint8Array(8)])
    new DataView(note.buffer).setUint32(4, 0xffffffff, true)
    await send(note, 400, 'decode-short')
    await checkHealthy()
  })

  test('wrong cluster, wrong epoch, wrong key, wrong session, wrong time', async () => {
    const { genesis } = cluster.localnet
    const call = session.callOf(addArgument)
    const elsewhere = { ...genesis, clusterId: new Uint8Array(32).fill(7) }
    const later = { ...genesis, epoch: 2 }
    for (const foreign of [elsewhere, later])
      await checkRefused(
        signTransactions(foreign, envelopeKind.accountCalls, [call], session.key).bytes,
        401,
        'signature-wrong',
      )
    await checkRefused(session.sign([call], randomPrivateKey()).bytes, 401, 'signature-wrong')
    const wallet = signTransactions(genesis, envelopeKind.sessionKeyCalls, [call], session.key)
    await checkRefused(wallet.bytes, 401, 'signature-wrong')
    const forged = session.sign([call]).bytes.slice()
    forged[20] = (forged[20] as number) ^ 1
    await checkRefused(forged, 401, 'signature-wrong')

    const spoiled = (changes: Partial<Call>): Uint8Array => session.sign([session.callOf(addArgument, changes)]).bytes
    const { height, time } = session.moment
    await checkRefused(spoiled({ expiry: { height: 0, time: time + 1000 } }), 410, 'expired')
    await checkRefused(spoiled({ expiry: { height: height + 100, time: 1 } }), 410, 'expired')
    const { expiryBlocks, expiryMilliseconds } = genesis.limits
    await checkRefused(
      spoiled({ expiry: { height: height + 10 * expiryBlocks, time: time + 60_000 } }),
      400,
      'expiry-too-far',
    )
    await checkRefused(
      spoiled({ expiry: { height: height + 100, time: Date.now() + 10 * expiryMilliseconds } }),
      400,
      'expiry-too-far',
    )
    // Another generation of the slot may be opened by an envelope on its way, so it may wait.
    const strange = await submit(spoiled({ session: { slot: session.slot, generation: 9 }, expiry: session.soon }))
    assert.ok([404, 504].includes(strange.status), `${strange.status} ${strange.code}`)
    const foreignOwner = session.opening({ owner: new Uint8Array(20).fill(1), key: new Uint8Array(20).fill(1) })
    await checkRefused(foreignOwner.bytes, 401, 'signature-wrong')
    const taken = session.opening({ closes: { height: height + 50_000, time: time + 3_000_000 } })
    await checkRefused(taken.bytes, 409, 'slot-taken')
    const beyond = session.opening({ session: { slot: genesis.limits.sessionCapacity, generation: 0 } })
    await checkRefused(beyond.bytes, 400, 'opening-limits')
    await checkHealthy()
  })

  test('replays: the same bytes give the same receipt; the same counter in other bytes is refused', async () => {
    const { bytes, id } = session.add(3)
    const first = await Promise.all(urls.map((node) => submit(bytes, node)))
    for (const { status, code } of first) assert.equal(status, 200, code ?? '')
    const { value: counted } = await client.query.count()
    for (const node of urls) {
      const again = await submit(bytes, node)
      assert.equal(again.status, 200)
      const { receipt } = await fetchReceipt(node, cluster.localnet.genesis, id)
      assert.equal(receipt.status, receiptStatus.executed)
    }
    session.nextCounter -= 1
    const other = session.add(4)
    for (const node of urls) {
      const { status, code } = await submit(other.bytes, node)
      assert.deepEqual([status, code], [409, 'counter-used'])
    }
    assert.equal((await client.query.count()).value, counted)
    const gap = session.sign([session.callOf(addArgument, { counter: session.nextCounter + 5, expiry: session.soon })])
    assert.equal((await submit(gap.bytes)).code, 'not-yet-certified')
    await checkHealthy()
  })

  test('a forged seal and a look-alike of a wake inside client bytes stay bytes (S7)', async () => {
    const { bytes: latest } = await request(`${url}/v1/certificates/latest`)
    const real = decodeCertificate(latest)
    // The seal that would give its sender the state: a manifest of this cluster and height with another state root.
    const forged = encodeManifest({ ...decodeManifest(real.manifest), stateRoot: new Uint8Array(32).fill(0x41) })
    const seal = encodeSeal(forged)
    const wake = new Uint8Array([...utf8Bytes('onus/wake/1\0'), ...new Uint8Array(93)])
    // No envelope may begin with either tag.
    for (const item of [seal, wake]) await checkRefused(item, 400, 'envelope-kind')
    const forgeries = [seal, wake].map((item) => session.callOf(encodeCall(ledger, 'note', [item])))
    const verify = (certificate: UnverifiedCertificate): Certificate =>
      Certificate.verify(hashing, nobleCurve, certificate, cluster.localnet.genesis)
    verify(real)
    assert.throws(() => verify({ ...real, manifest: forged }), { code: 'wrong-seal' })
    for (const call of forgeries) {
      const { bytes, id } = session.sign([{ ...call, counter: session.nextCounter }])
      session.nextCounter += 1
      assert.equal((await submit(bytes)).status, 200)
      const found = await Promise.all(urls.map((node) => fetchReceipt(node, cluster.localnet.genesis, id)))
      // The block's seal is its own: of this height and this cluster, with this receipt under its root.
      for (const { certificate } of found) {
        assert.notDeepEqual(certificate.manifest.stateRoot, new Uint8Array(32).fill(0x41))
        assert.deepEqual(certificate.manifestHash, found[0]?.certificate.manifestHash)
      }
    }
    const opener = await TestSession.plan(cluster.localnet, url)
    const opening = opener.opening({ admission: seal.subarray(0, 255) })
    assert.equal((await submit(opening.bytes)).status, 200)
    await checkHealthy()
  })

  test('parameters and paths that mean nothing', async () => {
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

  test('queries that cannot be answered', async () => {
    const ask = async (body: Uint8Array, query: string, status: number, code: string): Promise<void> => {
      const reply = await post(`${url}/v1/queries${query}`, body)
      assert.deepEqual([reply.status, reply.code], [status, code], query)
    }
    const count = encodeCall(ledger, 'count', [])
    await ask(count, '?height=-1', 400, 'parameter')
    await ask(count, '?height=999999', 504, 'height-ahead')
    for (let i = 0; i < 10; i++) await client.call.add(1)
    await ask(count, '?height=1', 410, 'height-gone')
    await ask(encodeCall(ledger, 'spinQuery', []), '', 422, 'query-trapped')
    for (const bad of [new Uint8Array([1, 2, 3]), new Uint8Array([1, 2, 3, 4]), new Uint8Array([...count, 1])]) {
      const reply = await post(`${url}/v1/queries`, bad)
      assert.ok(reply.status >= 400 && reply.status < 500, `${reply.status} ${reply.code}`)
    }
    // A call asked as a query may run, but what it writes is not kept.
    const { value: counted } = await client.query.count()
    await post(`${url}/v1/queries`, addArgument)
    assert.equal((await client.query.count()).value, counted)
    await checkHealthy()
  })

  test('content types, huge bodies and broken HTTP', async () => {
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
    const answers = await slowBodies
    for (const answer of answers) assert.match(answer, /^(HTTP\/1\.1 408 .*"code":"http".*)?$/s)
    assert.ok(
      answers.some((answer) => answer !== ''),
      'and their senders are told',
    )
    await checkHealthy()
  })

  test('replays after all processes were killed are known or refused, and never executed again', async () => {
    const sent = [session.add(7), session.add(8)]
    for (const { bytes, id } of sent) {
      assert.equal((await submit(bytes)).status, 200)
      for (const node of urls)
        assert.equal((await request(`${node}/v1/receipts/${id}?timeout=10000`)).status, 200, 'every node has it')
    }
    const { value: counted } = await client.query.count()
    await perturb(cluster, { kind: 'kill-all', node: 1 })
    await new Promise((resolve) => setTimeout(resolve, 500))
    await cluster.ready(60_000)
    for (const node of urls)
      for (const { bytes, id } of sent) {
        assert.equal((await submit(bytes, node)).status, 200)
        await fetchReceipt(node, cluster.localnet.genesis, id)
      }
    session.nextCounter -= 1
    const other = session.add(9)
    for (const node of urls) assert.equal((await submit(other.bytes, node)).code, 'counter-used')
    assert.equal(await client.call.add(1), counted + 1, 'nothing was added, and it goes on')
    assert.ok(
      cluster.exits.every(({ signal }) => signal === 'SIGKILL'),
      'only what was killed ended',
    )
  })
})
