/** Blocks on the real machine: proposer and validator agree on every root, also after undo, traps, growth and endless loops. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Receipt, receiptStatus } from '@onus/protocol/receipt'
import { buildBlock } from '@onus/state-transition/buildBlock'
import type { ClusterState } from '@onus/state-transition/clusterState'
import { executeBlock } from '@onus/state-transition/executeBlock'
import fc from 'fast-check'
import { guestMachine, guestOperation, guestRequest } from './support/guest.js'
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

const gasLimit = 30_000_000

function openState(limits = {}): ClusterState {
  const genesis = genesisWith(
    { blockGas: 200_000_000, callGas: gasLimit, ...limits },
    { stateRoot: guestMachine().stateRoot },
  )
  const state = stateOf(genesis, guestMachine())
  const begin = beginOf(state, momentAt(1))
  executeBlock(state, blockDataOf(begin, [opening({ slot: 0 })]), 1, begin.time, standInSigner)
  return state
}

function rootOf(state: ClusterState): Uint8Array {
  return state.machine.endBlock().stateRoot
}

const operations = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant(guestOperation.add), fc.nat(1000), fc.nat(15)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant(guestOperation.dirty), fc.integer({ min: 1, max: 20 }), fc.nat(9)) },
  { weight: 1, arbitrary: fc.constant([guestOperation.trap, 5, 3] as const) },
  { weight: 1, arbitrary: fc.constant([guestOperation.loop, 5, 3] as const) },
  { weight: 1, arbitrary: fc.tuple(fc.constant(guestOperation.grow), fc.integer({ min: 0, max: 2 }), fc.nat(9)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant(guestOperation.output), fc.nat(5000), fc.nat(9)) },
)

describe('blocks on the real machine', () => {
  test('proposer and validator agree, undo and redo', () => {
    const seen = { executed: 0, trapped: 0 }
    fc.assert(
      fc.property(
        fc.array(fc.array(operations, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
        (blocks) => {
          const [proposer, validator] = [openState(), openState()]
          let counter = 0
          blocks.forEach((operationsOfBlock, index) => {
            const candidates = operationsOfBlock.map(([code, a, b]) =>
              // An endless loop is given little gas, for it uses all of it.
              calls(0, [counter++], { argument: guestRequest(code, a, b), gasLimit: code === 2 ? 300_000 : gasLimit }),
            )
            const before = rootOf(validator)
            const begin = beginOf(proposer, momentAt(2 + index))
            const { outcome } = buildBlock(proposer, begin, candidates, 1)
            assert.ok(outcome !== null)
            const found = executeBlock(validator, outcome.blockData, begin.height, begin.time, standInSigner)
            assert.deepEqual(found.encodedManifest, outcome.encodedManifest)
            for (const { status } of found.receipts)
              seen[status === receiptStatus.trapped ? 'trapped' : 'executed'] += 1
            assert.deepEqual(validator.apply(found.undo).stateRoot, before)
            assert.deepEqual(validator.apply(found.delta).stateRoot, found.manifest.stateRoot)
          })
          assert.deepEqual(rootOf(proposer), rootOf(validator))
        },
      ),
      { seed: 21, numRuns: 25 },
    )
    assert.ok(seen.executed > 60 && seen.trapped > 10, JSON.stringify(seen))
  })

  test('an endless loop costs its gas limit, changes nothing, and the next call runs', () => {
    const state = openState()
    const root = rootOf(state)
    const begin = beginOf(state, momentAt(2))
    const loop = calls(0, [0], { argument: guestRequest(guestOperation.loop, 1, 1), gasLimit: 1_000_000 })
    const { receipts, manifest } = executeBlock(state, blockDataOf(begin, [loop]), 2, begin.time, standInSigner)
    assert.deepEqual(
      [receipts[0]?.status, receipts[0]?.gasUsed, manifest.gasUsed],
      [receiptStatus.trapped, 1_000_000, 1_000_000],
    )
    assert.deepEqual(manifest.stateRoot, root)
    const next = beginOf(state, momentAt(3))
    const add = calls(0, [1], { argument: guestRequest(guestOperation.add, 1, 1), gasLimit })
    const [receipt] = executeBlock(state, blockDataOf(next, [add]), 3, next.time, standInSigner).receipts as [Receipt]
    assert.deepEqual([receipt.status, receipt.output[0]], [receiptStatus.executed, 8])
  })

  test('a block that passes a limit in its middle leaves memory, size and globals as they were', () => {
    const state = openState({ blockDirtyPages: 12 })
    const root = rootOf(state)
    const begin = beginOf(state, momentAt(2))
    const inside = [
      calls(0, [0], { argument: guestRequest(guestOperation.grow, 2, 1), gasLimit }),
      calls(0, [1], { argument: guestRequest(guestOperation.dirty, 20, 1), gasLimit }),
    ]
    assertRejects('block-limits', () => executeBlock(state, blockDataOf(begin, inside), 2, begin.time, standInSigner))
    assert.deepEqual(rootOf(state), root)
    const built = buildBlock(state, begin, inside, 1)
    assert.deepEqual(built.taken, inside.slice(0, 1))
    const other = openState({ blockDirtyPages: 12 })
    const { blockData, encodedManifest } = built.outcome ?? assert.fail('the growth fits')
    const found = executeBlock(other, blockData, 2, begin.time, standInSigner)
    assert.deepEqual(found.encodedManifest, encodedManifest)
  })
})
