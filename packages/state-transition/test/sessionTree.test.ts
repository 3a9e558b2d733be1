/** The incremental session tree against the one-shot tree of the protocol: roots, proofs, undo, revert, apply. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { emptyRoot, fixedTreeProof, fixedTreeRoot, verifyFixedTreeProof } from '@onus/protocol/fixedTree'
import { type Session, sessionLeaf, sessionTreeDepth } from '@onus/protocol/session'
import { SessionTree } from '@onus/state-transition/sessionTree'
import fc from 'fast-check'
import { account, hashing } from './support/testCluster.js'

function sessionOf(seed: number): Session {
  return {
    owner: account(`owner ${seed}`),
    key: account(`key ${seed}`),
    callKind: 1 + (seed % 2),
    generation: seed % 7,
    nextCounter: seed * 1_000_003,
    closes: { height: seed + 5, time: seed * 1000 },
  }
}

type Slots = Map<number, Session | null>

function leavesOf(slots: Slots): Uint8Array {
  const leaves = new Uint8Array(32 * (Math.max(-1, ...slots.keys()) + 1))
  for (const [slot, session] of slots) leaves.set(sessionLeaf(hashing, session), slot * 32)
  return leaves
}

function assertIsTreeOf(tree: SessionTree, slots: Slots, probes: readonly number[]): void {
  const leaves = leavesOf(slots)
  const root = fixedTreeRoot(hashing, leaves, sessionTreeDepth)
  assert.deepEqual(tree.root(), root)
  for (const slot of probes) {
    const proof = tree.proof(slot)
    assert.deepEqual(proof, fixedTreeProof(hashing, leaves, sessionTreeDepth, slot))
    const leaf = sessionLeaf(hashing, slots.get(slot) ?? null)
    assert.ok(verifyFixedTreeProof(hashing, root, sessionTreeDepth, leaf, slot, proof))
    assert.deepEqual(tree.get(slot), slots.get(slot) ?? null)
  }
}

const slot = fc.oneof(fc.nat(6), fc.nat(200), fc.constantFrom(255, 256, 257))
const write = fc.tuple(slot, fc.option(fc.nat(1000).map(sessionOf)))
const block = fc.record({
  writes: fc.array(write, { maxLength: 8 }),
  end: fc.constantFrom('keep', 'keep', 'revert', 'undo', 'redo'),
})

function writeAll(target: Slots, writes: readonly (readonly [number, Session | null])[]): Slots {
  const next = new Map(target)
  for (const [at, session] of writes) next.set(at, session)
  return next
}

describe('session tree', () => {
  test('is the one-shot tree after any sequence of blocks, reverts, undos and redos', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 10 }), (blocks) => {
        const tree = new SessionTree(hashing)
        let slots: Slots = new Map()
        for (const { writes, end } of blocks) {
          const after = writeAll(slots, writes)
          for (const [at, session] of writes) tree.set(at, session)
          if (end === 'revert') {
            tree.revertBlock()
            assertIsTreeOf(tree, slots, [0, 5])
            continue
          }
          const { root, undo, changed } = tree.endBlock()
          assert.deepEqual(root, tree.root())
          assertIsTreeOf(tree, after, [...writes.map(([at]) => at), 7, 300])
          if (end !== 'keep') {
            tree.apply(undo)
            assertIsTreeOf(
              tree,
              slots,
              writes.map(([at]) => at),
            )
          }
          if (end === 'redo') tree.apply(changed)
          if (end !== 'undo') slots = after
          assertIsTreeOf(tree, slots, [0, 256])
        }
      }),
      { seed: 11, numRuns: 25 },
    )
  })

  test('the empty tree has the empty root, and proofs of empty slots hold', () => {
    const tree = new SessionTree(hashing)
    assert.deepEqual(tree.root(), emptyRoot(sessionTreeDepth))
    const last = 2 ** sessionTreeDepth - 1
    const proof = tree.proof(last)
    assert.ok(verifyFixedTreeProof(hashing, tree.root(), sessionTreeDepth, new Uint8Array(32), last, proof))
  })

  test('a slot used twice in a block is undone to what it was before the block', () => {
    const tree = new SessionTree(hashing)
    tree.set(3, sessionOf(1))
    tree.endBlock()
    const root = tree.root()
    tree.set(3, sessionOf(2))
    tree.set(3, sessionOf(3))
    const { undo } = tree.endBlock()
    tree.apply(undo)
    assert.deepEqual(tree.root(), root)
    assert.deepEqual(tree.get(3), sessionOf(1))
  })

  test('takes as many sessions at once as a restart brings', () => {
    // More than a spread of arguments could hold on the stack of a thread; hashed by a sum, for speed.
    const count = 140_000
    const sum = (data: Uint8Array): Uint8Array => new Uint8Array(32).fill(data.reduce((total, byte) => total + byte, 0))
    const tree = new SessionTree({
      sha256: sum,
      keccak256: sum,
      hashPairs: (input, output) => output.fill(input.length),
    })
    const session = sessionOf(5)
    tree.apply(Array.from({ length: count }, (_, at) => [at, session] as const))
    assert.equal(tree.slotsInUse, count)
    assert.deepEqual(tree.get(count - 1), session)
  })
})
