/** The execution worker: `Execution` behind a message channel, its machine, its store, and the feed of the replica. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { wordLength } from '@onus/protocol/bytes'
import { assert, OnusError } from '@onus/protocol/errors'
import { decodeGenesis } from '@onus/protocol/genesis'
import { isPast, type Session } from '@onus/protocol/session'
import { addressLength } from '@onus/protocol/signature'
import { decodeEnvelope } from '@onus/protocol/transaction'
import type { StateDelta } from '@onus/state-transition/virtualMachine'
import { createHashing } from '../hashing.js'
import { Store, type StoredPosition } from '../store/store.js'
import { serveWorker } from './channel.js'
import { type SignedBatch, unpackEnvelopes } from './envelopeBatch.js'
import {
  type BlockPlace,
  type DecidedBlock,
  type Decision,
  Execution,
  type Proposal,
  type Verdict,
} from './execution.js'
import { lyingMachine } from './lyingMachine.js'
import { openMachine } from './openMachine.js'
import { yieldToEventLoop } from './priority.js'

export interface ExecutionWorkerData {
  readonly genesis: Uint8Array
  readonly module: Uint8Array
  readonly storePath: string
  readonly poolBytes: number
  /** Test switch: answer wrongly. */
  readonly lie: boolean
  readonly banned: readonly string[]
  /** 33 shared bytes: 1 while an envelope is executed, then its key. */
  readonly watch: SharedArrayBuffer
  /** To the query worker. */
  readonly replica: MessagePort
}

/** What the replica is told of each decided block. */
export interface ReplicaUpdate {
  readonly height: number
  /** null for a block without content. */
  readonly content: {
    readonly milliseconds: number
    readonly manifestHash: Uint8Array
    readonly delta: StateDelta
  } | null
}

export type FinalizeAnswer =
  | { readonly kind: 'content'; readonly appHash: Uint8Array; readonly block: DecidedBlock; readonly poolSize: number }
  | { readonly kind: 'empty'; readonly appHash: Uint8Array; readonly poolSize: number }
  | { readonly kind: 'dissent'; readonly reason: string; readonly ownManifest: Uint8Array | null }

export interface SessionView {
  readonly session: Session | null
  /** The session takes no calls in the next block. */
  readonly isClosed: boolean
}

/** Why an envelope was not taken, as plain data. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly remedy?: string
}

export type Taking = 'new' | 'held' | Refusal

export interface ExecutionMethods {
  /** The durable position; waits for what is on its way to disk (S18). */
  position(argument: null): Promise<StoredPosition>
  /** For each envelope, in order: `new`, `held` where the pool had it, or why it was refused. */
  submit(batch: SignedBatch): { poolSize: number; outcomes: readonly Taking[] }
  propose(argument: BlockPlace & { share: number }): Proposal
  process(argument: BlockPlace & { items: readonly Uint8Array[] }): Verdict
  /** `powers`: kept with the position. */
  finalize(argument: BlockPlace & { items: readonly Uint8Array[]; powers: Uint8Array }): FinalizeAnswer
  commit(argument: null): Promise<void>
  session(slot: number): SessionView
  freeSlot(argument: null): { slot: number; generation: number } | null
  close(argument: null): Promise<void>
}

assert(parentPort !== null, 'this file runs as a worker')
yieldToEventLoop(4)
const data = workerData as ExecutionWorkerData
const hashing = createHashing()
const genesis = decodeGenesis(data.genesis)
const store = new Store(data.storePath)
const machine = openMachine(genesis, data.module, hashing, store)
const watched = Buffer.from(data.watch)

function watch(key: string): void {
  watched.write(key, 1, 'latin1')
  watched[0] = 1
}

const execution = new Execution({
  genesis,
  genesisHash: hashing.sha256(data.genesis),
  machine: data.lie ? lyingMachine(machine) : machine,
  hashing,
  store,
  poolBytes: data.poolBytes,
  banned: new Set(data.banned),
  watch,
})

function updateOf(height: number, decision: Exclude<Decision, { kind: 'dissent' }>): ReplicaUpdate {
  if (decision.kind === 'empty') return { height, content: null }
  const { milliseconds, manifestHash } = decision.block
  return { height, content: { milliseconds, manifestHash, delta: decision.outcome.delta.machine } }
}

function finalize({
  items,
  powers,
  ...place
}: BlockPlace & { items: readonly Uint8Array[]; powers: Uint8Array }): FinalizeAnswer {
  const isAgain = execution.position.height === place.height
  const decision = execution.finalize(place, items, powers)
  if (decision.kind === 'dissent') return decision
  if (!isAgain) data.replica.postMessage(updateOf(place.height, decision))
  const { poolSize } = execution
  if (decision.kind === 'empty') return { ...decision, poolSize }
  const { block, appHash } = decision
  return { kind: 'content', appHash, block, poolSize }
}

function sessionView(slot: number): SessionView {
  const session = execution.state.sessions.get(slot)
  const next = { height: execution.position.height + 1, milliseconds: Date.now() }
  return { session, isClosed: session !== null && isPast(session.closes, next) }
}

/** A slot that is free now, drawn at random so that clients seldom meet: a hint, so the clock may be asked. */
function freeSlot(): { slot: number; generation: number } | null {
  const { sessions } = execution.state
  const range = Math.min(genesis.limits.sessionCapacity, 2 * sessions.slotsInUse + 64)
  for (let attempt = 0; attempt < 256; attempt++) {
    const slot = Math.floor(Math.random() * range)
    const { session, isClosed } = sessionView(slot)
    if (session === null) return { slot, generation: 0 }
    if (isClosed) return { slot, generation: session.generation + 1 }
  }
  return null
}

const signatureWrong: Refusal = {
  code: 'signature-wrong',
  message: 'the signature is not over this envelope for this cluster and epoch',
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof OnusError)) throw error
  const { code, message, remedy } = error
  return { code, message, ...(remedy === undefined ? {} : { remedy }) }
}

function submit(batch: SignedBatch): { poolSize: number; outcomes: readonly Taking[] } {
  let idsAt = 0
  const outcomes = unpackEnvelopes(batch).map((view, index): Taking => {
    if (batch.valid[index] !== 1) return signatureWrong
    // Copies: what waits must not keep a whole batch in memory.
    const bytes = view.slice()
    const envelope = decodeEnvelope(bytes)
    const ids = envelope.bodies.map((_, i) => batch.ids.slice(idsAt + i * wordLength, idsAt + (i + 1) * wordLength))
    idsAt += ids.length * wordLength
    const signer = batch.signers.slice(index * addressLength, (index + 1) * addressLength)
    try {
      const origin = batch.origins[index] as number
      return execution.submit({ bytes, envelope, signer, ids, origin }) ? 'new' : 'held'
    } catch (error) {
      return refusalOf(error)
    }
  })
  return { poolSize: execution.poolSize, outcomes }
}

serveWorker<ExecutionMethods>(parentPort, {
  // A block that was finalized and not committed is not in it, so that the engine asks for it again.
  position: () => execution.durablePosition(),
  submit,
  propose: ({ share, ...place }) => {
    // A failure ends this worker and must leave the mark: by it the node knows which envelope it was.
    const proposal = execution.propose(place, share)
    watched[0] = 0
    return proposal
  },
  process: ({ items, ...place }) => execution.process(place, items),
  finalize,
  commit: () => execution.commit(),
  session: sessionView,
  freeSlot,
  close: async () => {
    await execution.flush()
    await store.close()
  },
})
