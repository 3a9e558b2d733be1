/** The limits of a block (S10): a proposer builds without what would pass one, a validator refuses what does. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { blockDataLength } from '@onus/protocol/blockData'
import type { Limits } from '@onus/protocol/genesis'
import { receiptStatus } from '@onus/protocol/receipt'
import type { BlockLimit, SignedEnvelope } from '@onus/state-transition/blockExecution'
import { buildBlock } from '@onus/state-transition/buildBlock'
import type { ClusterState } from '@onus/state-transition/clusterState'
import { executeBlock } from '@onus/state-transition/executeBlock'
import { assertRejects } from './support/rejection.js'
import {
  beginOf,
  blockDataOf,
  calls,
  genesisWith,
  momentAt,
  opening,
  standInSigner,
  stateOf,
} from './support/testCluster.js'
import { operation, request } from './support/toyMachine.js'

/** A state in which sessions 0 to 9 are open, under `limits`. */
function stateUnder(limits: Partial<Limits>): ClusterState {
  const state = stateOf(genesisWith(limits))
  for (let first = 0; first < 10; first += 2) {
    const begin = beginOf(state, momentAt(1 + first))
    const openings = [opening({ slot: first }), opening({ slot: first + 1 })]
    executeBlock(state, blockDataOf(begin, openings), begin.height, begin.time, standInSigner)
  }
  return state
}

const moment = momentAt(20)

function rootsOf(state: ClusterState): unknown {
  return [state.machine.endBlock().stateRoot, state.sessions.root(), state.position]
}

interface Case {
  readonly limit: BlockLimit
  readonly limits: Partial<Limits>
  /** Envelopes of which exactly `fitting` fit. */
  readonly envelopes: readonly SignedEnvelope[]
  readonly fitting: number
  /** An envelope that passes the limit alone. */
  readonly alone: SignedEnvelope
  /** What a validator finds first; `decoding` is before any execution. */
  readonly found?: RegExp
}

const each = (count: number, make: (slot: number) => SignedEnvelope): SignedEnvelope[] =>
  Array.from({ length: count }, (_, slot) => make(slot))

const bytesOfFour = blockDataLength(4, 4 * calls(0, [0]).bytes.length)

const cases: readonly Case[] = [
  {
    limit: 'gas',
    limits: { blockGas: 1000 },
    envelopes: each(6, (slot) => calls(slot, [0], { argument: request(operation.burn, 300) })),
    fitting: 3,
    alone: calls(0, [0, 1], { argument: request(operation.burn, 501), gasLimit: 600 }),
  },
  {
    limit: 'gas',
    limits: { blockGas: 1000 },
    envelopes: each(6, (slot) => calls(slot, [0], { argument: request(operation.trap), gasLimit: 400 })),
    fitting: 2,
    alone: calls(0, [0], { argument: request(operation.trap), gasLimit: 1001 }),
  },
  {
    limit: 'bytes',
    limits: { blockBytes: bytesOfFour },
    envelopes: each(6, (slot) => calls(slot, [0])),
    fitting: 4,
    alone: calls(0, [0], { argument: new Uint8Array(bytesOfFour) }),
    found: /block data has/,
  },
  {
    limit: 'transactions',
    limits: { blockTransactions: 5 },
    envelopes: each(6, (slot) => calls(slot, [0, 1])),
    fitting: 2,
    alone: calls(0, [0, 1, 2, 3, 4, 5]),
  },
  {
    limit: 'output',
    limits: { blockOutputBytes: 100 },
    envelopes: each(6, (slot) => calls(slot, [0], { argument: request(operation.output, 30) })),
    fitting: 3,
    alone: calls(0, [0], { argument: request(operation.output, 101) }),
  },
  {
    limit: 'dirty-pages',
    limits: { blockDirtyPages: 3 },
    envelopes: each(6, (slot) => calls(slot, [0], { argument: request(operation.add, slot) })),
    fitting: 3,
    alone: calls(0, [0], { argument: request(operation.dirty, 4) }),
  },
]

describe('limits of a block', () => {
  for (const { limit, limits, envelopes, fitting, alone, found } of cases) {
    const name = `${limit} ${JSON.stringify(limits)}`

    test(`a proposer takes what fits: ${name}`, () => {
      const state = stateUnder(limits)
      const built = buildBlock(state, beginOf(state, moment), envelopes, 1)
      assert.deepEqual(built.taken, envelopes.slice(0, fitting))
      assert.equal(built.oversized, null)
      const other = stateUnder(limits)
      const { outcome } = built
      assert.ok(outcome !== null)
      const { height, time } = outcome.manifest
      const executed = executeBlock(other, outcome.blockData, height, time, standInSigner)
      assert.deepEqual(executed.encodedManifest, outcome.encodedManifest)
      assert.deepEqual(rootsOf(state), rootsOf(other), 'the envelope that passed left nothing behind')
    })

    test(`the rest fits into the next blocks: ${name}`, () => {
      const state = stateUnder(limits)
      let waiting = envelopes
      for (let height = 20; waiting.length > 0 && height < 30; height++) {
        const { taken } = buildBlock(state, beginOf(state, momentAt(height)), waiting, 1)
        waiting = waiting.filter((envelope) => !taken.includes(envelope))
      }
      assert.equal(waiting.length, 0)
    })

    test(`a proposer names what fits into no block: ${name}`, () => {
      const state = stateUnder(limits)
      const before = rootsOf(state)
      const built = buildBlock(state, beginOf(state, moment), [alone, ...envelopes], 1)
      assert.equal(built.oversized, alone)
      assert.equal(built.outcome, null)
      assert.deepEqual(rootsOf(state), before)
    })

    test(`a validator refuses a block that passes it: ${name}`, () => {
      for (const inside of [envelopes.slice(0, fitting + 1), [alone]]) {
        const state = stateUnder(limits)
        const before = rootsOf(state)
        const begin = beginOf(state, moment)
        const data = blockDataOf(begin, inside)
        assertRejects(
          'block-limits',
          () => executeBlock(state, data, begin.height, begin.time, standInSigner),
          found ?? new RegExp(`limit of ${limit}$`),
        )
        assert.deepEqual(rootsOf(state), before, 'a refused block changes nothing')
      }
    })
  }

  test('a proposer takes what fits behind an oversized envelope in the next block', () => {
    const state = stateUnder({ blockOutputBytes: 100 })
    const alone = calls(0, [0], { argument: request(operation.output, 101) })
    const small = calls(1, [0])
    const { oversized } = buildBlock(state, beginOf(state, moment), [alone, small], 1)
    assert.equal(oversized, alone)
    const next = buildBlock(state, beginOf(state, moment), [small], 1)
    assert.deepEqual(next.taken, [small])
  })

  test('openings past their limit wait and keep out no call', () => {
    const state = stateUnder({ blockOpenings: 2 })
    const openings = each(5, (slot) => opening({ slot: 20 + slot }))
    const behind = calls(0, [0])
    const built = buildBlock(state, beginOf(state, moment), [...openings, behind], 1)
    assert.deepEqual(built.taken, [...openings.slice(0, 2), behind])
    assert.deepEqual([built.useless, built.oversized], [[], null])
  })

  test('a validator refuses a block with too many openings', () => {
    const state = stateUnder({ blockOpenings: 2 })
    const before = rootsOf(state)
    const begin = beginOf(state, moment)
    const data = blockDataOf(
      begin,
      each(3, (slot) => opening({ slot: 20 + slot })),
    )
    assertRejects(
      'block-limits',
      () => executeBlock(state, data, begin.height, begin.time, standInSigner),
      /limit of openings$/,
    )
    assert.deepEqual(rootsOf(state), before)
  })

  test('rejected transactions count for bytes and number, and cost no gas', () => {
    const state = stateUnder({ blockGas: 100, blockTransactions: 4 })
    const begin = beginOf(state, moment)
    const useless = calls(0, [7, 8, 9])
    const { receipts } = executeBlock(state, blockDataOf(begin, [useless]), begin.height, begin.time, standInSigner)
    assert.ok(receipts.every(({ status, gasUsed }) => status === receiptStatus.rejected && gasUsed === 0))
    const next = beginOf(state, momentAt(21))
    assertRejects('block-limits', () =>
      executeBlock(state, blockDataOf(next, [useless, calls(1, [5, 6])]), next.height, next.time, standInSigner),
    )
  })

  test('the share of a failed round takes that part of the transactions, at last none', () => {
    for (const [share, count] of [
      [1, 8],
      [0.5, 4],
      [0.125, 1],
      [0.1, 0],
      [0, 0],
    ] as const) {
      const state = stateUnder({ blockTransactions: 8 })
      const { taken, oversized } = buildBlock(
        state,
        beginOf(state, moment),
        each(10, (slot) => calls(slot, [0])),
        share,
      )
      assert.equal(taken.length, count)
      assert.equal(oversized, null, 'what a smaller block does not hold may fit a whole one')
    }
  })
})
