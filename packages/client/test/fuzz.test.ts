/** Whatever bytes a node sends, verification gives the certified receipts or an `OnusError`; sessions keep their counters. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CertificateStore } from '@onus/client/certificateStore'
import { integerOf, readGatewayError, readJsonObject } from '@onus/client/gatewayError'
import {
  type ClientSession,
  confirmCounter,
  consecutiveCounters,
  newSession,
  releaseCounter,
  takeCounter,
} from '@onus/client/session'
import { type TrustedCluster, trustedCluster } from '@onus/client/trust'
import { verifyResults } from '@onus/client/verifyResults'
import { fromHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { encodeResults } from '@onus/protocol/gatewayMessages'
import { domainOfGenesis } from '@onus/protocol/genesis'
import { nobleHasher } from '@onus/protocol/hash'
import { addressOf, nobleCurve, publicKeyOf } from '@onus/protocol/signature'
import { encodeEnvelope, envelopeKind, signEnvelope } from '@onus/protocol/transaction'
import fc from 'fast-check'
import { FakeChain, testKey } from './fakeChain.js'

function honestResults(): { trust: TrustedCluster; bytes: Uint8Array; ids: Uint8Array[] } {
  const chain = new FakeChain({ members: 4 })
  const key = testKey(1, 9)
  const owner = addressOf(publicKeyOf(key))
  const far = { height: 50, time: chain.milliseconds + 10_000 }
  const domain = domainOfGenesis(chain.genesis)
  const opening = {
    type: 'opening',
    owner,
    key: owner,
    session: { slot: 0, generation: 0 },
    closes: far,
    expiry: far,
    admission: new Uint8Array(0),
  } as const
  const envelope = signEnvelope(nobleHasher, nobleCurve, domain, envelopeKind.accountOpening, [opening], key)
  const block = chain.produce([encodeEnvelope(envelope)], { signers: [0, 1, 3] })
  const bytes = encodeResults({ certificates: [block.certificate], receipts: [...block.receipts] })
  const trust = trustedCluster(chain.genesisBytes, nobleHasher, nobleCurve)
  return { trust, bytes, ids: chain.idsOf(envelope).map(fromHex) }
}

/** Verified with nothing known before. */
function verifyAnew(trust: TrustedCluster, bytes: Uint8Array, ids: readonly Uint8Array[]) {
  const store = new CertificateStore(trust, () => assert.fail('no fork'))
  return verifyResults((certificate) => store.admit(certificate), bytes, ids).map(({ receipt }) => receipt)
}

function valueOrRejection<T>(run: () => T): T | 'rejected' {
  try {
    return run()
  } catch (error) {
    assert.ok(error instanceof OnusError, String(error))
    return 'rejected'
  }
}

describe('fuzzed', () => {
  const { trust, bytes, ids } = honestResults()
  const expected = verifyAnew(trust, bytes, ids)

  test('results with one changed byte are rejected or say the same', () => {
    let rejected = 0
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bent = bytes.slice()
        bent[at] = (bent[at] ?? 0) ^ change
        const receipts = valueOrRejection(() => verifyAnew(trust, bent, ids))
        if (receipts === 'rejected') rejected += 1
        else assert.deepEqual(receipts, expected)
      }),
      { seed: 3, numRuns: 400 },
    )
    assert.ok(rejected > 390, `${rejected} of 400`)
  })

  test('results cut anywhere, or with bytes behind them, are rejected', () => {
    for (let length = 0; length < bytes.length; length++)
      assert.equal(
        valueOrRejection(() => verifyAnew(trust, bytes.subarray(0, length), ids)),
        'rejected',
      )
    const longer = new Uint8Array(bytes.length + 1)
    longer.set(bytes)
    assert.equal(
      valueOrRejection(() => verifyAnew(trust, longer, ids)),
      'rejected',
    )
  })

  test('random bytes are rejected', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (random, isTagged) => {
        const input = isTagged ? new Uint8Array([...bytes.subarray(0, 16), ...random]) : random
        assert.equal(
          valueOrRejection(() => verifyAnew(trust, input, ids)),
          'rejected',
        )
      }),
      { seed: 4, numRuns: 1000 },
    )
  })

  test('JSON of nodes is an object with the integers asked for, or rejected', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const input = new TextEncoder().encode(text)
        readGatewayError(input)
        const value = valueOrRejection(() => integerOf(readJsonObject(input), 'a', 10))
        assert.ok(value === 'rejected' || (Number.isInteger(value) && value >= 0 && value <= 10))
      }),
      { seed: 5, numRuns: 1000 },
    )
  })

  test('a session never gives a counter twice while it may be used', () => {
    const action = fc.tuple(fc.constantFrom('take', 'release', 'confirm'), fc.nat(20))
    fc.assert(
      fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
        const far = { height: 10, time: 10 }
        const session: ClientSession = newSession({ slot: 0, generation: 0 }, testKey(1), 1, far, 0)
        const taken: number[] = []
        let confirmed = -1
        for (const [kind, pick] of actions) {
          const run = consecutiveCounters(session)
          if (kind === 'take') {
            const counter = takeCounter(session)
            assert.ok(!taken.includes(counter) && counter > confirmed)
            if (run > 1) assert.equal(Math.min(...session.holes, session.nextCounter), counter + 1)
            taken.push(counter)
            taken.sort((a, b) => a - b)
          } else if (taken.length > 0 && kind === 'release') {
            releaseCounter(session, taken.splice(pick % taken.length, 1)[0] as number)
          } else if (taken.length > 0) {
            // The cluster executes in order: only a call without a hole before it.
            const first = taken[0] as number
            if (session.holes.some((hole) => hole < first)) continue
            confirmed = first
            confirmCounter(session, first)
            taken.shift()
          }
        }
      }),
      { seed: 6, numRuns: 500 },
    )
  })
})
