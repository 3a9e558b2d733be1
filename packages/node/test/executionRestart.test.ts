/**
 * Restarts (S18): whatever of the last blocks reached the disk, a node that starts again and is given the decided blocks
 * since then stands where the others stand.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Store } from '@onus/node/store/store'
import { decodeManifest, encodeManifest } from '@onus/protocol/manifest'
import { type Database, open, type RootDatabase } from 'lmdb'
import { operation, request } from './support/guest.js'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { withFolder } from './support/seeded.js'
import {
  closeNode,
  openNode,
  openSession,
  placeAt,
  sendCalls,
  standing,
  submit,
  type TestNode,
  testCluster,
} from './support/testNode.js'

const cluster = testCluster()

/** Blocks 1 to 9 of a chain: openings, calls that trap, grow and write, and empty blocks in between. */
async function chain(folder: string): Promise<{ history: Uint8Array[][]; standings: unknown[] }> {
  const node = openNode(cluster, join(folder, 'first'))
  const history: Uint8Array[][] = []
  const standings: unknown[] = []
  const plan = [
    [openSession(cluster, 0), openSession(cluster, 7)],
    [sendCalls(cluster, 0, [0, 1])],
    [],
    [sendCalls(cluster, 0, [2], { argument: request(operation.grow, 2, 3) })],
    [sendCalls(cluster, 0, [3], { argument: request(operation.trap, 1, 1) })],
    [sendCalls(cluster, 7, [0], { argument: request(operation.dirty, 30, 9) }), sendCalls(cluster, 0, [4])],
    [],
    [],
    [sendCalls(cluster, 7, [1, 2, 3])],
  ]
  for (const [index, envelopes] of plan.entries()) {
    const place = placeAt(index + 1)
    submit(node, ...envelopes)
    const { content } = node.execution.propose(place, 1)
    const items = content === null ? [] : [content.seal, content.blockData]
    const decision = node.execution.finalize(place, items)
    assert.equal(decision.kind, envelopes.length === 0 ? 'empty' : 'content')
    await node.execution.commit()
    history.push(items)
    standings.push(standing(node))
  }
  await closeNode(node)
  return { history, standings }
}

async function catchUp(node: TestNode, history: readonly Uint8Array[][]): Promise<void> {
  for (let height = node.execution.position.height + 1; height <= history.length; height++) {
    const decision = node.execution.finalize(placeAt(height), history[height - 1] as Uint8Array[])
    assert.notEqual(decision.kind, 'dissent')
    await node.execution.commit()
  }
}

describe('restarts of an execution', () => {
  test('after any block, with the last 0 to 3 blocks lost, the state is restored and the chain goes on', () =>
    withFolder(async (folder) => {
      const { history, standings } = await chain(folder)
      for (let stop = 0; stop <= history.length; stop++) {
        for (const lost of [0, 1, 3].filter((count) => count <= stop)) {
          const path = join(folder, `store-${stop}-${lost}`)
          const first = openNode(cluster, path)
          for (let height = 1; height <= stop; height++) {
            first.execution.process(placeAt(height), history[height - 1] as Uint8Array[])
            first.execution.finalize(placeAt(height), history[height - 1] as Uint8Array[])
            if (height <= stop - lost) await first.execution.commit()
          }
          if (stop > 0) assert.deepEqual(standing(first), standings[stop - 1])
          // The block after is under way when the node ends.
          if (stop < history.length) first.execution.process(placeAt(stop + 1), history[stop] as Uint8Array[])
          await closeNode(first)
          const again = openNode(cluster, path)
          const kept = stop - lost
          assert.equal(again.execution.position.height, kept)
          if (kept > 0) assert.deepEqual(standing(again), standings[kept - 1])
          await catchUp(again, history)
          assert.deepEqual(standing(again), standings[history.length - 1])
          await closeNode(again)
        }
      }
    }))

  test('used counters and old envelopes stay used after a restart', () =>
    withFolder(async (folder) => {
      const { history } = await chain(folder)
      const node = openNode(cluster, join(folder, 'second'))
      await catchUp(node, history)
      await closeNode(node)
      const again = openNode(cluster, node.path)
      for (const sent of [sendCalls(cluster, 0, [0, 1]), sendCalls(cluster, 7, [3])])
        assertRejects('counter-used', () => submit(again, sent))
      assertRejects('slot-taken', () => submit(again, openSession(cluster, 0)))
      submit(again, sendCalls(cluster, 7, [4]))
      assert.ok(again.execution.propose(placeAt(10), 1).content !== null)
      await closeNode(again)
    }))

  test('time goes on from the last decided block, with or without content', () =>
    withFolder(async (folder) => {
      const node = openNode(cluster, join(folder, 'store'))
      const hour = 3600
      const place = { height: 1, time: { seconds: placeAt(1).time.seconds + hour, nanoseconds: 0 } }
      node.execution.finalize(place, [])
      await node.execution.commit()
      await closeNode(node)
      const again = openNode(cluster, node.path)
      const now = place.time.seconds * 1000
      assert.equal(again.execution.position.milliseconds, now)
      const closesTime = now + 1000
      const late = openSession(cluster, 0, 'ann', { closesTime, expiryTime: now - 1 })
      assertRejects('expired', () => submit(again, late))
      // As late as the cluster allows: counted from the genesis it would lie too far ahead.
      const { expiryMilliseconds } = cluster.genesis.limits
      submit(again, openSession(cluster, 0, 'ann', { closesTime, expiryTime: now + expiryMilliseconds }))
      assert.equal(again.execution.poolSize, 1)
      await closeNode(again)
    }))

  test('receipts, places and block data of every block are in the store', () =>
    withFolder(async (folder) => {
      const { history } = await chain(folder)
      const store = new Store(join(folder, 'first'))
      const contents = history.flatMap((items, index) => (items.length === 0 ? [] : [index + 1]))
      assert.deepEqual(store.uncertified(0), contents)
      for (const height of contents) {
        const block = store.block(height)
        assert.ok(block !== null)
        assert.deepEqual(Buffer.from(block.blockData), Buffer.from(history[height - 1]?.[1] as Uint8Array))
        for (let index = 0; index + 1 < block.offsets.length; index++) {
          const id = block.receipts.slice(block.offsets[index], (block.offsets[index] as number) + 32)
          assert.deepEqual(store.placeOf(id), { height, index })
        }
      }
      await store.close()
    }))
})

type Value = Record<string, unknown>
type Root = RootDatabase<Value, string>

function table(root: Root, name: string): Database<Value, number> {
  return root.openDB<Value, number>({ name })
}

/** Changes the stored position, session or block behind the node's back. */
async function corrupt(path: string, change: (root: Root) => Promise<unknown>): Promise<void> {
  const root = open<Value, string>({ path, maxDbs: 8, noSubdir: false })
  await change(root)
  await root.close()
}

describe('a corrupt store', () => {
  const cases: readonly { name: string; code: string; change: (root: Root) => Promise<unknown> }[] = [
    {
      name: 'a page',
      code: 'store-corrupt',
      change: async (root) => {
        const pages = root.openDB<Buffer, number>({ name: 'pages', encoding: 'binary' })
        const [first] = [...pages.getRange({ limit: 1 })]
        assert.ok(first !== undefined)
        const bytes = Buffer.from(first.value)
        bytes[100] = (bytes[100] as number) ^ 1
        await pages.put(first.key, bytes)
      },
    },
    {
      name: 'a page of the wrong size',
      code: 'state-delta',
      change: (root) => root.openDB<Buffer, number>({ name: 'pages', encoding: 'binary' }).put(1, Buffer.alloc(17)),
    },
    {
      name: 'the globals',
      code: 'store-corrupt',
      change: async (root) => {
        const position = root.get('position')
        await root.put('position', { ...position, globals: Buffer.alloc(8, 1) })
      },
    },
    {
      name: 'a session',
      code: 'store-corrupt',
      change: async (root) => {
        const sessions = table(root, 'sessions')
        await sessions.put(7, { ...sessions.get(7), nextCounter: 0 })
      },
    },
    {
      name: 'a missing session',
      code: 'store-corrupt',
      change: (root) => table(root, 'sessions').remove(0),
    },
    {
      name: 'the last block gone',
      code: 'store-corrupt',
      change: (root) => table(root, 'blocks').remove(9),
    },
    {
      name: 'the last manifest of another epoch',
      code: 'store-corrupt',
      change: async (root) => {
        const blocks = table(root, 'blocks')
        const block = blocks.get(9)
        const manifest = decodeManifest(new Uint8Array(block?.['manifest'] as Buffer))
        await blocks.put(9, { ...block, manifest: Buffer.from(encodeManifest({ ...manifest, epoch: 2 })) })
      },
    },
  ]
  for (const { name, code, change } of cases)
    test(`is refused: ${name}`, () =>
      withFolder(async (folder) => {
        await chain(folder)
        const path = join(folder, 'first')
        await corrupt(path, change)
        const refusal = rejectionOf(() => openNode(cluster, path))
        assert.equal(refusal?.code, code, refusal?.message)
      }))

  test('a folder that cannot hold a store is refused', () =>
    assertRejects('store-open', () => new Store('/dev/null/store')))
})

describe('an engine that starts again beside a living node', () => {
  test('is told the last committed block, and a block finalized since then is decided the same when asked again', () =>
    withFolder(async (folder) => {
      const node = openNode(cluster, join(folder, 'store'))
      const { execution } = node
      const finalizeNext = (height: number, ...envelopes: Parameters<typeof submit>[1][]): Uint8Array[] => {
        submit(node, ...envelopes)
        const { content } = execution.propose(placeAt(height), 1)
        const items = content === null ? [] : [content.seal, content.blockData]
        execution.finalize(placeAt(height), items)
        return items
      }
      finalizeNext(1, openSession(cluster, 0))
      await execution.commit()
      for (const envelopes of [[sendCalls(cluster, 0, [0])], []]) {
        const height = execution.position.height + 1
        const items = finalizeNext(height, ...envelopes)
        const after = standing(node)
        assert.equal((await execution.durablePosition()).height, height - 1)
        assert.equal(node.store.position?.height, height - 1)
        const again = execution.finalize(
          placeAt(height),
          items.map((item) => item.slice()),
        )
        assert.equal(again.kind, envelopes.length === 0 ? 'empty' : 'content')
        assert.deepEqual(standing(node), after)
        await execution.commit()
        assert.equal((await execution.durablePosition()).height, height)
        assert.equal(node.store.position?.height, height, 'what the engine was told is on disk')
      }
      await closeNode(node)
      const restarted = openNode(cluster, node.path)
      assert.deepEqual(standing(restarted), standing(node))
      assert.equal(restarted.execution.state.sessions.get(0)?.nextCounter, 1)
      await closeNode(restarted)
    }))

  test('a block that is not the one finalized is none that this node agrees to', () =>
    withFolder(async (folder) => {
      const node = openNode(cluster, join(folder, 'store'))
      submit(node, openSession(cluster, 0))
      const { content } = node.execution.propose(placeAt(1), 1)
      assert.ok(content !== null)
      const items = [content.seal, content.blockData]
      node.execution.finalize(placeAt(1), items)
      const [seal, data] = [content.seal.slice(), content.blockData]
      seal[500] = (seal[500] as number) ^ 1
      for (const others of [[seal, data], [content.seal], [data]])
        assert.equal(node.execution.finalize(placeAt(1), others).kind, 'dissent')
      await closeNode(node)
    }))
})
