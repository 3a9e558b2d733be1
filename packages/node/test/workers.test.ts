/** The workers of a node as threads: execution with its poison mark (S10), queries that follow it, signatures, genesis. */
import assert from 'node:assert/strict'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { banEnvelope, readBannedEnvelopes } from '@onus/node/bannedEnvelopes'
import { codeGenesis } from '@onus/node/dev/localnet'
import { WorkerClient } from '@onus/node/worker/channel'
import { packEnvelopes } from '@onus/node/worker/envelopeBatch'
import type { ExecutionMethods, ExecutionWorkerData } from '@onus/node/worker/executionWorker'
import type { QueryMethods, QueryWorkerData } from '@onus/node/worker/queryWorker'
import type { SignatureMethods, SignatureWorkerData } from '@onus/node/worker/signatureWorker'
import { envelopeKey } from '@onus/node/worker/transactionPool'
import { concatBytes } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { domainOfGenesis } from '@onus/protocol/genesis'
import { decodeEnvelope, envelopeKind, transactionIds } from '@onus/protocol/transaction'
import { requiredStackMegabytes } from '@onus/vm/engine/machine'
import { operation, request, totalOf } from './support/guest.js'
import { seededBytes, withFolder } from './support/seeded.js'
import {
  accountOf,
  callWith,
  hashing,
  openSession,
  placeAt,
  type Sent,
  send,
  sendCalls,
  testCluster,
} from './support/testNode.js'

const cluster = testCluster()
const script = (name: string): URL => new URL(`../src/worker/${name}.js`, import.meta.url)

interface Threads {
  readonly execution: WorkerClient<ExecutionMethods>
  readonly queries: WorkerClient<QueryMethods>
  readonly watch: Buffer
  readonly deaths: OnusError[]
}

interface ThreadOptions {
  readonly banned?: readonly string[]
  readonly stackMegabytes?: number
  readonly changes?: Partial<ExecutionWorkerData>
}

/** Stopped after each test, however it ends: a thread that runs on would keep the process. */
const running: { stop(): Promise<void> }[] = []

async function startThreads(home: string, options: ThreadOptions = {}): Promise<Threads> {
  const shared = new SharedArrayBuffer(33)
  const { port1, port2 } = new MessageChannel()
  const deaths: OnusError[] = []
  const data: ExecutionWorkerData = {
    genesis: cluster.genesisBytes,
    module: cluster.module,
    storePath: join(home, 'store'),
    poolBytes: 2 ** 20,
    lie: false,
    banned: options.banned ?? [],
    watch: shared,
    replica: port1,
    ...options.changes,
  }
  const resourceLimits = { stackSizeMb: options.stackMegabytes ?? requiredStackMegabytes }
  const died = (error: OnusError): number => deaths.push(error)
  const execution = new WorkerClient<ExecutionMethods>(
    script('executionWorker'),
    { workerData: data, transferList: [port1], resourceLimits, stderr: true },
    died,
  )
  running.push(execution)
  await execution.call('position', null)
  const queryData: QueryWorkerData = {
    genesis: data.genesis,
    module: data.module,
    storePath: data.storePath,
    updates: port2,
  }
  const queries = new WorkerClient<QueryMethods>(
    script('queryWorker'),
    { workerData: queryData, transferList: [port2], resourceLimits: { stackSizeMb: requiredStackMegabytes } },
    died,
  )
  running.push(queries)
  await queries.call('ready', null)
  return { execution, queries, watch: Buffer.from(shared), deaths }
}

async function stopThreads({ execution, queries }: Threads): Promise<void> {
  await execution.call('close', null).catch(() => undefined)
  await Promise.all([execution.stop(), queries.stop()])
}

async function submit({ execution }: Threads, ...envelopes: readonly Sent[]): Promise<void> {
  const packed = packEnvelopes(
    envelopes.map(({ bytes }) => bytes),
    envelopes.map(() => 0),
  )
  const ids = envelopes.flatMap(({ bytes }) => transactionIds(hashing, cluster.genesis, decodeEnvelope(bytes)))
  const { outcomes } = await execution.call('submit', {
    ...packed,
    signers: concatBytes(...envelopes.map(({ signer }) => signer)),
    valid: new Uint8Array(envelopes.length).fill(1),
    ids: concatBytes(...ids),
  })
  for (const outcome of outcomes) if (typeof outcome !== 'string') throw new OnusError(outcome.code, outcome.message)
}

async function decide({ execution }: Threads, height: number): Promise<string> {
  const place = placeAt(height)
  const { content } = await execution.call('propose', { ...place, share: 1 })
  const items = content === null ? [] : [content.seal, content.blockData]
  const verdict = await execution.call('process', { ...place, items })
  assert.deepEqual(verdict, { equal: true })
  const { kind } = await execution.call('finalize', { ...place, items, powers: new Uint8Array(0) })
  await execution.call('commit', null)
  return kind
}

/** Asks again while the replica has not heard of the height yet, as the node does. */
async function read({ queries }: Threads, height: number): Promise<bigint> {
  for (;;) {
    try {
      return totalOf((await queries.call('query', { height, argument: request(operation.read) })).output)
    } catch (error) {
      assert.equal((error as OnusError).code, 'height-ahead')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

describe('workers', { timeout: 60_000 }, () => {
  afterEach(async () => {
    for (const client of running.splice(0)) await client.stop()
  })

  test('execution and queries go together, before and after a restart', () =>
    withFolder(async (home) => {
      const first = await startThreads(home)
      await submit(first, openSession(cluster, 0), sendCalls(cluster, 0, [0, 1]))
      assert.equal(await decide(first, 1), 'content')
      assert.equal(await decide(first, 2), 'empty')
      await submit(first, sendCalls(cluster, 0, [2]))
      await decide(first, 3)
      assert.deepEqual([await read(first, 2), await read(first, 3)], [3n, 6n])
      const { session, isClosed } = await first.execution.call('session', 0)
      assert.deepEqual([session?.nextCounter, isClosed], [3, true], 'its closing time is long past')
      const free = await first.execution.call('freeSlot', null)
      assert.ok(free !== null && free.slot < cluster.genesis.limits.sessionCapacity)
      await stopThreads(first)
      const again = await startThreads(home)
      const position = await again.execution.call('position', null)
      assert.deepEqual([position.height, position.chain.range.size], [3, 2])
      assert.equal(await read(again, 3), 6n)
      await assert.rejects(again.queries.call('query', { height: 2, argument: new Uint8Array(0) }), {
        code: 'height-gone',
      })
      await submit(again, sendCalls(cluster, 0, [3]))
      await decide(again, 4)
      assert.deepEqual([await read(again, 3), await read(again, 4)], [6n, 10n])
      await stopThreads(again)
    }))

  test('an envelope under which the worker dies leaves its mark, and a node that knows it goes on', () =>
    withFolder(async (home) => {
      // A stack smaller than the machine requires makes V8 fail where the program does not: a bug of the node.
      const poison = sendCalls(cluster, 0, [0], { argument: request(operation.deep, 2500), gasLimit: 20_000_000 })
      const threads = await startThreads(home, { stackMegabytes: 0.3 })
      await submit(threads, openSession(cluster, 0))
      await decide(threads, 1)
      assert.equal(threads.watch[0], 0, 'no mark after a proposal that went well')
      // On disk before the worker dies: else the engine would bring the block again.
      assert.equal((await threads.execution.call('position', null)).height, 1)
      await submit(threads, sendCalls(cluster, 1, [0]), poison)
      await assert.rejects(threads.execution.call('propose', { ...placeAt(2), share: 1 }), { code: 'worker-died' })
      assert.deepEqual(
        threads.deaths.map(({ code }) => code),
        ['worker-died'],
      )
      assert.equal(threads.watch[0], 1)
      const key = threads.watch.subarray(1).toString('latin1')
      assert.equal(key, envelopeKey(poison.bytes))
      await stopThreads(threads)
      await banEnvelope(home, key)
      const again = await startThreads(home, { banned: await readBannedEnvelopes(home) })
      await assert.rejects(submit(again, poison), { name: 'OnusError', code: 'poisoned' })
      await submit(again, sendCalls(cluster, 0, [0]))
      assert.equal(await decide(again, 2), 'content')
      await stopThreads(again)
    }))

  test('a worker that cannot open its machine says why', () =>
    withFolder(async (home) => {
      const module = seededBytes('no module', 100)
      await assert.rejects(startThreads(home, { changes: { module } }), { name: 'OnusError', code: /^module-/ })
    }))

  test('a lying worker is found out by an honest one', () =>
    withFolder(async (home) => {
      const liar = await startThreads(join(home, 'liar'), { changes: { lie: true } })
      const honest = await startThreads(join(home, 'honest'))
      await submit(liar, openSession(cluster, 0), sendCalls(cluster, 0, [0]))
      const { content } = await liar.execution.call('propose', { ...placeAt(1), share: 1 })
      assert.ok(content !== null)
      const items = [content.seal, content.blockData]
      const verdict = await honest.execution.call('process', { ...placeAt(1), items })
      assert.ok(!verdict.equal && verdict.ownManifest !== null)
      const decision = await honest.execution.call('finalize', { ...placeAt(1), items, powers: new Uint8Array(0) })
      assert.equal(decision.kind, 'dissent')
      await Promise.all([stopThreads(liar), stopThreads(honest)])
    }))

  test('signers of envelopes come back in order; null for what no key signed', async () => {
    const workerData: SignatureWorkerData = { domain: domainOfGenesis(cluster.genesis) }
    const worker = new WorkerClient<SignatureMethods>(script('signatureWorker'), { workerData }, () => undefined)
    const [ann, ben] = [openSession(cluster, 0), sendCalls(cluster, 0, [0], {}, 'ben')]
    const forgedOwner = send(cluster, envelopeKind.accountOpening, 'eve', [
      { ...openingOf('ann'), owner: accountOf('ann'), key: accountOf('ann') },
    ])
    const other = send(testCluster({ blockGas: 1 }), envelopeKind.accountCalls, 'ann', [callWith(0, 0)])
    const broken = ann.bytes.slice()
    broken[30] = (broken[30] as number) ^ 1
    const noPoint = ben.bytes.slice()
    noPoint.fill(0xff, noPoint.length - 65, noPoint.length - 33)
    const asked = [
      ann.bytes,
      new Uint8Array(0),
      ben.bytes,
      seededBytes('garbage', 200),
      forgedOwner.bytes,
      broken,
      noPoint,
    ]
    const { signers, valid, ids } = await worker.call(
      'recover',
      packEnvelopes([...asked, other.bytes], new Array<number>(8).fill(0)),
    )
    const found = Array.from(valid, (one, index) => (one === 1 ? signers.slice(20 * index, 20 * (index + 1)) : null))
    assert.deepEqual(found.slice(0, 7), [ann.signer, null, ben.signer, null, null, null, null])
    assert.notDeepEqual(found[7], accountOf('ann'), 'signed for another cluster')
    assert.deepEqual(
      ids.subarray(0, 64),
      concatBytes(
        ...[ann, ben].flatMap(({ bytes }) => transactionIds(hashing, cluster.genesis, decodeEnvelope(bytes))),
      ),
    )
    await worker.stop()
    await assert.rejects(worker.call('recover', packEnvelopes([ann.bytes], [0])), { code: 'worker-died' })
  })

  test('the genesis worker says what openMachine will check', async () => {
    const { codeReference } = await codeGenesis(cluster.module)
    assert.equal(codeReference.length, 32)
    await assert.rejects(codeGenesis(seededBytes('no module', 100)), { name: 'OnusError', code: /^module-/ })
  })
})

function openingOf(name: string): Parameters<typeof send>[3][number] & { type: 'opening' } {
  const owner = accountOf(name)
  const expiry = { height: 5, time: placeAt(900).time.seconds * 1000 }
  return {
    type: 'opening',
    owner,
    key: owner,
    session: { slot: 3, generation: 0 },
    closes: expiry,
    expiry,
    admission: new Uint8Array(0),
  }
}

describe('banned envelopes', () => {
  const keys = ['a', 'b', 'c'].map((label) => Buffer.from(seededBytes(label)).toString('latin1'))

  test('are kept in their order, and a torn last key does not shift what follows', () =>
    withFolder(async (home) => {
      assert.deepEqual(await readBannedEnvelopes(home), [])
      await banEnvelope(home, keys[0] as string)
      await banEnvelope(home, keys[1] as string)
      assert.deepEqual(await readBannedEnvelopes(home), keys.slice(0, 2))
      const path = join(home, 'banned-envelopes')
      await appendFile(path, Buffer.alloc(17, 5))
      assert.deepEqual(await readBannedEnvelopes(home), keys.slice(0, 2))
      await banEnvelope(home, keys[2] as string)
      assert.deepEqual(await readBannedEnvelopes(home), keys)
      assert.equal((await readFile(path)).length, 96)
    }))

  test('of a file of garbage nothing is worse than forgotten keys', () =>
    withFolder(async (home) => {
      await writeFile(join(home, 'banned-envelopes'), seededBytes('garbage', 31))
      assert.deepEqual(await readBannedEnvelopes(home), [])
    }))
})
