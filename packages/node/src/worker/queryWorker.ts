/** The query worker: a `QueryReplica` fed by the execution worker. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { assert } from '@onus/protocol/errors'
import { decodeGenesis } from '@onus/protocol/genesis'
import { decodeManifest } from '@onus/protocol/manifest'
import { millisecondsOfTimestamp } from '@onus/protocol/timestamp'
import { createHashing } from '../hashing.js'
import { Store } from '../store/store.js'
import { serveWorker } from './channel.js'
import type { ReplicaUpdate } from './executionWorker.js'
import { openMachine } from './openMachine.js'
import { yieldToEventLoop } from './priority.js'
import { QueryReplica, type ReplicaAnswer, type ReplicaBlock } from './queryReplica.js'

export interface QueryWorkerData {
  readonly genesis: Uint8Array
  readonly module: Uint8Array
  readonly storePath: string
  /** From the execution worker. */
  readonly updates: MessagePort
}

export interface QueryMethods {
  query(argument: { height: number | null; argument: Uint8Array }): ReplicaAnswer
  ready(argument: null): number
}

assert(parentPort !== null, 'this file runs as a worker')
yieldToEventLoop(6)
const data = workerData as QueryWorkerData
const hashing = createHashing()
const genesis = decodeGenesis(data.genesis)
const store = new Store(data.storePath)
// The execution worker checked this state before this worker began (`nodeWorkers.ts`).
const machine = openMachine(genesis, data.module, hashing, store, { keepsRoots: false })

function newestBlock(): ReplicaBlock {
  const height = store.position?.chain.height ?? genesis.initialHeight - 1
  const block = store.block(height)
  const time = block === null ? genesis.time : decodeManifest(block.manifest).time
  const manifestHash = store.position?.chain.manifestHash ?? genesis.previousManifest
  return { height, milliseconds: millisecondsOfTimestamp(time), manifestHash }
}

const decided = store.position?.height ?? genesis.initialHeight - 1
const replica = new QueryReplica(hashing, machine, genesis.limits.callGas, newestBlock(), decided)
await store.close()

data.updates.on('message', ({ height, content }: ReplicaUpdate) => {
  if (content === null) return replica.follow(height, null)
  const { milliseconds, manifestHash, delta } = content
  return replica.follow(height, { block: { height, milliseconds, manifestHash }, delta })
})

serveWorker<QueryMethods>(parentPort, {
  query: ({ height, argument }) => replica.query(height, argument),
  ready: () => replica.decided,
})
