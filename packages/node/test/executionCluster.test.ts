/** Executions of several nodes against each other, without consensus: agreement, failed rounds, liars, dissent (S1, S13). */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Decision, Proposal } from '@onus/node/worker/execution'
import { lyingMachine } from '@onus/node/worker/lyingMachine'
import { dataHash } from '@onus/protocol/header'
import { decodeManifest, manifestOfSeal } from '@onus/protocol/manifest'
import { merkleLeaf, verifyMerkleProof } from '@onus/protocol/merkleTree'
import fc from 'fast-check'
import { operation, request } from './support/guest.js'
import { withFolder } from './support/seeded.js'
import {
  closeNode,
  hashing,
  type NodeChanges,
  openNode,
  openSession,
  placeAt,
  type Sent,
  sendCalls,
  standing,
  submit,
  type TestCluster,
  type TestNode,
  testCluster,
} from './support/testNode.js'

const cluster = testCluster()

function itemsOf(proposal: Proposal): Uint8Array[] {
  return proposal.content === null ? [] : [proposal.content.seal, proposal.content.blockData]
}

async function withNodes(
  changes: readonly NodeChanges[],
  action: (nodes: TestNode[]) => Promise<void> | void,
  of: TestCluster = cluster,
): Promise<void> {
  await withFolder(async (folder) => {
    const nodes = changes.map((change, index) => openNode(of, join(folder, `store-${index}`), change))
    try {
      await action(nodes)
    } finally {
      for (const node of nodes) await closeNode(node)
    }
  })
}

/** One block: proposed, processed and decided by all; each node must agree. */
async function decide(nodes: readonly TestNode[], proposer: TestNode, height: number): Promise<Decision> {
  const items = itemsOf(proposer.execution.propose(placeAt(height), 1))
  for (const { execution } of nodes) assert.deepEqual(execution.process(placeAt(height), items), { equal: true })
  return finalizeAll(nodes, height, items)
}

async function finalizeAll(
  nodes: readonly TestNode[],
  height: number,
  items: readonly Uint8Array[],
): Promise<Decision> {
  const decisions = nodes.map(({ execution }) => execution.finalize(placeAt(height), items))
  for (const { execution } of nodes) await execution.commit()
  const [first] = decisions as [Decision]
  for (const decision of decisions) {
    assert.notEqual(decision.kind, 'dissent')
    assert.deepEqual('appHash' in decision && decision.appHash, 'appHash' in first && first.appHash)
  }
  assertAgree(nodes)
  return first
}

function assertAgree(nodes: readonly TestNode[]): void {
  for (const node of nodes) assert.deepEqual(standing(node), standing(nodes[0] as TestNode))
}

function contentOf(decision: Decision): Extract<Decision, { kind: 'content' }> {
  if (decision.kind !== 'content') assert.fail(`decided ${decision.kind}`)
  return decision
}

describe('executions of a cluster', () => {
  test('proposers take turns, and all nodes agree on everything', () =>
    withNodes([{}, {}, {}], async (nodes) => {
      submit(nodes[0] as TestNode, openSession(cluster, 0), openSession(cluster, 1))
      await decide(nodes, nodes[0] as TestNode, 1)
      for (let height = 2; height < 12; height++) {
        const counter = height - 2
        submit(
          nodes[height % 3] as TestNode,
          sendCalls(cluster, 0, [counter], { argument: request(height % operation.dirty, height, counter) }),
          sendCalls(cluster, 1, [counter]),
        )
        const { block, outcome } = contentOf(await decide(nodes, nodes[height % 3] as TestNode, height))
        assert.equal(outcome.receipts.length, 2)
        assert.equal(block.height, height)
      }
      for (const { execution } of nodes) assert.equal(execution.poolSize, 0)
    }))

  test('the proof of the seal leads to the data hash of the block, wakes behind it included', () =>
    withNodes([{}, {}], async (nodes) => {
      const [first] = nodes as [TestNode]
      submit(first, openSession(cluster, 0))
      const items = itemsOf(first.execution.propose(placeAt(1), 1))
      const wake = new Uint8Array(105)
      wake.set(Buffer.from('onus/wake/1\0'))
      const all = [...items, wake]
      const { block } = contentOf(await finalizeAll(nodes, 1, all))
      assert.equal(block.itemCount, 3)
      const seal = items[0] as Uint8Array
      const leaf = merkleLeaf(hashing, hashing.sha256(seal))
      assert.ok(verifyMerkleProof(hashing, dataHash(hashing, all), leaf, 0, 3, block.sealProof))
      assert.deepEqual(manifestOfSeal(seal), block.manifest)
    }))

  test('a failed round is undone by the proposal of another, in any order of nodes', () =>
    withNodes([{}, {}, {}], async (nodes) => {
      const [a, b, c] = nodes as [TestNode, TestNode, TestNode]
      submit(a, openSession(cluster, 0), sendCalls(cluster, 0, [0]))
      submit(b, openSession(cluster, 0, 'ben'), openSession(cluster, 3, 'ben'))
      const place = placeAt(1)
      const ofA = itemsOf(a.execution.propose(place, 1))
      const ofB = itemsOf(b.execution.propose(place, 1))
      for (const items of [ofA, ofB, ofA, [], ofB])
        for (const { execution } of nodes) assert.deepEqual(execution.process(place, items), { equal: true })
      c.execution.process(place, ofA)
      const { outcome } = contentOf(await finalizeAll(nodes, 1, ofB))
      assert.equal(outcome.receipts.length, 2)
      assert.deepEqual(
        [0, 3].map((slot) => c.execution.state.sessions.get(slot)?.owner),
        [0, 3].map((slot) => b.execution.state.sessions.get(slot)?.owner),
      )
    }))

  test('a failed round is undone by an empty block, and the envelopes wait on', () =>
    withNodes([{}, {}], async (nodes) => {
      const [a] = nodes as [TestNode]
      const before = standing(a) as { stateRoot: string; sessionRoot: string }
      submit(a, openSession(cluster, 0))
      const items = itemsOf(a.execution.propose(placeAt(1), 1))
      for (const { execution } of nodes) execution.process(placeAt(1), items)
      const decision = await finalizeAll(nodes, 1, [])
      assert.equal(decision.kind, 'empty')
      const after = standing(a) as { stateRoot: string; sessionRoot: string }
      assert.deepEqual([after.stateRoot, after.sessionRoot], [before.stateRoot, before.sessionRoot])
      assert.equal(a.execution.poolSize, 1)
      contentOf(await decide(nodes, a, 2))
    }))

  test('a block with the same data in a later round, at another time, is executed anew', () =>
    withNodes([{}, {}], async (nodes) => {
      const [a, b] = nodes as [TestNode, TestNode]
      submit(a, openSession(cluster, 0))
      const items = itemsOf(a.execution.propose(placeAt(1), 1))
      const later = { height: 1, time: { seconds: placeAt(1).time.seconds, nanoseconds: 5 } }
      // The proposer holds the block executed, the other does not yet.
      for (const { execution } of [a, b, b]) {
        const verdict = execution.process(later, items)
        assert.equal(verdict.equal, false)
        assert.match('reason' in verdict ? verdict.reason : '', /^block-begin/)
        assert.deepEqual(execution.process(placeAt(1), items), { equal: true })
      }
    }))

  test('a decided block that was never processed is executed when it is finalized', () =>
    withNodes([{}, {}], async (nodes) => {
      const [a, late] = nodes as [TestNode, TestNode]
      submit(a, openSession(cluster, 0))
      const history: Uint8Array[][] = []
      for (let height = 1; height < 6; height++) {
        const items = itemsOf(a.execution.propose(placeAt(height), 1))
        history.push(items)
        await finalizeAll([a], height, items)
        submit(a, sendCalls(cluster, 0, [height - 1]))
      }
      for (const [index, items] of history.entries()) {
        assert.equal(late.execution.finalize(placeAt(index + 1), items).kind, 'content')
        await late.execution.commit()
      }
      assertAgree(nodes)
    }))

  test('the result of a lying machine is refused, and its block never enters an honest state', () =>
    withNodes([{}, {}, { machine: lyingMachine }], async (nodes) => {
      const [a, b, liar] = nodes as [TestNode, TestNode, TestNode]
      submit(a, openSession(cluster, 0))
      await decide(nodes, a, 1)
      const parent = standing(b)
      submit(liar, sendCalls(cluster, 0, [0]))
      const lie = itemsOf(liar.execution.propose(placeAt(2), 1))
      for (const { execution } of [a, b]) {
        const verdict = execution.process(placeAt(2), lie)
        assert.ok(!verdict.equal && verdict.ownManifest !== null)
        assert.match(verdict.reason, /^result-differs/)
        assert.notDeepEqual(verdict.ownManifest, manifestOfSeal(lie[0] as Uint8Array))
        assert.equal(decodeManifest(verdict.ownManifest).height, 2)
      }
      assert.deepEqual(standing(b), parent)
      submit(a, sendCalls(cluster, 0, [0]))
      const truth = itemsOf(a.execution.propose(placeAt(2), 1))
      assert.deepEqual(b.execution.process(placeAt(2), truth), { equal: true })
      assert.equal(liar.execution.process(placeAt(2), truth).equal, false)
      contentOf(await finalizeAll([a, b], 2, truth))
    }))

  test('dissent: a wrong block that a quorum decided leaves the state before it, and says what is right', () =>
    withNodes([{}, { machine: lyingMachine }], async (nodes) => {
      const [honest, liar] = nodes as [TestNode, TestNode]
      submit(honest, openSession(cluster, 0))
      await decide(nodes, honest, 1)
      submit(liar, sendCalls(cluster, 0, [0]))
      const lie = itemsOf(liar.execution.propose(placeAt(2), 1))
      const parent = standing(honest)
      for (const processed of [true, false]) {
        if (processed) honest.execution.process(placeAt(2), lie)
        const decision = honest.execution.finalize(placeAt(2), lie)
        assert.ok(decision.kind === 'dissent' && decision.ownManifest !== null)
        assert.match(decision.reason, /^result-differs/)
        assert.deepEqual(standing(honest), parent)
      }
      await honest.execution.commit()
      await honest.execution.flush()
      assert.equal(honest.store.position?.height, 1, 'nothing of the wrong block is written')
    }))

  test('dissent over a block that cannot be executed at all has no manifest of its own', () =>
    withNodes([{}], ([node]) => {
      const { execution } = node as TestNode
      const seal = new Uint8Array(12 + 1024)
      seal.set(Buffer.from('onus/seal/1\0'))
      for (const items of [[seal], [seal, new Uint8Array(5)], [new Uint8Array(3)], [seal, seal, seal]]) {
        const verdict = execution.process(placeAt(1), items)
        assert.ok(!verdict.equal && verdict.ownManifest === null)
        const decision = execution.finalize(placeAt(1), items)
        assert.ok(decision.kind === 'dissent' && decision.ownManifest === null)
      }
    }))

  test('garbage in the place of a block is refused and changes nothing', () =>
    withNodes([{}], ([node]) => {
      const { execution } = node as TestNode
      submit(node as TestNode, openSession(cluster, 0))
      const items = itemsOf(execution.propose(placeAt(1), 1))
      const before = standing(node as TestNode)
      const [seal, data] = items as [Uint8Array, Uint8Array]
      const broken = fc.record({ which: fc.nat(1), at: fc.nat(data.length - 1), bit: fc.nat(7) })
      fc.assert(
        fc.property(broken, ({ which, at, bit }) => {
          const [first, second] = [seal.slice(), data.slice()]
          const changed = which === 0 ? first : second
          changed[at % changed.length] = (changed[at % changed.length] as number) ^ (1 << bit)
          assert.equal(execution.process(placeAt(1), [first, second]).equal, false)
        }),
        { seed: 9, numRuns: 300 },
      )
      assert.deepEqual(execution.process(placeAt(1), items), { equal: true })
      assert.deepEqual(execution.finalize(placeAt(1), []).kind, 'empty')
      const after = standing(node as TestNode) as Record<string, unknown>
      assert.equal(after['stateRoot'], (before as Record<string, unknown>)['stateRoot'])
    }))

  test('blocks without content keep the app hash, and it follows the manifest at every 64th height only', () =>
    withNodes([{}, {}], async (nodes) => {
      const [a] = nodes as [TestNode]
      const appHash = (): string => (standing(a) as { appHash: string }).appHash
      const genesisHash = Buffer.from(cluster.genesisHash).toString('hex')
      await finalizeAll(nodes, 1, [])
      submit(a, openSession(cluster, 0))
      await decide(nodes, a, 2)
      for (let height = 3; height < 64; height++) await finalizeAll(nodes, height, [])
      assert.equal(appHash(), genesisHash, 'unchanged below 64')
      await finalizeAll(nodes, 64, [])
      const manifest = (standing(a) as { manifest: string }).manifest
      assert.equal(appHash(), manifest)
      submit(a, sendCalls(cluster, 0, [0]))
      await decide(nodes, a, 65)
      assert.equal(appHash(), manifest)
      for (let height = 66; height < 128; height++) await finalizeAll(nodes, height, [])
      assert.equal(appHash(), manifest)
      submit(a, sendCalls(cluster, 0, [1]))
      await decide(nodes, a, 128)
      assert.equal(appHash(), (standing(a) as { manifest: string }).manifest)
      assert.notEqual(appHash(), manifest)
    }))

  test('a chain without any content keeps the hash of the genesis for ever', () =>
    withNodes([{}], async (nodes) => {
      for (let height = 1; height <= 130; height++) await finalizeAll(nodes, height, [])
      assert.deepEqual((nodes[0] as TestNode).execution.position.appHash, cluster.genesisHash)
    }))

  test('random rounds: whoever proposes what, all nodes end in the same state', async () => {
    const step = fc.record({
      submits: fc.array(fc.record({ node: fc.nat(2), slot: fc.nat(2), counter: fc.nat(6), code: fc.nat(5) }), {
        maxLength: 5,
      }),
      rounds: fc.array(fc.record({ proposer: fc.nat(2), share: fc.constantFrom(1, 0.5, 0) }), {
        minLength: 1,
        maxLength: 3,
      }),
      seenBy: fc.subarray([0, 1, 2]),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) =>
        withNodes([{}, {}, {}], async (nodes) => {
          for (const slot of [0, 1, 2]) submit(nodes[slot] as TestNode, openSession(cluster, slot))
          for (const [index, { submits, rounds, seenBy }] of steps.entries()) {
            const height = index + 1
            for (const { node, slot, counter, code } of submits) trySubmit(nodes[node] as TestNode, slot, counter, code)
            let items: Uint8Array[] = []
            for (const { proposer, share } of rounds) {
              items = itemsOf((nodes[proposer] as TestNode).execution.propose(placeAt(height), share))
              for (const seeing of seenBy)
                assert.deepEqual((nodes[seeing] as TestNode).execution.process(placeAt(height), items), { equal: true })
            }
            await finalizeAll(nodes, height, items)
          }
        }),
      ),
      { seed: 13, numRuns: 12 },
    )
  })
})

function trySubmit(node: TestNode, slot: number, counter: number, code: number): void {
  const sent: Sent = sendCalls(cluster, slot, [counter], { argument: request(code, counter + 2, slot) })
  try {
    submit(node, sent)
  } catch (error) {
    assert.ok(['counter-used'].includes((error as { code: string }).code), String(error))
  }
}
