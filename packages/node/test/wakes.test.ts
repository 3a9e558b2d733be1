/** Wake transactions: who may wake the chain, how often, and when a proposer takes them into a block. */
import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { nativeCurve, nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import { Wakes } from '@onus/node/wakes'
import { isWake, maximumWakes, wakeLength } from '@onus/node/worker/blockItems'
import { chainIdOfGenesis } from '@onus/protocol/genesis'
import { addressOf } from '@onus/protocol/signature'
import fc from 'fast-check'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { seededBytes } from './support/seeded.js'
import { hashing, memberKeys, testCluster } from './support/testNode.js'

const { genesis } = testCluster()

interface Member {
  readonly wakes: Wakes
  /** What it broadcast. */
  readonly sent: Uint8Array[]
  fails: boolean
}

function member(index: number, chainId = chainIdOfGenesis(genesis), key = memberKeys[index] as Uint8Array): Member {
  const sent: Uint8Array[] = []
  const made: Member = {
    sent,
    fails: false,
    wakes: new Wakes({
      hasher: hashing,
      curve: nativeCurve,
      chainId,
      privateKey: key,
      address: addressOf(nativePublicKeyOf(key)).slice(),
      members: genesis.validators.validators,
      broadcast: async (wake) => {
        if (made.fails) throw new Error('the engine is not there')
        sent.push(wake)
      },
    }),
  }
  return made
}

function wakeOf(sender: Member): Uint8Array {
  const before = sender.sent.length
  sender.wakes.wake()
  assert.equal(sender.sent.length, before + 1)
  return sender.sent[before] as Uint8Array
}

/** Fresh wakes of one member, each of a process of its own. */
function manyWakes(index: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => wakeOf(member(index)))
}

describe('wakes', () => {
  test('a wake of a member passes every member once, and not again after it was in a block', () => {
    const [a, b] = [member(0), member(1)]
    const wake = wakeOf(a)
    assert.ok(isWake(wake))
    for (const { wakes } of [a, b]) {
      wakes.check(wake, false)
      wakes.check(wake, false)
      wakes.check(wake, true)
      wakes.decided(1, [wake])
      assertRejects('wake-known', () => wakes.check(wake, false))
      assertRejects('wake-known', () => wakes.check(wake, true))
    }
  })

  test('of a stranger, of another chain, forged or malformed it is refused', () => {
    const { wakes } = member(0)
    assertRejects('wake-form', () => wakes.check(wakeOf(member(0, undefined, seededBytes('stranger'))), false))
    assertRejects('wake-form', () => wakes.check(wakeOf(member(0, 'onus-00000000000000000000-9')), false))
    const wake = wakeOf(member(1))
    for (let at = 0; at < wakeLength; at++) {
      const forged = wake.slice()
      forged[at] = (forged[at] as number) ^ 0x10
      assertRejects('wake-form', () => wakes.check(forged, false))
    }
    for (const length of [0, 11, 12, wakeLength - 1])
      assertRejects('wake-form', () => wakes.check(wake.slice(0, length), false))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.equal(rejectionOf(() => wakes.check(bytes, false))?.code, 'wake-form')
      }),
      { seed: 1, numRuns: 200 },
    )
    wakes.check(wake, false)
  })

  test('a member has four wakes out at most; others are not held up by it, and lost ones do not count', () => {
    let now = 1000
    mock.method(performance, 'now', () => now)
    try {
      const { wakes } = member(0)
      const [first, second, third, fourth, fifth, sixth] = manyWakes(1, 6) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ]
      for (const wake of [first, second, third, fourth]) wakes.check(wake, false)
      assertRejects('wake-limit', () => wakes.check(fifth, false))
      wakes.check(wakeOf(member(2)), false)
      wakes.decided(1, [first])
      wakes.check(fifth, false)
      assertRejects('wake-limit', () => wakes.check(sixth, false))
      now += 2000
      wakes.check(sixth, false)
    } finally {
      mock.restoreAll()
    }
  })

  test('wakes unless a wake is known to be out, and again when that one seems lost', () => {
    mock.method(performance, 'now', () => now)
    let now = 1000
    try {
      const [a, b] = [member(0), member(1)]
      const wake = wakeOf(a)
      a.wakes.wake()
      assert.equal(a.sent.length, 1)
      b.wakes.check(wake, false)
      b.wakes.wake()
      assert.equal(b.sent.length, 0, 'another member’s wake serves as well')
      now += 1999
      b.wakes.wake()
      assert.equal(b.sent.length, 0)
      now += 1
      b.wakes.wake()
      assert.equal(b.sent.length, 1)
      const own = b.sent[0] as Uint8Array
      b.wakes.decided(7, [own, wake])
      b.wakes.wake()
      assert.equal(b.sent.length, 2)
      assert.notDeepEqual(b.sent[1], own)
    } finally {
      mock.restoreAll()
    }
  })

  test('a wake that was lost is forgotten though other wakes keep coming', () => {
    let now = 1000
    mock.method(performance, 'now', () => now)
    try {
      const [a, b] = [member(0), member(1)]
      b.wakes.check(wakeOf(a), false) // no block will ever hold it
      for (let height = 1; height <= 2; height++) {
        now += 1100
        const other = wakeOf(member(1 + height))
        b.wakes.check(other, false)
        b.wakes.decided(height, [other])
      }
      b.wakes.wake()
      assert.equal(b.sent.length, 1)
    } finally {
      mock.restoreAll()
    }
  })

  test('a wake that many blocks left out is forgotten', () => {
    const [a, b] = [member(0), member(1)]
    b.wakes.check(wakeOf(a), false)
    b.wakes.decided(8, [])
    b.wakes.wake()
    assert.equal(b.sent.length, 0)
    b.wakes.decided(9, [])
    b.wakes.wake()
    assert.equal(b.sent.length, 1)
  })

  test('tries again after the engine did not take a wake', async () => {
    const a = member(0)
    a.fails = true
    a.wakes.wake()
    await new Promise((resolve) => setImmediate(resolve))
    a.fails = false
    a.wakes.wake()
    assert.equal(a.sent.length, 1)
  })

  test('a proposer takes wakes in when nothing waits, or when they are old, or unknown to it', () => {
    const { wakes } = member(0)
    const [known, unknown] = [wakeOf(member(1)), wakeOf(member(2))]
    const garbage = seededBytes('garbage', 50)
    wakes.decided(10, [])
    wakes.check(known, false)
    const mempool = [known, garbage, unknown]
    assert.deepEqual(wakes.toInclude(mempool, false), [unknown])
    assert.deepEqual(wakes.toInclude(mempool, true), [known, unknown])
    wakes.decided(13, [])
    assert.deepEqual(wakes.toInclude([known], false), [])
    wakes.decided(14, [])
    assert.deepEqual(wakes.toInclude([known], false), [known])
    assert.deepEqual(wakes.toInclude([], true), [])
  })

  test('however many wakes a mempool holds, a block takes no more than are valid', () => {
    const { wakes } = member(0)
    const mempool = manyWakes(3, maximumWakes + 5)
    assert.deepEqual(wakes.toInclude(mempool, true), mempool.slice(0, maximumWakes))
  })
})
