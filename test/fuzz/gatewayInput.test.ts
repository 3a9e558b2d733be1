/**
 * Bad envelopes and queries to the gateways of a live cluster (`spec/gateway.md`): each is answered by the documented
 * error, nothing of it is executed, and every node stays healthy, also when all were killed meanwhile.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { utf8Bytes } from '@onus/protocol/bytes'
import { Certificate, decodeCertificate, type UnverifiedCertificate } from '@onus/protocol/certificate'
import { encodeCall } from '@onus/protocol/interface/call'
import { decodeManifest, encodeManifest, encodeSeal } from '@onus/protocol/manifest'
import { receiptStatus } from '@onus/protocol/receipt'
import { nobleCurve, randomPrivateKey } from '@onus/protocol/signature'
import { type Call, envelopeKind } from '@onus/protocol/transaction'
import { ledger } from '../e2e/backend/ledger.interface.js'
import { post, request } from '../e2e/gatewayClient.js'
import { fetchReceipt } from '../e2e/invariants.js'
import { perturb } from '../e2e/perturb.js'
import { findCometbft } from '../e2e/testCluster.js'
import { hashing, signTransactions, TestSession } from '../e2e/testSession.js'
import { addArgument, type GatewayTarget, openTarget } from './gatewayTarget.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false

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

describe('bad envelopes and queries', { skip, timeout: 180_000 }, () => {
  let target: GatewayTarget

  before(async () => {
    target = await openTarget('path' in cometbft ? cometbft.path : null)
  })

  after(() => target?.remove())

  test('malformed envelopes: truncated, trailing, of another kind, with counts and lengths that lie', async () => {
    const { session, checkRefused, checkHealthy } = target
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
    const { session, checkRefused, checkHealthy } = target
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
    const { cluster, session, submit, checkRefused, checkHealthy } = target
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
    const { cluster, client, urls, session, submit, checkHealthy } = target
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
    const { cluster, urls, url, session, submit, checkRefused, checkHealthy } = target
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

  test('queries that cannot be answered', async () => {
    const { client, url, checkHealthy } = target
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

  test('replays after all processes were killed are known or refused, and never executed again', async () => {
    const { cluster, client, urls, session, submit } = target
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
