/**
 * Garbage on the links between gateways and on CometBFT's mempool: strangers do not get in, and what a member with the
 * right key sends breaks its connection at most. The nodes stay healthy and execute nothing of it (S7).
 */
import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { frameOf } from '@onus/node/links/linkFrames'
import { linkCiphers, sharedLinkKey } from '@onus/node/links/linkKey'
import { type NodeFiles, readNodeFiles } from '@onus/node/nodeConfig'
import { toHex, utf8Bytes } from '@onus/protocol/bytes'
import { chainIdOfGenesis } from '@onus/protocol/genesis'
import { encodeCall } from '@onus/protocol/interface/call'
import { publicKeyOf, randomPrivateKey } from '@onus/protocol/signature'
import { ledger } from '../e2e/backend/ledger.interface.js'
import { buildLedger } from '../e2e/buildLedger.js'
import { request, statusOf, untilStatus } from '../e2e/gatewayClient.js'
import { type LedgerCluster, openClient } from '../e2e/load.js'
import { integerBelow, randomFrom } from '../e2e/random.js'
import { findCometbft, startCluster, type TestCluster } from '../e2e/testCluster.js'
import { TestSession } from '../e2e/testSession.js'

const cometbft = await findCometbft()
const skip = 'skip' in cometbft ? cometbft.skip : false
const seed = Number(process.env['ONUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Resolves to whether the TLS handshake succeeds. */
function dial(files: NodeFiles, psk: Buffer, identity: string): Promise<TLSSocket | null> {
  return new Promise((resolve) => {
    const socket = connectTls({
      host: '127.0.0.1',
      port: files.config.link.port,
      ciphers: linkCiphers,
      maxVersion: 'TLSv1.2',
      pskCallback: () => ({ psk, identity }),
      checkServerIdentity: () => undefined,
    })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', () => resolve(null))
    socket.once('close', () => resolve(null))
  })
}

/** Resolves to whether the other side closes within `milliseconds`. */
function isClosed(socket: TLSSocket, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy()
      resolve(false)
    }, milliseconds)
    socket.resume()
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(true)
    })
    socket.on('error', () => undefined)
  })
}

describe('garbage on links and mempool', { skip, timeout: 120_000 }, () => {
  let cluster: TestCluster
  let client: LedgerCluster
  let target: NodeFiles
  let member: NodeFiles
  let chainId: string

  before(async () => {
    const path = 'path' in cometbft ? cometbft.path : null
    cluster = await startCluster({ nodes: 4, module: await buildLedger(), cometbft: path })
    client = await openClient(cluster.localnet)
    assert.equal(await client.call.add(1), 1)
    const [first, second] = cluster.localnet.homes as [string, string]
    target = await readNodeFiles(first)
    member = await readNodeFiles(second)
    chainId = chainIdOfGenesis(cluster.localnet.genesis)
  })

  after(async () => {
    client?.close()
    await cluster?.remove()
  })

  /** A connection of node 2 to node 1 with node 2's own key. */
  async function dialAsMember(): Promise<TLSSocket> {
    const psk = sharedLinkKey(chainId, member.linkKey, publicKeyOf(target.linkKey))
    const socket = await dial(target, psk, toHex(publicKeyOf(member.linkKey)))
    assert.ok(socket !== null, 'a member gets in')
    return socket
  }

  async function checkHealthy(): Promise<void> {
    const { value: counted } = await client.query.count()
    assert.equal(await client.call.add(1), counted + 1)
    const { gatewayUrls } = cluster.localnet
    await untilStatus(gatewayUrls, 'all linked', 10_000, (all) =>
      all.every(({ state, links }) => state === 'validating' && links.length === 3),
    )
    assert.deepEqual(cluster.exits, [])
  }

  test('raw TCP: garbage, silence and half a handshake', async () => {
    const random = randomFrom(seed)
    const sockets = Array.from({ length: 40 }, (_, index) => {
      const socket = connectTcp(target.config.link.port, '127.0.0.1')
      socket.on('error', () => undefined)
      if (index % 4 !== 0) socket.write(Buffer.from(Array.from({ length: 200 }, () => integerBelow(random, 256))))
      if (index % 4 === 2) socket.write(Buffer.from('160301020001', 'hex'))
      return socket
    })
    await checkHealthy()
    for (const socket of sockets) socket.destroy()
  })

  test('strangers: an unknown identity, a wrong key, the key of another chain', async () => {
    const own = randomPrivateKey()
    const memberName = toHex(publicKeyOf(member.linkKey))
    const stranger = sharedLinkKey(chainId, own, publicKeyOf(target.linkKey))
    assert.equal(await dial(target, stranger, toHex(publicKeyOf(own))), null)
    assert.equal(await dial(target, stranger, memberName), null)
    const elsewhere = sharedLinkKey(`${chainId}1`, member.linkKey, publicKeyOf(target.linkKey))
    assert.equal(await dial(target, elsewhere, memberName), null)
    assert.equal(await dial(target, Buffer.alloc(32), ''), null)
    await checkHealthy()
  })

  test('a member that sends frames that are none loses its connection', async () => {
    const { envelopeBytes } = cluster.localnet.genesis.limits
    const lengthOnly = (length: number): Buffer => {
      const frame = Buffer.alloc(4)
      frame.writeUInt32BE(length)
      return frame
    }
    for (const bad of [lengthOnly(0), lengthOnly(envelopeBytes + 1), lengthOnly(0xffffffff)]) {
      const socket = await dialAsMember()
      socket.write(bad)
      assert.ok(await isClosed(socket, 5000), `closed after ${bad.toString('hex')}`)
    }
    await checkHealthy()
  })

  test(`a member that sends envelopes that are none, or forged, changes nothing, seed ${seed}`, async () => {
    const random = randomFrom(seed)
    const url = cluster.localnet.gatewayUrls[0] as string
    const session = await TestSession.open(cluster.localnet, url)
    const argument = encodeCall(ledger, 'add', [100])
    const good = session.sign([session.callOf(argument)]).bytes
    const forged = session.sign([session.callOf(argument)], randomPrivateKey()).bytes
    const { value: counted } = await client.query.count()
    const socket = await dialAsMember()
    for (const tag of ['onus/seal/1', 'onus/wake/1\0'])
      socket.write(frameOf(new Uint8Array([...utf8Bytes(tag), ...new Uint8Array(1100)])))
    for (let i = 0; i < 500; i++) {
      const bytes = (i % 2 === 0 ? forged : good).slice()
      const at = integerBelow(random, bytes.length)
      bytes[at] = (bytes[at] as number) ^ (1 << integerBelow(random, 8))
      socket.write(frameOf(i % 5 === 0 ? forged : bytes))
    }
    // Half a frame, and then silence.
    socket.write(frameOf(good).subarray(0, 50))
    await checkHealthy()
    assert.equal((await client.query.count()).value, counted + 1, 'only the call of the health check was executed')

    // The same member may pass on what is right, also call by call in pieces.
    const frame = frameOf(good)
    const other = await dialAsMember()
    for (const byte of frame) other.write(Buffer.from([byte]))
    // A node does not wake the chain for what a peer passed on; after a while it does all the same.
    const { id } = session.sign([session.callOf(argument)])
    const { status } = await request(`${url}/v1/receipts/${id}?timeout=10000`)
    assert.equal(status, 200)
    socket.destroy()
    other.destroy()
    await checkHealthy()
  })

  test('the mempool takes wakes of members and nothing else', async () => {
    const { rpcPort } = target.config.cometbft
    const broadcast = async (bytes: Uint8Array): Promise<{ code: number; log: string }> => {
      const body = {
        jsonrpc: '2.0',
        id: 1,
        method: 'broadcast_tx_sync',
        params: { tx: Buffer.from(bytes).toString('base64') },
      }
      const response = await fetch(`http://127.0.0.1:${rpcPort}`, { method: 'POST', body: JSON.stringify(body) })
      const { result, error } = (await response.json()) as { result?: { code: number; log: string }; error?: unknown }
      return result ?? { code: -1, log: JSON.stringify(error) }
    }
    const wakeTag = utf8Bytes('onus/wake/1\0')
    const address = cluster.localnet.genesis.validators.validators[0]?.address as Uint8Array
    const unsigned = new Uint8Array([...wakeTag, ...address, ...new Uint8Array(8 + 65)])
    const session = await TestSession.plan(cluster.localnet, cluster.localnet.gatewayUrls[0] as string)
    for (const bytes of [
      new Uint8Array(1),
      utf8Bytes('key=value'),
      wakeTag,
      unsigned,
      new Uint8Array([...unsigned, 0]),
      utf8Bytes(`onus/seal/1${'\0'.repeat(900)}`),
      session.opening().bytes,
    ]) {
      const { code, log } = await broadcast(bytes)
      assert.notEqual(code, 0, 'it is not taken')
      assert.match(log, /wake-form|too large/)
    }
    await checkHealthy()
    for (const url of cluster.localnet.gatewayUrls) assert.equal((await statusOf(url)).state, 'validating')
  })
})
