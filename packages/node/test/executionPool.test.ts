/** What an execution takes from clients and peers, what it refuses and with which code, and what it proposes of it (S10). */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { envelopeKey } from '@onus/node/worker/transactionPool'
import { decodeManifest, manifestOfSeal } from '@onus/protocol/manifest'
import { decodeEnvelope, envelopeKind, transactionIds } from '@onus/protocol/transaction'
import { operation, request } from './support/guest.js'
import { assertRejects } from './support/rejection.js'
import { withFolder } from './support/seeded.js'
import {
  accountOf,
  callWith,
  closeNode,
  hashing,
  type NodeChanges,
  openNode,
  openSession,
  placeAt,
  type Sent,
  send,
  sendCalls,
  startTime,
  submit,
  type TestNode,
  testCluster,
} from './support/testNode.js'

const cluster = testCluster()

function withNode(
  action: (node: TestNode) => Promise<void> | void,
  changes: NodeChanges = {},
  of = cluster,
): Promise<void> {
  return withFolder(async (folder) => {
    const node = openNode(of, join(folder, 'store'), changes)
    await action(node)
    await closeNode(node)
  })
}

async function decide(node: TestNode, height: number): Promise<number> {
  const { content } = node.execution.propose(placeAt(height), 1)
  const items = content === null ? [] : [content.seal, content.blockData]
  const decision = node.execution.finalize(placeAt(height), items)
  await node.execution.commit()
  return decision.kind === 'content' ? decision.outcome.receipts.length : 0
}

const millisecondsAt = (height: number): number => (startTime + height) * 1000

describe('taking envelopes', () => {
  test('names why nothing of an envelope can execute', () =>
    withNode(async (node) => {
      submit(node, openSession(cluster, 0), openSession(cluster, 1, 'ann', { closesHeight: 3 }))
      await decide(node, 1)
      submit(node, sendCalls(cluster, 0, [0]))
      await decide(node, 2)
      await decide(node, 3)
      const { limits } = cluster.genesis
      const time = (startTime + 900) * 1000
      const cases: readonly [string, Sent][] = [
        ['counter-used', sendCalls(cluster, 0, [0])],
        ['signature-wrong', sendCalls(cluster, 0, [1], {}, 'eve')],
        ['signature-wrong', send(cluster, envelopeKind.sessionKeyCalls, 'ann', [callWith(0, 1)])],
        ['session-unknown', sendCalls(cluster, 1, [0])],
        ['expired', sendCalls(cluster, 0, [1], { expiry: { height: 3, time } })],
        ['expired', sendCalls(cluster, 0, [1], { expiry: { height: 500, time: millisecondsAt(3) - 1 } })],
        ['expired', openSession(cluster, 5, 'ann', { expiryHeight: 2 })],
        ['gas-limit', sendCalls(cluster, 0, [1], { gasLimit: 0 })],
        ['gas-limit', sendCalls(cluster, 0, [1], { gasLimit: limits.callGas + 1 })],
        ['slot-taken', openSession(cluster, 0, 'ben')],
        ['slot-taken', openSession(cluster, 1, 'ben', { generation: 2 })],
        ['opening-limits', openSession(cluster, limits.sessionCapacity)],
        ['opening-limits', openSession(cluster, 5, 'ann', { closesHeight: 3 })],
        ['signature-wrong', { ...openSession(cluster, 5, 'ann'), signer: accountOf('eve') }],
      ]
      for (const [code, sent] of cases) assertRejects(code, () => submit(node, sent))
      assert.equal(node.execution.poolSize, 0)
      submit(node, openSession(cluster, 1, 'ben', { generation: 1 }), sendCalls(cluster, 0, [1]))
      assert.equal(await decide(node, 4), 2)
    }))

  test('calls whose session opens later, or whose predecessors are missing, wait for them', () =>
    withNode(async (node) => {
      submit(node, sendCalls(cluster, 0, [1]), sendCalls(cluster, 0, [0]))
      assert.equal(await decide(node, 1), 0)
      assert.equal(node.execution.poolSize, 2)
      submit(node, openSession(cluster, 0))
      assert.equal(await decide(node, 2), 3)
    }))

  test('what cannot be waited for within two windows of expiry is refused, what is a little early is kept', () =>
    withNode(async (node) => {
      submit(node, openSession(cluster, 0))
      await decide(node, 1)
      const { expiryBlocks, expiryMilliseconds } = cluster.genesis.limits
      const time = (startTime + 900) * 1000
      const late = sendCalls(cluster, 0, [0], { expiry: { height: 2 + 2 * expiryBlocks + 1, time } })
      assertRejects('expiry-too-far', () => submit(node, late))
      const never = sendCalls(cluster, 0, [0], { expiry: { height: 500, time: Date.now() + 3 * expiryMilliseconds } })
      assertRejects('expiry-too-far', () => submit(node, never))
      // Of a client that knows a newer block than this node.
      const early = sendCalls(cluster, 0, [0], { expiry: { height: 3 + expiryBlocks, time } })
      submit(node, early)
      assert.equal(await decide(node, 2), 0)
      assert.equal(await decide(node, 3), 1)
    }))

  test('is judged by the decided state, not by a block that may still fail', () =>
    withNode(async (node) => {
      const [opening, call] = [openSession(cluster, 0), sendCalls(cluster, 0, [0])]
      submit(node, opening, call)
      const { content } = node.execution.propose(placeAt(1), 1)
      assert.ok(content !== null)
      const peer = openNode(cluster, `${node.path}-peer`)
      assert.deepEqual(peer.execution.process(placeAt(1), [content.seal, content.blockData]), { equal: true })
      // The block is executed here; its envelopes arrive late from clients and peers, and the round fails.
      submit(peer, call, opening)
      assert.equal(peer.execution.poolSize, 2)
      assert.equal(peer.execution.finalize(placeAt(1), []).kind, 'empty')
      await peer.execution.commit()
      assert.equal(await decide(peer, 2), 2)
      await closeNode(peer)
    }))

  test('a decided envelope leaves the pool, and is not taken again', () =>
    withNode(async (node) => {
      const opening = openSession(cluster, 0)
      submit(node, opening, opening)
      assert.equal(node.execution.poolSize, 1)
      await decide(node, 1)
      assert.equal(node.execution.poolSize, 0)
      assertRejects('slot-taken', () => submit(node, opening))
    }))

  test('what lost against another envelope of a block stays until that block is decided', () =>
    withNode(async (node) => {
      submit(node, openSession(cluster, 0, 'ann'), openSession(cluster, 0, 'ben'))
      const proposal = node.execution.propose(placeAt(1), 1)
      assert.deepEqual([proposal.content === null, proposal.left], [false, 0])
      assert.equal(node.execution.poolSize, 2, 'the block may fail yet')
      await decide(node, 1)
      await decide(node, 2)
      assert.equal(node.execution.poolSize, 0)
    }))

  test('a full pool is busy, and strangers and one session have a part of it only', () =>
    withNode(
      async (node) => {
        const slots = Array.from({ length: 20 }, (_, slot) => slot)
        submit(node, ...slots.map((slot) => openSession(cluster, slot)))
        await decide(node, 1)
        const places = Math.floor(200_000 / 1024)
        const strangers = Math.floor(places / 64)
        for (let index = 0; index < strangers; index++) submit(node, sendCalls(cluster, 100 + index, [0]))
        assertRejects('session-unknown', () => submit(node, sendCalls(cluster, 500, [0])))
        const quota = Math.floor(places / 16)
        let taken = strangers
        for (const slot of slots)
          for (let counter = 1; counter <= quota && taken < places; counter++, taken++)
            submit(node, sendCalls(cluster, slot, [counter]))
        assertRejects('busy', () => submit(node, sendCalls(cluster, 19, [1])))
        assert.equal(node.execution.poolSize, places)
      },
      { poolBytes: 200_000 },
    ))

  test('an envelope with the signature of another does not keep it out', () =>
    withNode(async (node) => {
      submit(node, openSession(cluster, 0))
      await decide(node, 1)
      const good = sendCalls(cluster, 0, [0])
      const copied = good.bytes.slice()
      // Another slot: whoever the signature then recovers to, the session is not open, so it waits.
      copied[10] = 5
      submit(node, { bytes: copied, signer: accountOf('eve') })
      submit(node, good)
      assert.equal(node.execution.poolSize, 2)
      assert.equal(await decide(node, 2), 1)
    }))

  test('calls behind a gap cannot take more than the share of one session', () =>
    withNode(
      async (node) => {
        submit(node, openSession(cluster, 0), openSession(cluster, 1))
        await decide(node, 1)
        const quota = Math.floor(200_000 / 16 / 1024)
        for (let counter = 1; counter <= quota; counter++) submit(node, sendCalls(cluster, 0, [counter]))
        assertRejects('session-quota', () => submit(node, sendCalls(cluster, 0, [quota + 1])))
        submit(node, sendCalls(cluster, 1, [0]))
        assert.equal(await decide(node, 2), 1, 'another session goes on')
      },
      { poolBytes: 200_000 },
    ))

  test('expired envelopes leave the pool when the node proposes', () =>
    withNode(async (node) => {
      submit(node, openSession(cluster, 0))
      await decide(node, 1)
      const time = (startTime + 900) * 1000
      submit(node, sendCalls(cluster, 0, [5], { expiry: { height: 3, time } }))
      submit(node, sendCalls(cluster, 9, [0], { expiry: { height: 3, time } }))
      await decide(node, 2)
      await decide(node, 3)
      assert.equal(node.execution.poolSize, 2)
      await decide(node, 4)
      assert.equal(node.execution.poolSize, 0)
    }))
})

describe('proposing', () => {
  test('a banned envelope is not taken, and the others are', () => {
    const poison = sendCalls(cluster, 0, [0], { argument: request(operation.deep, 100) })
    return withNode(
      async (node) => {
        submit(node, openSession(cluster, 0))
        assertRejects('poisoned', () => submit(node, poison))
        submit(node, sendCalls(cluster, 0, [0]))
        assert.equal(await decide(node, 1), 2)
      },
      { banned: [envelopeKey(poison.bytes)] },
    )
  })

  test('the key of each envelope is told before it is executed, in the order of execution', () =>
    withNode((node) => {
      const [opening, first, second] = [openSession(cluster, 0), sendCalls(cluster, 0, [0]), sendCalls(cluster, 0, [1])]
      submit(node, second, first, opening)
      node.execution.propose(placeAt(1), 1)
      assert.deepEqual(
        node.watched,
        [opening, first, second].map(({ bytes }) => envelopeKey(bytes)),
      )
      node.execution.propose(placeAt(1), 0)
      assert.equal(node.watched.length, 3)
    }))

  test('an envelope that fits into no block is named once and never stops the others', () => {
    const tight = testCluster({ blockOutputBytes: 1000 })
    return withNode(
      async (node) => {
        const big = sendCalls(tight, 0, [0], { argument: request(operation.output, 1001) })
        submit(node, openSession(tight, 0), openSession(tight, 1))
        await decide(node, 1)
        submit(node, big, sendCalls(tight, 1, [0]))
        const { content, oversized } = node.execution.propose(placeAt(2), 1)
        assert.equal(content, null)
        assert.deepEqual(oversized, transactionIds(hashing, tight.genesis, decodeEnvelope(big.bytes)))
        assert.equal(await decide(node, 3), 1)
        assert.equal(node.execution.poolSize, 0)
      },
      {},
      tight,
    )
  })

  test('an envelope of more transactions than a block may have is named too', () => {
    const tight = testCluster({ blockTransactions: 3 })
    return withNode(
      async (node) => {
        submit(node, openSession(tight, 0))
        await decide(node, 1)
        submit(node, sendCalls(tight, 0, [0, 1, 2, 3]), sendCalls(tight, 0, [0]))
        assert.equal(node.execution.propose(placeAt(2), 1).oversized.length, 4)
        assert.equal(await decide(node, 2), 1)
      },
      {},
      tight,
    )
  })

  test('the share scales the block, and what is left is counted', () =>
    withNode(
      async (node) => {
        submit(node, ...Array.from({ length: 10 }, (_, slot) => openSession(node.cluster, slot)))
        const sizes = [1, 0.5, 0.125, 0].map((share) => {
          const { content, left } = node.execution.propose(placeAt(1), share)
          const count = content === null ? 0 : decodeManifest(manifestOfSeal(content.seal)).transactionCount
          assert.equal(left, 10 - count)
          return count
        })
        assert.deepEqual(sizes, [8, 4, 1, 0])
      },
      {},
      testCluster({ blockTransactions: 8 }),
    ))
})
