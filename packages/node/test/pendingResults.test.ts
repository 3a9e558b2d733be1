/** Who waits for which transaction: all of an envelope, each once, until the end of time or of interest. */
import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { PendingResults } from '@onus/node/pendingResults'
import { OnusError } from '@onus/protocol/errors'
import { seededBytes } from './support/seeded.js'

const [a, b, c] = ['a', 'b', 'c'].map((label) => seededBytes(label)) as [Uint8Array, Uint8Array, Uint8Array]

describe('pending results', () => {
  test('settle when every transaction is certified, in the order asked for', async () => {
    const pending = new PendingResults()
    const waiting = pending.wait([a, b], 1000)
    pending.certified(b, () => ({ height: 2, index: 1 }))
    pending.certified(c, () => ({ height: 2, index: 0 }))
    assert.equal(pending.size, 1)
    pending.certified(a, () => ({ height: 3, index: 0 }))
    assert.deepEqual(await waiting, [
      { height: 3, index: 0 },
      { height: 2, index: 1 },
    ])
    assert.equal(pending.size, 0)
  })

  test('one transaction may stand twice in an envelope, and several may wait for it', async () => {
    const pending = new PendingResults()
    const place = { height: 1, index: 0 }
    const waiting = [pending.wait([a, a], 1000), pending.wait([a], 1000)]
    pending.certified(a, () => place)
    assert.deepEqual(await Promise.all(waiting), [[place, place], [place]])
    assert.equal(pending.size, 0)
  })

  test('end with null after their time and leave nothing behind', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const pending = new PendingResults()
      const place = { height: 1, index: 0 }
      const [short, long] = [pending.wait([a, b], 50), pending.wait([a], 100)]
      pending.certified(b, () => place)
      mock.timers.tick(50)
      assert.equal(await short, null)
      assert.equal(pending.size, 1)
      pending.certified(a, () => place)
      assert.deepEqual(await long, [place])
      assert.equal(pending.size, 0)
      mock.timers.tick(1000)
    } finally {
      mock.timers.reset()
    }
  })

  test('end when nobody asks any more, and others go on', async () => {
    const pending = new PendingResults()
    const [gone, stays] = [pending.open([a, b], 60_000), pending.wait([a], 60_000)]
    assert.equal(pending.size, 2)
    gone.giveUp()
    assert.equal(pending.size, 1, 'at once, not after the minute')
    assert.equal(await gone.places, null)
    pending.certified(a, () => ({ height: 1, index: 2 }))
    assert.deepEqual(await stays, [{ height: 1, index: 2 }])
    const done = pending.open([b], 60_000)
    pending.certified(b, () => ({ height: 1, index: 3 }))
    done.giveUp()
    assert.deepEqual(await done.places, [{ height: 1, index: 3 }])
  })

  test('a refusal ends every wait that includes the transaction', async () => {
    const pending = new PendingResults()
    const error = new OnusError('too-large', 'no')
    const [both, other] = [pending.wait([a, b], 60_000), pending.wait([c], 60_000)]
    pending.refuse([b, a], error)
    await assert.rejects(both, error)
    assert.equal(pending.size, 1)
    pending.certified(c, () => ({ height: 1, index: 0 }))
    await other
    pending.refuse([a], error)
  })
})
