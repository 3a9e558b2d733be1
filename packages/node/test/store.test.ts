/** The store: what is written is read back, also after it was closed; receipts in one byte string; the archive before it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { BlockArchive } from '@onus/node/blockArchive'
import { encodeReceiptList, idOfReceipt, receiptAt, receiptProofAt } from '@onus/node/store/receiptList'
import { type BlockWrite, Store, type StoredBlock, type StoredPosition } from '@onus/node/store/store'
import { verifyFixedTreeProof } from '@onus/protocol/fixedTree'
import { nobleHasher } from '@onus/protocol/hash'
import {
  decodeReceiptProof,
  type Receipt,
  type ReceiptStatus,
  type RejectionCode,
  receiptLeaf,
  receiptStatus,
  receiptsTreeDepth,
} from '@onus/protocol/receipt'
import type { Session } from '@onus/protocol/session'
import { receiptLeaves, receiptsTree } from '@onus/state-transition/receiptsTree'
import fc from 'fast-check'
import { seededBytes, withFolder } from './support/seeded.js'
import { hashing } from './support/testNode.js'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const integer = fc.oneof(fc.nat(1000), fc.maxSafeNat(), fc.constantFrom(2 ** 32, 2 ** 53 - 1))

const session: fc.Arbitrary<Session> = fc.record({
  owner: bytes(20),
  key: bytes(20),
  callKind: fc.constantFrom(1, 2),
  generation: fc.nat(0xffffffff),
  nextCounter: integer,
  closes: fc.record({ height: integer, time: integer }),
})

const position: fc.Arbitrary<StoredPosition> = fc.record({
  height: fc.nat(2 ** 31),
  milliseconds: integer,
  appHash: bytes(32),
  chain: fc.record({
    height: integer,
    manifestHash: bytes(32),
    range: fc.record({ size: integer, peaks: fc.array(bytes(32), { maxLength: 4 }) }),
  }),
  memoryPages: fc.nat(4096),
  globals: fc.uint8Array({ maxLength: 64 }),
  stateRoot: bytes(32),
  powers: fc.uint8Array({ maxLength: 300 }),
})

const block: fc.Arbitrary<StoredBlock> = fc.record({
  manifest: bytes(1024),
  blockData: fc.uint8Array({ maxLength: 5000 }),
  receipts: fc.uint8Array({ maxLength: 500 }),
  offsets: fc.array(fc.nat(0xffffffff), { maxLength: 9 }).map((offsets) => new Uint32Array(offsets)),
  leaves: fc.uint8Array({ maxLength: 320 }),
  itemCount: fc.nat(70),
  sealProof: fc.array(bytes(32), { maxLength: 4 }),
})

/** LMDB gives Buffers: compared as plain bytes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof Uint32Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

function emptyBlock(label: string): StoredBlock {
  const receipt: Receipt = {
    transactionId: seededBytes(`id ${label}`),
    status: receiptStatus.executed,
    rejection: 0,
    gasUsed: 5,
    output: seededBytes(`output ${label}`, 40),
  }
  return {
    manifest: seededBytes(`manifest ${label}`, 1024),
    blockData: seededBytes(`data ${label}`, 200),
    ...encodeReceiptList([receipt]),
    leaves: receiptLeaves(hashing, [receipt]),
    itemCount: 2,
    sealProof: [seededBytes('sibling')],
  }
}

function writeOf(height: number, of: StoredBlock, ids: readonly Uint8Array[] = []): BlockWrite {
  const chain = { height, manifestHash: seededBytes(`hash ${height}`), range: { size: 1, peaks: [] } }
  const globals = new Uint8Array(8)
  return {
    position: {
      height,
      milliseconds: 7,
      appHash: new Uint8Array(32),
      chain,
      memoryPages: 2,
      globals,
      stateRoot: globals,
      powers: globals,
    },
    change: { machine: { memoryPages: 2, globals, pages: [] }, sessions: [], position: chain },
    block: of,
    ended: ids.map((id, index) => [id, index] as const),
  }
}

describe('store', () => {
  test('gives back positions, blocks, pages and sessions as they were written, also when it is opened again', () =>
    withFolder(async (folder) => {
      const write = fc.record({
        position,
        block,
        pages: fc.dictionary(fc.nat(5000).map(String), bytes(4096), { maxKeys: 4 }),
        sessions: fc.dictionary(fc.constantFrom('0', '3', '70', '16777215'), fc.option(session, { freq: 2 }), {
          maxKeys: 4,
        }),
        ids: fc.uniqueArray(bytes(32), { maxLength: 4, selector: String }),
      })
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 4 }), async (writes) => {
          const path = join(folder, `store-${run++}`)
          const store = new Store(path)
          const pages = new Map<number, Uint8Array>()
          const sessions = new Map<number, Session>()
          for (const written of writes) {
            const changedPages = Object.entries(written.pages).map(([index, page]) => [Number(index), page] as const)
            const changedSessions = Object.entries(written.sessions).map(
              ([slot, held]) => [Number(slot), held] as const,
            )
            for (const [index, page] of changedPages) pages.set(index, page)
            for (const [slot, held] of changedSessions)
              if (held === null) sessions.delete(slot)
              else sessions.set(slot, held)
            await store.writeBlock({
              position: written.position,
              change: {
                machine: { memoryPages: 2, globals: new Uint8Array(0), pages: changedPages },
                sessions: changedSessions,
                position: written.position.chain,
              },
              block: written.block,
              ended: written.ids.map((id, index) => [id, index] as const),
            })
          }
          await store.close()
          const again = new Store(path)
          const last = writes[writes.length - 1] as (typeof writes)[number]
          assert.deepEqual(plain(again.position), plain(last.position))
          assert.deepEqual(plain(again.block(last.position.height)), plain(last.block))
          const inOrder = <Value>(map: Map<number, Value>): unknown => plain([...map].sort(([a], [b]) => a - b))
          assert.deepEqual(plain([...again.pages()]), inOrder(pages))
          assert.deepEqual(plain([...again.sessions()]), inOrder(sessions))
          for (const [index, id] of last.ids.entries())
            assert.deepEqual(again.placeOf(id), { height: last.position.height, index })
          assert.equal(again.placeOf(seededBytes('unknown')), null)
          await again.close()
        }),
        { seed: 3, numRuns: 12 },
      )
    }))

  test('a session that an undo takes away is gone', () =>
    withFolder(async (folder) => {
      const store = new Store(join(folder, 'store'))
      const [held] = fc.sample(session, { seed: 1, numRuns: 1 }) as [Session]
      const write = writeOf(1, emptyBlock('1'))
      for (const sessions of [[[3, held] as const, [4, held] as const], [[3, null] as const]])
        await store.writeBlock({ ...write, change: { ...write.change, sessions } })
      assert.deepEqual(plain([...store.sessions()]), plain([[4, held]]))
      await store.close()
    }))

  test('pages read in one go do not share memory', () =>
    withFolder(async (folder) => {
      const store = new Store(join(folder, 'store'))
      const pages = Array.from({ length: 300 }, (_, index) => [index, seededBytes(`page ${index}`, 4096)] as const)
      const write = writeOf(1, emptyBlock('1'))
      await store.writeBlock({ ...write, change: { ...write.change, machine: { ...write.change.machine, pages } } })
      assert.deepEqual(plain([...store.pages()]), plain(pages))
      await store.close()
    }))

  test('finds the block at or below a height, the newest certificate, and what is not certified yet', () =>
    withFolder(async (folder) => {
      const store = new Store(join(folder, 'store'))
      assert.deepEqual(
        [store.position, store.contentHeight(5), store.newestCertificate, store.uncertified(0)],
        [null, null, 0, []],
      )
      for (const height of [3, 4, 9, 300]) await store.writeBlock(writeOf(height, emptyBlock(`${height}`)))
      const below = (height: number): number | null => store.contentHeight(height)
      assert.deepEqual([2, 3, 5, 8, 9, 299, 300, Number.MAX_SAFE_INTEGER].map(below), [null, 3, 4, 4, 9, 9, 300, 300])
      await store.writeCertificate(9, seededBytes('certificate 9'))
      await store.writeCertificate(4, seededBytes('certificate 4'))
      assert.equal(store.newestCertificate, 9)
      assert.deepEqual([store.uncertified(0), store.uncertified(4), store.uncertified(301)], [[3, 300], [300], []])
      assert.deepEqual([store.certificate(3), plain(store.certificate(4))], [null, plain(seededBytes('certificate 4'))])
      await store.close()
    }))

  test('keeps dissent with all its evidence', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'store')
      const store = new Store(path)
      assert.equal(store.dissent, null)
      const dissent = {
        height: 7,
        blockHash: seededBytes('block'),
        items: [seededBytes('seal', 1036), seededBytes('data', 70_000), new Uint8Array(0)],
        certificate: null,
        ownManifest: seededBytes('own', 1024),
        reason: 'result-differs',
      }
      await store.writeDissent(dissent)
      await store.close()
      const again = new Store(path)
      assert.deepEqual(plain(again.dissent), plain(dissent))
      await again.close()
    }))
})

const receipt: fc.Arbitrary<Receipt> = fc
  .record({
    transactionId: bytes(32),
    status: fc.constantFrom<ReceiptStatus>(0, 1, 2),
    rejection: fc.integer({ min: 1, max: 9 }),
    gasUsed: integer,
    output: fc.uint8Array({ maxLength: 100 }),
  })
  .map((drawn) => ({
    ...drawn,
    rejection: (drawn.status === receiptStatus.rejected ? drawn.rejection : 0) as RejectionCode,
    output: drawn.status === receiptStatus.executed ? drawn.output : new Uint8Array(0),
  }))

describe('receipt list', () => {
  test('gives back each receipt, its id, and a proof that holds', () => {
    fc.assert(
      fc.property(fc.array(receipt, { minLength: 1, maxLength: 12 }), (receipts) => {
        const list = encodeReceiptList(receipts)
        assert.equal(list.offsets.length, receipts.length + 1)
        const tree = receiptsTree(nobleHasher, receiptLeaves(nobleHasher, receipts))
        for (const [index, one] of receipts.entries()) {
          assert.deepEqual(plain(receiptAt(list, index)), plain(one))
          assert.deepEqual(idOfReceipt(list, index), one.transactionId)
          const proof = decodeReceiptProof(receiptProofAt(list, tree, 77, index))
          assert.deepEqual([proof.height, proof.index], [77, index])
          const leaf = receiptLeaf(nobleHasher, proof.receipt)
          assert.ok(verifyFixedTreeProof(nobleHasher, tree.root, receiptsTreeDepth, leaf, index, proof.siblings))
        }
      }),
      { seed: 4, numRuns: 30 },
    )
  })
})

describe('block archive', () => {
  test('serves a block before it is written, and after it left memory', () =>
    withFolder(async (folder) => {
      const store = new Store(join(folder, 'store'))
      const archive = new BlockArchive(hashing, store)
      const idAt = (height: number): Uint8Array => seededBytes(`id ${height}`)
      for (let height = 1; height <= 70; height++) {
        const added = emptyBlock(`${height}`)
        archive.add(height, added)
        assert.deepEqual(archive.placeOf(idAt(height)), { height, index: 0 })
        assert.equal(archive.certificate(height), null)
        await store.writeBlock(writeOf(height, added, [idAt(height)]))
        await archive.certify(height, seededBytes(`certificate ${height}`))
        assert.equal(archive.newestCertified, height)
      }
      for (const height of [1, 6, 7, 70]) {
        assert.deepEqual(archive.placeOf(idAt(height)), { height, index: 0 })
        assert.deepEqual(plain(archive.certificate(height)), plain(seededBytes(`certificate ${height}`)))
        assert.deepEqual(plain(archive.block(height)), plain(emptyBlock(`${height}`)))
        const proof = decodeReceiptProof(archive.receiptProof(height, 0) ?? assert.fail())
        assert.deepEqual(plain(proof.receipt.transactionId), plain(idAt(height)))
      }
      assert.deepEqual([archive.receiptProof(70, 1), archive.receiptProof(71, 0)], [null, null])
      assert.deepEqual(
        [0, 3, 70, 1000].map((height) => archive.contentHeight(height)),
        [null, 3, 70, 70],
      )
      await store.close()
    }))

  test('knows the newest certificate after a restart', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'store')
      const store = new Store(path)
      const archive = new BlockArchive(hashing, store)
      assert.equal(archive.newestCertified, 0)
      archive.add(5, emptyBlock('5'))
      await store.writeBlock(writeOf(5, emptyBlock('5')))
      await archive.certify(5, seededBytes('certificate 5'))
      await store.close()
      const again = new Store(path)
      const restarted = new BlockArchive(hashing, again)
      assert.equal(restarted.newestCertified, 5)
      assert.deepEqual(plain(restarted.certificate(5)), plain(seededBytes('certificate 5')))
      await restarted.certify(4, seededBytes('certificate 4'))
      assert.equal(restarted.newestCertified, 5, 'an older certificate that comes late is not the newest')
      await again.close()
    }))

  test('a transaction that was only rejected has no place', () =>
    withFolder(async (folder) => {
      const store = new Store(join(folder, 'store'))
      const archive = new BlockArchive(hashing, store)
      const rejected: Receipt = {
        ...receiptAt(emptyBlock('x'), 0),
        status: 2,
        rejection: 3,
        gasUsed: 0,
        output: new Uint8Array(0),
      }
      archive.add(1, { ...emptyBlock('1'), ...encodeReceiptList([rejected]) })
      assert.equal(archive.placeOf(rejected.transactionId), null)
      await store.close()
    }))
})
