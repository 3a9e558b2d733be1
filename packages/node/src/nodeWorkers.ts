/**
 * The three workers of a node and their lifetime: execution, queries (fed by the first), signatures. The death of one is
 * told once; the envelope under which the execution worker died is remembered on disk first (S10).
 */
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import type { OnusError } from '@onus/protocol/errors'
import { domainOfGenesis, type Genesis } from '@onus/protocol/genesis'
import { requiredStackMegabytes } from '@onus/vm/engine/machine'
import { banEnvelope, readBannedEnvelopes } from './bannedEnvelopes.js'
import { WorkerClient } from './worker/channel.js'
import type { ExecutionMethods, ExecutionWorkerData } from './worker/executionWorker.js'
import type { QueryMethods, QueryWorkerData } from './worker/queryWorker.js'
import type { SignatureMethods, SignatureWorkerData } from './worker/signatureWorker.js'

export interface NodeWorkersOptions {
  readonly home: string
  readonly genesis: Genesis
  readonly genesisBytes: Uint8Array
  readonly module: Uint8Array
  /** Test switch: a deliberately wrong machine. */
  readonly lie: boolean
  readonly onDeath: (error: OnusError) => void
}

export interface NodeWorkers {
  readonly execution: WorkerClient<ExecutionMethods>
  readonly queries: WorkerClient<QueryMethods>
  readonly signatures: WorkerClient<SignatureMethods>
  /** Waits for what is on its way to disk, then ends the threads. */
  stop(): Promise<void>
}

/** Waiting transactions of a node, in bytes. */
const poolBytes = 64 * 1024 * 1024
/**
 * Room for new objects in each thread. V8 would take 48 MiB in each, of which a node has four: at a third of that a call
 * costs as much CPU, within what can be measured, and a node 70 MiB less memory.
 */
const young = {
  execution: { maxYoungGenerationSizeMb: 24 },
  queries: { maxYoungGenerationSizeMb: 8 },
  signatures: { maxYoungGenerationSizeMb: 8 },
} as const
/** Folder of the store below a node's home. */
export const storeFolder = 'store'

const script = (name: string): URL => new URL(`./worker/${name}.js`, import.meta.url)

/** Starts the workers; resolves when the state is loaded and its root checked. Rejects what `openMachine` rejects. */
export async function startWorkers(options: NodeWorkersOptions): Promise<NodeWorkers> {
  const { home, genesis, genesisBytes, module, lie, onDeath } = options
  // V8's stack where backends run, so that the depth limit is always met first.
  const stackSizeMb = requiredStackMegabytes
  const replica = new MessageChannel()
  const watch = new SharedArrayBuffer(33)
  const storePath = join(home, storeFolder)
  const banned = await readBannedEnvelopes(home)
  const executionDied = async (error: OnusError): Promise<void> => {
    const watched = Buffer.from(watch)
    if (watched[0] === 1) await banEnvelope(home, watched.subarray(1).toString('latin1'))
    onDeath(error)
  }
  const executionData: ExecutionWorkerData = {
    genesis: genesisBytes,
    module,
    storePath,
    poolBytes,
    lie,
    banned,
    watch,
    replica: replica.port1,
  }
  const execution = new WorkerClient<ExecutionMethods>(
    script('executionWorker'),
    { workerData: executionData, transferList: [replica.port1], resourceLimits: { stackSizeMb, ...young.execution } },
    (error) => void executionDied(error),
  )
  await readyOrStopped(execution, execution.call('position', null))
  // The replica loads the store now and follows the blocks after it, so no block may be decided before it is ready.
  const queryData: QueryWorkerData = { genesis: genesisBytes, module, storePath, updates: replica.port2 }
  const queries = new WorkerClient<QueryMethods>(
    script('queryWorker'),
    { workerData: queryData, transferList: [replica.port2], resourceLimits: { stackSizeMb, ...young.queries } },
    onDeath,
  )
  await readyOrStopped(execution, queries.call('ready', null))
  const signatureData: SignatureWorkerData = { domain: domainOfGenesis(genesis) }
  const signatures = new WorkerClient<SignatureMethods>(
    script('signatureWorker'),
    { workerData: signatureData, resourceLimits: young.signatures },
    onDeath,
  )
  const stop = async (): Promise<void> => {
    await execution.call('close', null).catch(() => undefined)
    await Promise.all([execution.stop(), queries.stop(), signatures.stop()])
  }
  return { execution, queries, signatures, stop }
}

/** A worker that does not get ready has ended by itself; the one that it needs must not run on. */
async function readyOrStopped(needed: WorkerClient<ExecutionMethods>, ready: Promise<unknown>): Promise<void> {
  try {
    await ready
  } catch (error) {
    await needed.stop()
    throw error
  }
}
