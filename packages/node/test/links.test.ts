/** Links between gateways: frames of any cut, delivery over real sockets, and everything that ends a connection. */
import assert from 'node:assert/strict'
import { connect as connectPlain, createServer as createPlain, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { connect } from 'node:tls'
import { FrameReader, frameOf } from '@onus/node/links/linkFrames'
import { linkCiphers, sharedLinkKey } from '@onus/node/links/linkKey'
import { type LinkPeer, Links } from '@onus/node/links/links'
import { nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import fc from 'fast-check'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { seededBytes } from './support/seeded.js'

const chainId = 'onus-00000000000000000001-1'
const host = '127.0.0.1'
const maximumEnvelopeBytes = 10_000

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !holds(); ) {
    if (Date.now() > end) assert.fail(`${what} did not come about`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function freePort(): Promise<number> {
  const server = createPlain()
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

interface End {
  readonly links: Links
  readonly received: Uint8Array[]
  /** Places of the senders among the peers. */
  readonly senders: Set<number>
}

const keyOf = (index: number): Uint8Array => seededBytes(`link ${index}`)

function end(index: number, ports: readonly number[], changes: { chainId?: string; key?: Uint8Array } = {}): End {
  const received: Uint8Array[] = []
  const senders = new Set<number>()
  const privateKey = changes.key ?? keyOf(index)
  const peers = ports.flatMap((port, peer): LinkPeer[] =>
    peer === index ? [] : [{ name: `node ${peer}`, host, port, publicKey: nativePublicKeyOf(keyOf(peer)) }],
  )
  const links = new Links({
    chainId: changes.chainId ?? chainId,
    host,
    port: ports[index] as number,
    privateKey,
    publicKey: nativePublicKeyOf(privateKey),
    peers,
    maximumEnvelopeBytes,
    onEnvelopes: (envelopes, peer) => {
      received.push(...envelopes)
      senders.add(peer)
    },
  })
  return { links, received, senders }
}

async function withEnds(
  count: number,
  action: (ends: End[], ports: readonly number[]) => Promise<void>,
  changes: Parameters<typeof end>[2][] = [],
): Promise<void> {
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  const ends = ports.map((_, index) => end(index, ports, changes[index]))
  for (const { links } of ends) await links.start()
  try {
    await action(ends, ports)
  } finally {
    for (const { links } of ends) await links.stop()
  }
}

/** A connection to a link server as its member `as`; gives the socket once it stands. */
async function dialAs(port: number, as: Uint8Array, server: Uint8Array): Promise<Socket> {
  const psk = sharedLinkKey(chainId, as, nativePublicKeyOf(server))
  const identity = Buffer.from(nativePublicKeyOf(as)).toString('hex')
  const socket = connect({
    host,
    port,
    ciphers: linkCiphers,
    maxVersion: 'TLSv1.2',
    pskCallback: () => ({ psk, identity }),
    checkServerIdentity: () => undefined,
  })
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  socket.on('error', () => undefined)
  return socket
}

const isClosed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve()
    else socket.once('close', () => resolve())
    socket.resume()
  })

describe('frames of a link', () => {
  test('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 10 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }),
        (envelopes, cuts) => {
          const stream = Buffer.concat(envelopes.map(frameOf))
          const reader = new FrameReader(300)
          const found: Uint8Array[] = []
          for (let at = 0, turn = 0; at < stream.length; turn++) {
            const length = cuts[turn % cuts.length] as number
            found.push(...reader.push(stream.subarray(at, at + length)))
            at += length
          }
          assert.deepEqual(found, envelopes)
        },
      ),
      { seed: 1, numRuns: 200 },
    )
  })

  test('of no or too many bytes are refused as soon as the length is there', () => {
    for (const length of [0, 301, 0xffffffff]) {
      const head = Buffer.alloc(4)
      head.writeUInt32BE(length)
      assertRejects('link-frame', () => new FrameReader(300).push(head))
    }
    assert.deepEqual(new FrameReader(300).push(frameOf(new Uint8Array(300))).length, 1)
  })

  test('of garbage never fail in another way, nor hold more than one frame', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), (chunks) => {
        const reader = new FrameReader(100)
        const refusal = rejectionOf(() => {
          for (const chunk of chunks)
            for (const found of reader.push(Buffer.from(chunk))) assert.ok(found.length <= 100)
        })
        assert.ok(refusal === null || refusal.code === 'link-frame')
      }),
      { seed: 2, numRuns: 300 },
    )
  })

  test('the envelopes are copies, so that a reused buffer does not change them', () => {
    const chunk = Buffer.from(frameOf(Uint8Array.of(1, 2, 3)))
    const [envelope] = new FrameReader(10).push(chunk)
    chunk.fill(9)
    assert.deepEqual(envelope, Uint8Array.of(1, 2, 3))
  })
})

describe('link keys', () => {
  test('two nodes find the same secret, bound to the chain; a third does not', () => {
    const [a, b, c] = [keyOf(0), keyOf(1), keyOf(2)] as const
    const secret = sharedLinkKey(chainId, a, nativePublicKeyOf(b))
    assert.deepEqual(sharedLinkKey(chainId, b, nativePublicKeyOf(a)), secret)
    assert.notDeepEqual(sharedLinkKey(chainId, c, nativePublicKeyOf(b)), secret)
    assert.notDeepEqual(sharedLinkKey('onus-00000000000000000001-2', a, nativePublicKeyOf(b)), secret)
  })

  test('what is no key is refused', () => {
    const point = nativePublicKeyOf(keyOf(0))
    for (const key of [new Uint8Array(0), new Uint8Array(33), point.slice(1), seededBytes('noise', 33)])
      assertRejects('link-key', () => sharedLinkKey(chainId, keyOf(1), key))
    assertRejects('link-key', () => sharedLinkKey(chainId, new Uint8Array(32), point))
  })
})

describe('links', { timeout: 60_000 }, () => {
  test('bring every envelope to every other member, in order', () =>
    withEnds(3, async (ends) => {
      for (const { links } of ends) await until('all links', () => links.connected.length === 2)
      const sent = Array.from({ length: 200 }, (_, index) =>
        seededBytes(`envelope ${index}`, 1 + ((index * 97) % 9000)),
      )
      for (const envelope of sent) ends[0]?.links.send(envelope)
      for (const { received, senders } of ends.slice(1)) {
        await until('delivery', () => received.length === sent.length)
        assert.deepEqual(received, sent)
        assert.deepEqual([...senders], [0], 'told by its place among the peers')
      }
      assert.equal(ends[0]?.received.length, 0)
    }))

  test('a member with another key, or of another chain, gets no connection', async () => {
    const changes = [{}, { key: seededBytes('impostor') }, { chainId: 'onus-00000000000000000002-1' }, {}]
    await withEnds(
      4,
      async ([honest, impostor, foreign, other]) => {
        await until('the honest link', () => honest?.links.connected.includes('node 3') ?? false)
        await until('the link back', () => other?.links.connected.includes('node 0') ?? false)
        await new Promise((resolve) => setTimeout(resolve, 300))
        assert.deepEqual(honest?.links.connected, ['node 3'])
        for (const outsider of [impostor, foreign]) {
          assert.deepEqual(outsider?.links.connected, [])
          outsider?.links.send(new Uint8Array(10))
        }
        assert.deepEqual(honest?.received, [])
      },
      changes,
    )
  })

  test('an empty or oversized frame ends the connection, and only that', () =>
    withEnds(2, async ([a, b], [port]) => {
      for (const length of [0, maximumEnvelopeBytes + 1, 0x7fffffff]) {
        const socket = await dialAs(port as number, keyOf(1), keyOf(0))
        const head = Buffer.alloc(4)
        head.writeUInt32BE(length)
        socket.write(frameOf(Uint8Array.of(7)))
        socket.write(head)
        await isClosed(socket)
      }
      await until('what stood before the bad frame', () => a?.received.length === 3)
      await until('the link', () => b?.links.connected.length === 1)
      b?.links.send(Uint8Array.of(8))
      await until('delivery', () => a?.received.length === 4)
    }))

  test('garbage, silence and half a handshake are survived', () =>
    withEnds(2, async ([a, b], [port]) => {
      const silent = connectPlain(port as number, host)
      silent.on('error', () => undefined)
      for (const length of [1, 5, 100, 5000]) {
        const socket = connectPlain(port as number, host)
        socket.on('error', () => undefined)
        socket.write(seededBytes(`garbage ${length}`, length))
        socket.end()
      }
      await until('the link', () => b?.links.connected.length === 1)
      b?.links.send(Uint8Array.of(1))
      await until('delivery', () => a?.received.length === 1)
      const started = Date.now()
      await a?.links.stop()
      assert.ok(Date.now() - started < 5000, 'a silent connection does not hold up the end')
      await isClosed(silent)
    }))

  test('a member that starts again is dialled again', () =>
    withEnds(2, async ([a, b], ports) => {
      await until('the link', () => a?.links.connected.length === 1)
      await b?.links.stop()
      await until('the end of the link', () => a?.links.connected.length === 0)
      a?.links.send(Uint8Array.of(1))
      const again = end(1, ports)
      await again.links.start()
      try {
        await until('the link again', () => a?.links.connected.length === 1)
        a?.links.send(Uint8Array.of(2))
        await until('delivery', () => again.received.length === 1)
        assert.deepEqual(again.received, [Uint8Array.of(2)])
      } finally {
        await again.links.stop()
      }
    }))

  test('a port in use and a key that is no point are refused', async () => {
    const port = await freePort()
    const server = createPlain()
    await new Promise<void>((resolve) => server.listen(port, host, resolve))
    await assert.rejects(end(0, [port]).links.start(), { code: 'link-port' })
    await new Promise((resolve) => server.close(resolve))
    const links = new Links({
      chainId,
      host,
      port: 0,
      privateKey: keyOf(0),
      publicKey: nativePublicKeyOf(keyOf(0)),
      peers: [{ name: 'x', host, port, publicKey: new Uint8Array(33) }],
      maximumEnvelopeBytes,
      onEnvelopes: () => undefined,
    })
    await assert.rejects(links.start(), { code: 'link-key' })
  })
})
