/** What a proposer makes of envelopes that arrived in any order: all that can execute, in the order of the counters. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Receipt, receiptStatus, rejectionCode } from '@onus/protocol/receipt'
import { envelopeKind } from '@onus/protocol/transaction'
import type { SignedEnvelope } from '@onus/state-transition/blockExecution'
import { buildBlock } from '@onus/state-transition/buildBlock'
import { executeBlock } from '@onus/state-transition/executeBlock'
import { SessionView } from '@onus/state-transition/sessionView'
import fc from 'fast-check'
import {
  account,
  beginOf,
  blockDataOf,
  callOf,
  calls,
  genesisWith,
  momentAt,
  opening,
  signed,
  standInSigner,
  stateOf,
} from './support/testCluster.js'

const moment = momentAt(5)

function isExecuted({ status }: Receipt): boolean {
  return status === receiptStatus.executed
}

describe('order of a block', () => {
  test('calls and openings in any order are all taken, and each executes', () => {
    const slots = [0, 1, 2]
    const all = slots.flatMap((slot) => [
      opening({ slot }),
      calls(slot, [0]),
      calls(slot, [1, 2]),
      calls(slot, [3]),
      calls(slot, [4, 5, 6]),
    ])
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        const state = stateOf(genesisWith())
        const { outcome, taken, useless } = buildBlock(state, beginOf(state, moment), shuffled, 1)
        assert.equal(taken.length, all.length)
        assert.equal(useless.length, 0)
        assert.ok(outcome?.receipts.every(isExecuted))
        for (const slot of slots) assert.equal(state.sessions.get(slot)?.nextCounter, 7)
      }),
      { seed: 1, numRuns: 25 },
    )
  })

  test('an envelope with calls of two sessions waits for both', () => {
    const owner = account('ann')
    const by = (slot: number, counter: number): SignedEnvelope =>
      signed(envelopeKind.accountCalls, owner, [callOf(slot, counter)])
    const both = signed(envelopeKind.accountCalls, owner, [callOf(0, 1), callOf(1, 1)])
    const all = [both, by(1, 0), by(0, 0), opening({ slot: 0, owner }), opening({ slot: 1, owner })]
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        const state = stateOf(genesisWith())
        const { outcome, taken } = buildBlock(state, beginOf(state, moment), shuffled, 1)
        assert.equal(taken.length, all.length)
        assert.ok(outcome?.receipts.every(isExecuted))
      }),
      { seed: 2, numRuns: 25 },
    )
  })

  test('what waits behind a gap stays out and is not called useless', () => {
    const state = stateOf(genesisWith())
    const behind = [calls(0, [2]), calls(1, [0])]
    const { taken, useless } = buildBlock(
      state,
      beginOf(state, moment),
      [opening({ slot: 0 }), calls(0, [0]), ...behind],
      1,
    )
    assert.equal(taken.length, 2)
    assert.deepEqual(useless, [])
  })

  test('of two calls with one counter the first executes and the other is useless', () => {
    const state = stateOf(genesisWith())
    const [first, second] = [calls(0, [0]), calls(0, [0], { gasLimit: 400 })]
    const { taken, useless } = buildBlock(state, beginOf(state, moment), [second, opening({ slot: 0 }), first], 1)
    assert.deepEqual([taken.length, taken[1], useless], [2, second, [first]])
  })

  test('an expired call is taken to be rejected for good, one whose expiry lies too far ahead waits for a later block', () => {
    const state = stateOf(genesisWith())
    buildBlock(state, beginOf(state, moment), [opening({ slot: 0 }), opening({ slot: 1 }), opening({ slot: 2 })], 1)
    const late = calls(0, [0], { expiry: { height: 5, time: momentAt(500).milliseconds } })
    const early = calls(1, [0], { expiry: { height: 107, time: momentAt(50).milliseconds } })
    const earlyInTime = calls(2, [0], { expiry: { height: 50, time: momentAt(67).milliseconds } })
    const at = (height: number) => buildBlock(state, beginOf(state, momentAt(height)), [late, early, earlyInTime], 1)
    const first = at(6)
    assert.deepEqual([first.taken, first.useless], [[late], []])
    assert.deepEqual(first.outcome?.receipts[0]?.rejection, rejectionCode.expired)
    const second = at(7)
    assert.deepEqual(second.taken, [late, early, earlyInTime])
    assert.ok(second.outcome?.receipts.slice(1).every(isExecuted))
  })

  test('a gap that expires is proved behind what fills it, and a used counter is never told as expired', () => {
    const state = stateOf(genesisWith())
    buildBlock(state, beginOf(state, moment), [opening({ slot: 0 })], 1)
    const expiry = { height: 5, time: momentAt(50).milliseconds }
    const [first, gap] = [calls(0, [0], { expiry }), calls(0, [2], { expiry })]
    const early = buildBlock(state, beginOf(state, momentAt(5)), [gap, first], 1)
    assert.deepEqual([early.taken, early.useless], [[first], []], 'the gap waits while it may')
    const { taken, useless, outcome } = buildBlock(state, beginOf(state, momentAt(6)), [gap, first], 1)
    assert.deepEqual([taken, useless], [[gap], [first]])
    assert.deepEqual(outcome?.receipts[0]?.rejection, rejectionCode.expired)
    const data = blockDataOf(beginOf(state, momentAt(7)), [first, gap])
    const { receipts } = executeBlock(state, data, 7, beginOf(state, momentAt(7)).time, standInSigner)
    assert.deepEqual(
      receipts.map(({ rejection }) => rejection),
      [rejectionCode.counterUsed, rejectionCode.expired],
    )
  })

  test('an envelope with a call of another owner is useless as a whole', () => {
    const state = stateOf(genesisWith())
    buildBlock(state, beginOf(state, moment), [opening({ slot: 0 }), opening({ slot: 1 })], 1)
    const mixed = signed(envelopeKind.accountCalls, account('owner of 0'), [callOf(0, 0), callOf(1, 0)])
    const { taken, useless } = buildBlock(state, beginOf(state, momentAt(6)), [mixed, calls(1, [0])], 1)
    assert.deepEqual([taken.length, useless], [1, [mixed]], 'else the victim would be told of a rejection')
  })

  test('a call of a closed session or an older generation is useless, of a later one it waits', () => {
    const state = stateOf(genesisWith())
    const view = new SessionView(state)
    buildBlock(state, beginOf(state, moment), [opening({ slot: 0, closes: momentAt(8) })], 1)
    const generation = (value: number): SignedEnvelope => calls(0, [0], { session: { slot: 0, generation: value } })
    assert.equal(view.judge(generation(0), momentAt(8)).readiness, 'ready')
    assert.equal(view.judge(generation(0), momentAt(9)).readiness, 'useless')
    const later = view.judge(generation(1), momentAt(9))
    assert.deepEqual([later.readiness, later.isUnknown], ['waiting', true])
    buildBlock(state, beginOf(state, momentAt(9)), [opening({ slot: 0, generation: 1 })], 1)
    assert.equal(view.judge(generation(0), momentAt(10)).readiness, 'useless')
    assert.equal(view.judge(generation(1), momentAt(10)).readiness, 'ready')
    assert.equal(view.judge(calls(30, [0]), momentAt(51)).readiness, 'useless', 'expired and unknown')
  })

  test('a view of the sessions before a block judges as if it had not been', () => {
    const state = stateOf(genesisWith())
    const { outcome } = buildBlock(state, beginOf(state, moment), [opening({ slot: 0 }), calls(0, [0])], 1)
    const [after, before] = [new SessionView(state), new SessionView(state, outcome?.undo.sessions)]
    assert.equal(after.judge(calls(0, [0]), momentAt(6)).readiness, 'useless')
    assert.equal(before.judge(calls(0, [0]), momentAt(6)).readiness, 'waiting')
    assert.equal(before.judge(opening({ slot: 0 }), momentAt(6)).readiness, 'ready')
  })

  test('10,000 calls in reverse order look at each envelope twice, not at all of them each time', () => {
    const count = 10_000
    const state = stateOf(genesisWith({ blockTransactions: 16 }))
    buildBlock(state, beginOf(state, momentAt(1)), [opening({ slot: 0 })], 1)
    let reads = 0
    const reversed = Array.from({ length: count }, (_, index) => {
      const envelope = calls(0, [count - 1 - index])
      const { bytes, signer } = envelope
      return {
        bytes,
        signer,
        get envelope() {
          reads += 1
          return envelope.envelope
        },
      }
    })
    const { taken } = buildBlock(state, beginOf(state, moment), reversed, 1)
    assert.equal(taken.length, 16)
    assert.ok(reads < 3 * count, `${reads} looks at ${count} envelopes`)
  })

  test('the proposer is told of each candidate before it is executed, also again', () => {
    const state = stateOf(genesisWith({ blockGas: 250 }))
    const watched: unknown[] = []
    const all = [calls(0, [1]), opening({ slot: 0 }), calls(0, [0]), calls(0, [2])]
    const { taken } = buildBlock(state, beginOf(state, moment), all, 1, (candidate) => {
      watched.push(candidate)
    })
    assert.deepEqual(taken, [all[1], all[2], all[0]])
    assert.deepEqual(watched, [all[1], all[2], all[0], all[3], all[1], all[2], all[0]])
  })

  test('any envelopes a proposer finds, a validator may find in any order: a rejection, never a failure', () => {
    const all = [
      opening({ slot: 0 }),
      calls(0, [0]),
      calls(0, [1, 2]),
      calls(0, [2]),
      calls(1, [0]),
      opening({ slot: 0 }),
    ]
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: 1 }), (order) => {
        const state = stateOf(genesisWith())
        const begin = beginOf(state, moment)
        const { receipts } = executeBlock(state, blockDataOf(begin, order), 5, begin.time, standInSigner)
        const executed = receipts
          .filter(isExecuted)
          .map(({ transactionId }) => Buffer.from(transactionId).toString('hex'))
        assert.equal(new Set(executed).size, executed.length)
      }),
      { seed: 4, numRuns: 60 },
    )
  })
})
