/** Envelopes, ids and digests (`spec/transaction.md`), with every byte of the layout written by hand once. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ClusterDomain } from '../src/chainId.js'
import { AssertionError } from '../src/errors.js'
import { nobleHasher } from '../src/hash.js'
import { openingTypedDataDigest } from '../src/openingTypedData.js'
import { addressOf, nobleCurve, publicKeyOf } from '../src/signature.js'
import {
  decodeEnvelope,
  type Envelope,
  type EnvelopeKind,
  encodeEnvelope,
  encodeTransaction,
  envelopeDigest,
  envelopeKind,
  maximumCallsPerEnvelope,
  signEnvelope,
  type Transaction,
  transactionId,
  transactionIds,
} from '../src/transaction.js'
import { syntheticOpening } from './support/codecs.js'
import { mirrored } from './support/naiveCurve.js'
import { keccak, keccakTreeHash } from './support/naiveTrees.js'
import { assertRejects } from './support/rejection.js'
import { seededHash, seededKey } from './support/seeded.js'
import { syntheticCall } from './support/syntheticCluster.js'

const domain: ClusterDomain = { clusterId: seededHash('cluster'), epoch: 3, ethereumChainId: 31_337 }
const owner = seededKey('owner')
const device = seededKey('device')
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const tagWord = (text: string): Uint8Array => join(new Uint8Array(Buffer.from(text)), new Uint8Array(32 - text.length))
const epochBytes = bytesOf('0000000000000003')

const calls = (count: number): Transaction[] => Array.from({ length: count }, (_, index) => syntheticCall(index))
const sign = (kind: EnvelopeKind, transactions: readonly Transaction[], key = owner): Envelope =>
  signEnvelope(nobleHasher, nobleCurve, domain, kind, transactions, key)

const accountOpening = sign(envelopeKind.accountOpening, [syntheticOpening(owner, owner)])
const typedOpening = sign(envelopeKind.typedOpening, [syntheticOpening(owner, device, Uint8Array.of(1, 2, 3))])
const samples: readonly (readonly [Envelope, Uint8Array])[] = [
  [sign(envelopeKind.accountCalls, calls(1)), owner],
  [sign(envelopeKind.accountCalls, calls(5)), owner],
  [sign(envelopeKind.sessionKeyCalls, calls(2), device), device],
  [accountOpening, owner],
  [typedOpening, owner],
]

describe('layout', () => {
  test('of a call', () => {
    const body = encodeTransaction({
      type: 'call',
      session: { slot: 0x01020304, generation: 0x05060708 },
      counter: 0x0a0b,
      expiry: { height: 0x0c0d, time: 0x0e0f },
      gasLimit: 0x1011,
      argument: bytesOf('aabbccdd ee'),
    })
    assert.deepEqual(
      body,
      bytesOf('01020304 05060708 0000000000000a0b 0000000000000c0d 0000000000000e0f 0000000000001011 aabbccdd ee'),
    )
  })

  test('of an opening', () => {
    const body = encodeTransaction({
      type: 'opening',
      owner: new Uint8Array(20).fill(0xaa),
      key: new Uint8Array(20).fill(0xbb),
      session: { slot: 1, generation: 2 },
      closes: { height: 3, time: 4 },
      expiry: { height: 5, time: 6 },
      admission: bytesOf('cc dd'),
    })
    const integers = [3, 4, 5, 6].map((value) => `000000000000000${value}`).join('')
    assert.deepEqual(body, bytesOf(`${'aa'.repeat(20)}${'bb'.repeat(20)}0000000100000002${integers}02ccdd`))
  })

  test('of envelopes: kind, count and lengths before calls, the signature last', () => {
    const [batch] = samples[2] as (typeof samples)[number]
    const [a, b] = batch.bodies as [Uint8Array, Uint8Array]
    const length = (body: Uint8Array): Uint8Array => Uint8Array.of(0, 0, 0, body.length)
    assert.deepEqual(encodeEnvelope(batch), join(bytesOf('020002'), length(a), a, length(b), b, batch.signature))
    const [opening] = typedOpening.bodies as [Uint8Array]
    assert.deepEqual(encodeEnvelope(typedOpening), join(bytesOf('12'), opening, typedOpening.signature))
  })

  test('decoding gives back every envelope', () => {
    for (const [envelope] of samples) assert.deepEqual(decodeEnvelope(encodeEnvelope(envelope)), envelope)
  })
})

describe('ids', () => {
  test('are keccak256(00 or 02 ‖ cluster id ‖ epoch ‖ body)', () => {
    for (const [envelope] of samples)
      envelope.bodies.forEach((body, index) => {
        const type = envelope.transactions[index]?.type ?? 'call'
        const prefix = Uint8Array.of(type === 'call' ? 0 : 2)
        const expected = keccak(prefix, domain.clusterId, epochBytes, body)
        assert.deepEqual(transactionIds(nobleHasher, domain, envelope)[index], expected)
        assert.deepEqual(transactionId(nobleHasher, domain, type, body), expected)
      })
  })

  test('differ between clusters, epochs and types', () => {
    const [body] = typedOpening.bodies as [Uint8Array]
    const ids = [
      transactionId(nobleHasher, domain, 'call', body),
      transactionId(nobleHasher, domain, 'opening', body),
      transactionId(nobleHasher, { ...domain, epoch: 4 }, 'call', body),
      transactionId(nobleHasher, { ...domain, clusterId: seededHash('other') }, 'call', body),
    ]
    assert.equal(new Set(ids.map((id) => Buffer.from(id).toString('hex'))).size, 4)
  })
})

describe('digests', () => {
  const digestOf = (envelope: Envelope, under = domain): Uint8Array =>
    envelopeDigest(nobleHasher, under, envelope, transactionIds(nobleHasher, under, envelope))

  test('of calls: kind, tag, cluster, epoch, count and root of the ids', () => {
    for (const count of [1, 2, 3, 5, 8, 33]) {
      const envelope = sign(envelopeKind.sessionKeyCalls, calls(count), device)
      const root = keccakTreeHash(transactionIds(nobleHasher, domain, envelope))
      const head = join(
        Uint8Array.of(2),
        tagWord('onus/calls/1'),
        domain.clusterId,
        epochBytes,
        Uint8Array.of(0, count),
      )
      assert.deepEqual(digestOf(envelope), keccak(head, root))
    }
  })

  test('of openings: of the body for kind 0x11, of the typed data for 0x12', () => {
    const head = join(Uint8Array.of(0x11), tagWord('onus/opening/1'), domain.clusterId, epochBytes)
    assert.deepEqual(digestOf(accountOpening), keccak(head, accountOpening.bodies[0] as Uint8Array))
    const opening = typedOpening.transactions[0]
    assert.ok(opening?.type === 'opening')
    assert.deepEqual(digestOf(typedOpening), openingTypedDataDigest(nobleHasher, domain, opening))
  })

  test('are what the signature is over: it recovers to the signer', () => {
    for (const [envelope, key] of samples) {
      const signer = nobleCurve.recover(digestOf(envelope), envelope.signature)
      assert.deepEqual(addressOf(signer as Uint8Array), addressOf(publicKeyOf(key)))
    }
  })

  test('differ with kind, count, order, cluster and epoch, so that nothing signed fits elsewhere', () => {
    const [one, two] = calls(2) as [Transaction, Transaction]
    const digests = [
      digestOf(sign(envelopeKind.accountCalls, [one])),
      digestOf(sign(envelopeKind.sessionKeyCalls, [one])),
      digestOf(sign(envelopeKind.accountCalls, [one, two])),
      digestOf(sign(envelopeKind.accountCalls, [two, one])),
      digestOf(sign(envelopeKind.accountCalls, [one, one])),
      digestOf(sign(envelopeKind.accountCalls, [one]), { ...domain, epoch: 4 }),
      digestOf(sign(envelopeKind.accountCalls, [one]), { ...domain, clusterId: seededHash('other') }),
      digestOf(accountOpening),
      digestOf({ ...accountOpening, kind: envelopeKind.typedOpening }),
      digestOf(accountOpening, { ...domain, epoch: 4 }),
      digestOf(typedOpening, { ...domain, ethereumChainId: 1 }),
      digestOf(typedOpening),
    ]
    assert.equal(new Set(digests.map((digest) => Buffer.from(digest).toString('hex'))).size, digests.length)
  })

  test('one call of a batch is provable alone: its id under the root that was signed', () => {
    const envelope = sign(envelopeKind.accountCalls, calls(6))
    const ids = transactionIds(nobleHasher, domain, envelope)
    const node = (a: Uint8Array, b: Uint8Array): Uint8Array => keccak(Uint8Array.of(1), a, b)
    const [a, b, c, d, e, f] = ids as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    const siblings = { d: c, ab: node(a, b), ef: node(e, f) }
    const root = node(node(siblings.ab, node(siblings.d, d)), siblings.ef)
    const head = join(Uint8Array.of(1), tagWord('onus/calls/1'), domain.clusterId, epochBytes, Uint8Array.of(0, 6))
    assert.deepEqual(nobleCurve.recover(keccak(head, root), envelope.signature), publicKeyOf(owner))
  })
})

describe('rejections', () => {
  const [single] = samples[0] as (typeof samples)[number]
  const [batch] = samples[1] as (typeof samples)[number]
  const refuses = (code: string, bytes: Uint8Array): void => assertRejects(code, () => decodeEnvelope(bytes))
  const patched = (bytes: Uint8Array, at: number, patch: readonly number[]): Uint8Array => {
    const copy = bytes.slice()
    copy.set(patch, at)
    return copy
  }

  test('every kind byte but four, those kept for P-256 included', () => {
    const known = new Set<number>(Object.values(envelopeKind))
    for (let kind = 0; kind < 256; kind++)
      if (!known.has(kind)) refuses('envelope-kind', patched(encodeEnvelope(single), 0, [kind]))
    assert.deepEqual([...known], [0x01, 0x02, 0x11, 0x12])
  })

  test('no calls, and more than 1,024', () => {
    refuses('envelope-count', patched(encodeEnvelope(single), 1, [0, 0]))
    refuses('envelope-count', patched(encodeEnvelope(single), 1, [0x04, 0x01]))
    const call = syntheticCall(0, { argument: new Uint8Array(4) })
    const many = Array.from({ length: maximumCallsPerEnvelope + 1 }, (_, counter) => ({ ...call, counter }))
    assert.equal(decodeEnvelope(encodeEnvelope(sign(envelopeKind.accountCalls, many.slice(1)))).bodies.length, 1024)
    refuses('envelope-count', encodeEnvelope(sign(envelopeKind.accountCalls, many)))
  })

  test('a call without a whole selector, and lengths that do not fit', () => {
    const short = { ...batch, bodies: [(batch.bodies[0] as Uint8Array).subarray(0, 43)] }
    refuses('truncated', encodeEnvelope(short))
    refuses('truncated', patched(encodeEnvelope(single), 3, [0xff, 0xff, 0xff, 0xff]))
    refuses('truncated', patched(encodeEnvelope(single), 1, [0, 2]))
  })

  test('integers of 2^53 and more', () => {
    const call = encodeEnvelope(single)
    for (const at of [15, 23, 31, 39]) refuses('integer-range', patched(call, at, [0, 0x20, 0, 0, 0, 0, 0, 0]))
    const opening = encodeEnvelope(typedOpening)
    for (const at of [49, 57, 65, 73]) refuses('integer-range', patched(opening, at, [0xff]))
  })

  test('signatures of another form: high S, V over 1, one byte more or less', () => {
    for (const [envelope] of samples) {
      const bytes = encodeEnvelope(envelope)
      refuses('signature-form', encodeEnvelope({ ...envelope, signature: mirrored(envelope.signature) }))
      refuses('signature-form', patched(bytes, bytes.length - 1, [27]))
      refuses('truncated', bytes.subarray(0, -1))
      refuses('trailing-bytes', join(bytes, Uint8Array.of(0)))
    }
  })

  test('writing an admission of over 255 bytes is a bug', () => {
    assert.throws(() => encodeTransaction(syntheticOpening(owner, owner, new Uint8Array(256))), AssertionError)
  })
})
