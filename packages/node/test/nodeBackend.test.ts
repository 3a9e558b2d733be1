/** The way of an envelope through a node, with everything around it scripted: what is checked when, and who waits how long. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { BlockArchive } from '@onus/node/blockArchive'
import { NodeBackend } from '@onus/node/nodeBackend'
import { PendingResults } from '@onus/node/pendingResults'
import { encodeReceiptList } from '@onus/node/store/receiptList'
import { Store } from '@onus/node/store/store'
import type { WorkerClient } from '@onus/node/worker/channel'
import type { ExecutionMethods } from '@onus/node/worker/executionWorker'
import type { QueryMethods } from '@onus/node/worker/queryWorker'
import { toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { decodeQueryAnswer, decodeResults } from '@onus/protocol/gatewayMessages'
import { decodeReceiptProof, type Receipt } from '@onus/protocol/receipt'
import { decodeEnvelope, transactionIds } from '@onus/protocol/transaction'
import { receiptLeaves } from '@onus/state-transition/receiptsTree'
import { argument, description } from './support/notes.js'
import { seededBytes, withFolder } from './support/seeded.js'
import { hashing, type Sent, sendCalls, testCluster } from './support/testNode.js'

const cluster = testCluster()
const { genesis } = cluster

const call = (counter: number): Sent => sendCalls(cluster, 0, [counter], { argument })

interface Parts {
  readonly backend: NodeBackend
  readonly pending: PendingResults
  readonly archive: BlockArchive
  readonly spread: Uint8Array[]
  readonly asked: string[]
  take: () => unknown
  isNew: boolean
  query: (height: number | null) => unknown
  ready: OnusError | null
  decisions: number
}

async function withBackend(action: (parts: Parts) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const store = new Store(join(folder, 'store'))
    const worker = (): WorkerClient<ExecutionMethods> & WorkerClient<QueryMethods> =>
      ({
        call: async (method: string, given: { height: number | null }) => {
          parts.asked.push(method)
          return method === 'query' ? parts.query(given.height) : null
        },
      }) as unknown as WorkerClient<ExecutionMethods> & WorkerClient<QueryMethods>
    const pending = new PendingResults()
    const archive = new BlockArchive(hashing, store)
    const spread: Uint8Array[] = []
    const backend = new NodeBackend({
      genesis,
      genesisBytes: cluster.genesisBytes,
      description,
      descriptionBytes: new Uint8Array(0),
      hasher: hashing,
      execution: worker(),
      queries: worker(),
      archive,
      pending,
      take: async () => {
        parts.asked.push('take')
        await parts.take()
        return parts.isNew
      },
      spread: (envelope) => spread.push(envelope),
      nextDecision: async (timeout) => {
        parts.decisions += 1
        await new Promise((resolve) => setTimeout(resolve, Math.min(timeout, 5)))
      },
      checkReady: () => {
        if (parts.ready !== null) throw parts.ready
      },
      status: () => ({}),
      envelopesInFlight: 4096,
      moment: () => ({ height: 9, milliseconds: 9000 }),
    })
    const parts: Parts = {
      backend,
      pending,
      archive,
      spread,
      asked: [],
      take: () => undefined,
      isNew: true,
      query: () => ({ height: 1, trapped: false, output: new Uint8Array(0), detail: null }),
      ready: null,
      decisions: 0,
    }
    await action(parts)
    assert.equal(parts.pending.size, 0, 'nobody waits any more')
    await store.close()
  })
}

/** A block whose receipts are of these envelopes' transactions, certified. */
async function certify({ archive, pending }: Parts, height: number, ...envelopes: readonly Sent[]): Promise<void> {
  const ids = envelopes.flatMap(({ bytes }) => transactionIds(hashing, genesis, decodeEnvelope(bytes)))
  const receipts = ids.map(
    (transactionId): Receipt => ({ transactionId, status: 0, rejection: 0, gasUsed: 1, output: new Uint8Array(2) }),
  )
  archive.add(height, {
    manifest: new Uint8Array(1024),
    blockData: new Uint8Array(1),
    ...encodeReceiptList(receipts),
    leaves: receiptLeaves(hashing, receipts),
    itemCount: 2,
    sealProof: [],
  })
  await archive.certify(height, seededBytes(`certificate ${height}`))
  for (const [index, id] of ids.entries()) pending.certified(id, () => ({ height, index }))
}

describe('backend of the gateway', { timeout: 30_000 }, () => {
  test('an envelope is taken, passed on, waited for, and answered with certificate and receipts', () =>
    withBackend(async (parts) => {
      const sent = sendCalls(cluster, 0, [0, 1], { argument })
      const answer = parts.backend.submit(sent.bytes, 10_000)
      await new Promise((resolve) => setImmediate(resolve))
      await certify(parts, 4, call(7), sent)
      const { certificates, receipts } = decodeResults(await answer)
      assert.deepEqual(certificates, [seededBytes('certificate 4')])
      assert.deepEqual(
        receipts.map((receipt) => decodeReceiptProof(receipt).index),
        [1, 2],
      )
      assert.deepEqual([parts.spread, parts.asked], [[sent.bytes], ['take']])
      // Known now: answered without taking it again, also by a node that takes nothing.
      parts.ready = new OnusError('dissenting', 'no')
      assert.deepEqual(decodeResults(await parts.backend.submit(sent.bytes, 10)).certificates, certificates)
      assert.deepEqual(parts.asked, ['take'])
      const [id] = transactionIds(hashing, genesis, decodeEnvelope(sent.bytes))
      assert.equal(decodeResults(await parts.backend.receipt(id as Uint8Array, 0)).receipts.length, 1)
      assert.deepEqual(await parts.backend.certificate(null), seededBytes('certificate 4'))
      assert.deepEqual(await parts.backend.certificate(77), seededBytes('certificate 4'))
      await assert.rejects(parts.backend.certificate(3), { code: 'unknown-block' })
    }))

  test('an envelope whose transactions stand in two blocks brings both certificates', () =>
    withBackend(async (parts) => {
      const both = sendCalls(cluster, 0, [0, 1], { argument })
      const ids = transactionIds(hashing, genesis, decodeEnvelope(both.bytes))
      const answer = parts.backend.submit(both.bytes, 10_000)
      await new Promise((resolve) => setImmediate(resolve))
      await certify(parts, 5, sendCalls(cluster, 0, [1], { argument }))
      await certify(parts, 4, sendCalls(cluster, 0, [0], { argument }))
      const { certificates, receipts } = decodeResults(await answer)
      assert.deepEqual(certificates, [seededBytes('certificate 4'), seededBytes('certificate 5')])
      assert.deepEqual(
        receipts.map((receipt) => toHex(decodeReceiptProof(receipt).receipt.transactionId)),
        ids.map(toHex),
      )
    }))

  test('every refusal has its code, and nothing refused is passed on or waited for', () =>
    withBackend(async (parts) => {
      const { backend } = parts
      await assert.rejects(backend.submit(new Uint8Array(3), 60_000), { name: 'OnusError' })
      parts.take = () => {
        throw new OnusError('counter-used', 'used')
      }
      await assert.rejects(backend.submit(call(0).bytes, 60_000), { code: 'counter-used' })
      for (const code of ['dissenting', 'not-ready']) {
        parts.ready = new OnusError(code, 'no')
        await assert.rejects(backend.submit(call(0).bytes, 60_000), { code })
      }
      assert.deepEqual([parts.spread, parts.pending.size], [[], 0])
    }))

  test('a taken envelope without certificate in time is told to be on its way', () =>
    withBackend(async ({ backend }) => {
      const { bytes } = call(0)
      const [id] = transactionIds(hashing, genesis, decodeEnvelope(bytes))
      const late = await backend.submit(bytes, 20).then(
        () => assert.fail(),
        (error: OnusError) => error,
      )
      assert.equal(late.code, 'not-yet-certified')
      assert.match(late.remedy ?? '', new RegExp(toHex(id as Uint8Array)))
      for (const timeout of [0, 10])
        await assert.rejects(backend.receipt(id as Uint8Array, timeout), { code: 'unknown-transaction' })
      await assert.rejects(backend.certificate(null), { code: 'unknown-block' })
    }))

  test('what fits into no block is refused while it is waited for', () =>
    withBackend(async (parts) => {
      const { bytes } = call(0)
      const answer = assert.rejects(parts.backend.submit(bytes, 60_000), { code: 'too-large' })
      await new Promise((resolve) => setImmediate(resolve))
      parts.pending.refuse(transactionIds(hashing, genesis, decodeEnvelope(bytes)), new OnusError('too-large', 'no'))
      await answer
    }))

  test('what is there already is waited for and not passed on again, and one session has a share of the places', () =>
    withBackend(async (parts) => {
      parts.isNew = false
      const { bytes } = call(0)
      const all = Array.from({ length: 300 }, () =>
        parts.backend.submit(bytes, 200).then(
          () => '',
          (error: OnusError) => error.code,
        ),
      )
      const other = parts.backend.submit(sendCalls(cluster, 1, [0], { argument }).bytes, 10).catch(({ code }) => code)
      assert.equal(await other, 'not-yet-certified', 'another session has its place')
      const codes = await Promise.all(all)
      assert.deepEqual([codes.filter((code) => code === 'session-quota').length, parts.spread], [300 - 256, []])
      await assert.rejects(parts.backend.submit(bytes, 1), { code: 'not-yet-certified' }, 'places are given back')
    }))

  test('more envelopes at once than a node can look at are busy', () =>
    withBackend(async (parts) => {
      let release = (): void => undefined
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      parts.take = async () => {
        await held
        throw new OnusError('counter-used', 'used')
      }
      const of = Array.from({ length: 20 }, (_, slot) => sendCalls(cluster, slot, [0], { argument }).bytes)
      const all = Array.from({ length: 4100 }, (_, index) =>
        parts.backend.submit(of[index % 20] as Uint8Array, 60_000).then(
          () => '',
          (error: OnusError) => error.code,
        ),
      )
      await new Promise((resolve) => setTimeout(resolve, 20))
      release()
      const codes = await Promise.all(all)
      assert.deepEqual([codes.filter((code) => code === 'busy').length, codes[0]], [4, 'counter-used'])
    }))

  test('a query at a height to come waits for it, but not for ever; other refusals come at once', () =>
    withBackend(async (parts) => {
      const { backend } = parts
      let asked = 0
      parts.query = (height) => {
        asked += 1
        if (height === 5 && asked >= 4) return { height: 5, trapped: false, output: Uint8Array.of(1), detail: null }
        throw new OnusError('height-ahead', 'not yet')
      }
      assert.deepEqual(decodeQueryAnswer(await backend.query(new Uint8Array(4), 5)), {
        height: 5,
        trapped: false,
        output: Uint8Array.of(1),
      })
      assert.equal(parts.decisions, 3)
      const started = performance.now()
      await assert.rejects(backend.query(new Uint8Array(4), 6), { code: 'height-ahead' })
      assert.ok(performance.now() - started > 1900)
      parts.query = () => {
        throw new OnusError('height-gone', 'gone')
      }
      await assert.rejects(backend.query(new Uint8Array(4), 1), { code: 'height-gone' })
      parts.query = () => ({ height: 5, trapped: true, output: new Uint8Array(0), detail: 'no such note' })
      await assert.rejects(backend.query(new Uint8Array(4), 5), { code: 'query-trapped', message: 'no such note' })
    }))
})
