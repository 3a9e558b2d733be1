/**
 * The execution of a node (`system.md`, One block): pool, speculative blocks, the decided state and its way to disk.
 * Runs in the execution worker; one call after the other. It decides what this node believes; what the node signs
 * follows from `process` and `finalize` (S1).
 */
import { equalBytes } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { domainOfGenesis, type Genesis } from '@onus/protocol/genesis'
import { encodeSeal } from '@onus/protocol/manifest'
import { merkleLeaf, merkleProof } from '@onus/protocol/merkleTree'
import type { BlockMoment } from '@onus/protocol/session'
import { millisecondsOfTimestamp, nanosecondsOfTimestamp, type Timestamp } from '@onus/protocol/timestamp'
import { decodeEnvelope } from '@onus/protocol/transaction'
import type { BlockOutcome } from '@onus/state-transition/blockExecution'
import { buildBlock } from '@onus/state-transition/buildBlock'
import { ClusterState, type Hashing } from '@onus/state-transition/clusterState'
import { executeBlock } from '@onus/state-transition/executeBlock'
import { SessionView } from '@onus/state-transition/sessionView'
import type { VirtualMachine } from '@onus/state-transition/virtualMachine'
import { nativeCurve } from '../signer/nativeCurve.js'
import { encodeReceiptList, isFinalReceipt } from '../store/receiptList.js'
import type { Store, StoredBlock, StoredPosition } from '../store/store.js'
import { type BlockContent, contentOf } from './blockItems.js'
import { recoverEnvelope } from './recoverSigner.js'
import { restoreState } from './restoreState.js'
import { type Candidate, envelopeKey, TransactionPool } from './transactionPool.js'
import { checkNotTooFar, uselessError } from './uselessError.js'

/** The application hash follows the manifest only at such heights: each change costs a proof block (S13). */
const appHashInterval = 64
/** Blocks whose writing to disk may be under way; more make `commit` wait. */
const maximumUnwritten = 32
/** Bytes of envelopes whose signers are remembered without being in the pool. */
const maximumRecoveredBytes = 16 * 1024 * 1024

export interface BlockPlace {
  readonly height: number
  readonly time: Timestamp
}

/** What every party outside the worker learns of a decided block with content. */
export interface DecidedBlock extends StoredBlock {
  readonly height: number
  readonly milliseconds: number
  readonly manifestHash: Uint8Array
  /** What calls said before they trapped, by index; not part of consensus. */
  readonly details: ReadonlyMap<number, string>
  /** What calls logged, by index; not part of consensus. */
  readonly logs: ReadonlyMap<number, readonly string[]>
}

export type Decision =
  | {
      readonly kind: 'content'
      readonly appHash: Uint8Array
      readonly block: DecidedBlock
      readonly outcome: BlockOutcome
    }
  | { readonly kind: 'empty'; readonly appHash: Uint8Array }
  | { readonly kind: 'dissent'; readonly reason: string; readonly ownManifest: Uint8Array | null }

/** A block executed on the state and not decided yet. */
interface Speculation {
  readonly height: number
  readonly time: bigint
  readonly blockData: Uint8Array
  readonly outcome: BlockOutcome
}

export type Verdict =
  | { readonly equal: true }
  | { readonly equal: false; readonly reason: string; readonly ownManifest: Uint8Array | null }

/** What a proposer made of its pool. */
export interface Proposal {
  /** null when nothing that waits can execute. */
  readonly content: { readonly seal: Uint8Array; readonly blockData: Uint8Array } | null
  /** Envelopes that still wait. */
  readonly left: number
  /** Ids of an envelope that fits into no block and is waited for in vain. */
  readonly oversized: readonly Uint8Array[]
}

export class Execution {
  readonly #state: ClusterState
  readonly #hashing: Hashing
  readonly #store: Store
  readonly #pool: TransactionPool
  /** Envelopes that came in blocks and were not in the pool, with their signers: a block may be executed twice. */
  readonly #recovered = new Map<string, Candidate>()
  #recoveredBytes = 0
  readonly #banned: ReadonlySet<string>
  readonly #watch: (key: string) => void
  #speculation: Speculation | null = null
  #position: StoredPosition
  /** What `commit` was called for, on disk or on its way there. */
  #committed: StoredPosition
  /** Finalized and not committed: an engine that is started again in between asks for it once more. */
  #uncommitted: {
    readonly place: BlockPlace
    readonly items: readonly Uint8Array[]
    readonly decision: Decision
  } | null = null
  #toWrite: (() => Promise<void>) | null = null
  #unwritten: Promise<void>[] = []

  /**
   * `watch` is told the key of an envelope before it is executed in a proposal of this node; `banned` are those under
   * which the worker died before (S10).
   */
  constructor(options: {
    genesis: Genesis
    genesisHash: Uint8Array
    machine: VirtualMachine
    hashing: Hashing
    store: Store
    poolBytes: number
    banned: ReadonlySet<string>
    watch: (key: string) => void
  }) {
    const { genesis, store, hashing } = options
    this.#hashing = hashing
    this.#store = store
    this.#banned = options.banned
    this.#watch = options.watch
    this.#pool = new TransactionPool(options.poolBytes)
    this.#state = new ClusterState(genesis, hashing, options.machine, nativeCurve)
    this.#position = restoreState(this.#state, store) ?? {
      height: genesis.initialHeight - 1,
      milliseconds: millisecondsOfTimestamp(genesis.time),
      appHash: options.genesisHash,
      chain: this.#state.position,
      memoryPages: 0,
      globals: new Uint8Array(0),
      stateRoot: genesis.stateRoot,
      powers: new Uint8Array(0),
    }
    this.#committed = this.#position
  }

  get position(): StoredPosition {
    return this.#position
  }

  /** The last committed position, once it is on disk (S18). */
  async durablePosition(): Promise<StoredPosition> {
    const committed = this.#committed
    await this.flush()
    return committed
  }

  /**
   * Takes an envelope into the pool, judged by the decided state: a block that still may fail decides nothing. Rejects
   * what can never execute (`uselessError`), `expiry-too-far`, `session-unknown`, `session-quota`, `poisoned`, `busy`.
   */
  submit(signed: Omit<Candidate, 'key'>): boolean {
    const { bytes } = signed
    const key = envelopeKey(bytes)
    if (this.#pool.get(key) !== undefined) return false
    const candidate: Candidate = { key, ...signed }
    const view = new SessionView(this.#state, this.#speculation?.outcome.undo.sessions)
    const { readiness, isUnknown } = view.judge(candidate, this.#nextMoment())
    const { limits } = this.#state.genesis
    if (readiness === 'useless' || readiness === 'expired')
      throw uselessError(view, candidate, this.#nextMoment(), this.#state)
    const { height, milliseconds } = this.#nextMoment()
    checkNotTooFar(candidate, { height, milliseconds: Math.max(milliseconds, Date.now()) }, limits)
    if (this.#banned.has(key))
      throw new OnusError('poisoned', 'executing this envelope ended a worker of this node before')
    const refusal = this.#pool.add(candidate, isUnknown)
    if (refusal === 'strangers')
      throw new OnusError('session-unknown', 'the session is not open', { remedy: 'open a session' })
    if (refusal === 'session')
      throw new OnusError('session-quota', 'as many calls of this session wait here as one session may have', {
        remedy: 'wait for their receipts, or use several sessions',
      })
    if (refusal !== null)
      throw new OnusError('busy', 'this node holds as many waiting transactions as it may', {
        remedy: 'try again in a second',
      })
    return true
  }

  /** The earliest moment that the next block may have. */
  #nextMoment(): BlockMoment {
    return { height: this.#position.height + 1, milliseconds: this.#position.milliseconds }
  }

  get poolSize(): number {
    return this.#pool.size
  }

  /** A block of this node's own, executed. `share` from 0 to 1 scales its size. */
  propose(place: BlockPlace, share: number): Proposal {
    this.#undoSpeculation()
    const { genesis, position } = this.#state
    const begin = {
      clusterId: genesis.clusterId,
      epoch: genesis.epoch,
      height: place.height,
      time: place.time,
      previousManifest: position.manifestHash,
    }
    const watch = ({ key }: Candidate): void => this.#watch(key)
    const { outcome, taken, useless, oversized } = buildBlock(this.#state, begin, this.#pool.values(), share, watch)
    const lost = this.#removeUseless(useless, place, outcome)
    if (oversized !== null) this.#pool.remove(oversized.key)
    const left = this.#pool.size - taken.length - lost
    const answer = { left, oversized: oversized?.ids ?? [] }
    if (outcome === null) return { content: null, ...answer }
    const { blockData } = outcome
    this.#speculation = { height: place.height, time: nanosecondsOfTimestamp(place.time), blockData, outcome }
    return { content: { seal: encodeSeal(outcome.encodedManifest), blockData }, ...answer }
  }

  /** Keeps what is useless only behind a block that may still fail; gives how many those are. */
  #removeUseless(useless: readonly Candidate[], { height, time }: BlockPlace, outcome: BlockOutcome | null): number {
    const view = new SessionView(this.#state, outcome?.undo.sessions)
    const moment = { height, milliseconds: millisecondsOfTimestamp(time) }
    const lost = useless.filter((candidate) => view.judge(candidate, moment).readiness !== 'useless')
    const kept = new Set(lost)
    for (const candidate of useless) if (!kept.has(candidate)) this.#pool.remove(candidate.key)
    return lost.length
  }

  /** Whether the claimed result of a proposed block is this node's own. */
  process(place: BlockPlace, items: readonly Uint8Array[]): Verdict {
    try {
      const content = contentOf(items)
      return content === null ? { equal: true } : this.#judge(place, content)
    } catch (error) {
      if (error instanceof OnusError)
        return { equal: false, reason: `${error.code}: ${error.message}`, ownManifest: null }
      throw error
    }
  }

  /** Executes the content, unless it stands executed already, and compares with the seal. */
  #judge(place: BlockPlace, content: BlockContent): Verdict {
    const time = nanosecondsOfTimestamp(place.time)
    const held = this.#speculation
    if (held?.height !== place.height || held.time !== time || !equalBytes(held.blockData, content.blockData)) {
      this.#undoSpeculation()
      const outcome = executeBlock(
        this.#state,
        content.blockData,
        place.height,
        place.time,
        (bytes) => this.#recover(bytes)?.signer ?? null,
        (bytes) => this.#known(bytes),
      )
      this.#speculation = { height: place.height, time, blockData: content.blockData, outcome }
    }
    const ownManifest = this.#speculation?.outcome.encodedManifest as Uint8Array
    if (equalBytes(ownManifest, content.manifest)) return { equal: true }
    this.#undoSpeculation()
    return {
      equal: false,
      reason: 'result-differs: the sealed manifest is not the result of executing the block',
      ownManifest,
    }
  }

  /**
   * Takes a decided block into the state, or finds it wrong and leaves the state before it. Asked once more before
   * `commit`, it gives the same decision. `powers` is kept with the position and given back by it, unread
   * (`powers/powerState.ts`).
   */
  finalize(place: BlockPlace, items: readonly Uint8Array[], powers: Uint8Array = new Uint8Array(0)): Decision {
    const held = this.#uncommitted
    if (held !== null && isSameBlock(held, place, items)) return held.decision
    const decision = this.#finalizeNew(place, items, powers)
    this.#uncommitted = decision.kind === 'dissent' ? null : { place, items, decision }
    return decision
  }

  #finalizeNew(place: BlockPlace, items: readonly Uint8Array[], powers: Uint8Array): Decision {
    const verdict = this.process(place, items)
    if (!verdict.equal) return { kind: 'dissent', reason: verdict.reason, ownManifest: verdict.ownManifest }
    const hasContent = contentOf(items) !== null
    if (!hasContent) this.#undoSpeculation()
    const outcome = hasContent ? (this.#speculation as Speculation).outcome : null
    this.#speculation = null
    const follows = place.height % appHashInterval === 0 && this.#state.position.range.size > 0
    this.#position = {
      height: place.height,
      milliseconds: Math.max(this.#position.milliseconds, millisecondsOfTimestamp(place.time)),
      appHash: follows ? this.#state.position.manifestHash : this.#position.appHash,
      chain: this.#state.position,
      memoryPages: outcome?.delta.machine.memoryPages ?? this.#position.memoryPages,
      globals: outcome?.delta.machine.globals ?? this.#position.globals,
      stateRoot: outcome?.manifest.stateRoot ?? this.#position.stateRoot,
      powers,
    }
    if (outcome === null) {
      const position = this.#position
      this.#toWrite = () => this.#store.writeEmptyBlock(position)
      return { kind: 'empty', appHash: this.#position.appHash }
    }
    const block = this.#decided(outcome, items)
    this.#forget(outcome)
    return { kind: 'content', appHash: this.#position.appHash, block, outcome }
  }

  #decided(outcome: BlockOutcome, items: readonly Uint8Array[]): DecidedBlock {
    const leaves = items.map((item) => merkleLeaf(this.#hashing, this.#hashing.sha256(item)))
    const block: StoredBlock = {
      manifest: outcome.encodedManifest,
      blockData: outcome.blockData,
      ...encodeReceiptList(outcome.receipts),
      leaves: outcome.receiptLeaves,
      itemCount: items.length,
      sealProof: merkleProof(this.#hashing, leaves, 0),
    }
    const ended = outcome.receipts.flatMap((receipt, index) =>
      isFinalReceipt(block, index) ? [[receipt.transactionId, index] as const] : [],
    )
    const position = this.#position
    this.#toWrite = () => this.#store.writeBlock({ position, change: outcome.delta, block, ended })
    const { height, time } = outcome.manifest
    const { manifestHash, details, logs } = outcome
    return { ...block, height, milliseconds: millisecondsOfTimestamp(time), manifestHash, details, logs }
  }

  /** Removes from the pool what the block holds, and now and then what can never execute any more. */
  #forget(outcome: BlockOutcome): void {
    for (const bytes of outcome.envelopes) {
      const key = envelopeKey(bytes)
      this.#pool.remove(key)
      this.#forgetRecovered(key)
    }
    if (outcome.manifest.index % 16 !== 0) return
    const view = new SessionView(this.#state)
    for (const candidate of [...this.#pool.values()])
      if (view.judge(candidate, this.#nextMoment()).readiness === 'useless') this.#pool.remove(candidate.key)
  }

  /** Starts to make the finalized block durable; waits only when the disk is far behind. */
  async commit(): Promise<void> {
    const write = this.#toWrite
    this.#toWrite = null
    this.#uncommitted = null
    this.#committed = this.#position
    if (write === null) return
    const done = write().then(() => {
      this.#unwritten = this.#unwritten.filter((other) => other !== done)
    })
    this.#unwritten.push(done)
    if (this.#unwritten.length > maximumUnwritten) await this.#unwritten[0]
  }

  /** Resolves when all is on disk. */
  async flush(): Promise<void> {
    await Promise.all(this.#unwritten)
    await this.#store.flush()
  }

  get state(): ClusterState {
    return this.#state
  }

  #undoSpeculation(): void {
    const speculation = this.#speculation
    this.#speculation = null
    if (speculation !== null) this.#state.apply(speculation.outcome.undo)
  }

  /** An envelope of the same bytes whose signer is known. */
  #known(bytes: Uint8Array): Candidate | undefined {
    const key = envelopeKey(bytes)
    return this.#pool.get(key) ?? this.#recovered.get(key)
  }

  #recover(view: Uint8Array): Candidate | null {
    const bytes = view.slice()
    const envelope = decodeEnvelope(bytes)
    const recovered = recoverEnvelope(this.#hashing, domainOfGenesis(this.#state.genesis), envelope)
    if (recovered === null) return null
    const candidate = { key: envelopeKey(bytes), bytes, envelope, origin: 0, ...recovered }
    this.#recoveredBytes += bytes.length
    if (this.#recoveredBytes > maximumRecoveredBytes) {
      this.#recovered.clear()
      this.#recoveredBytes = bytes.length
    }
    this.#recovered.set(candidate.key, candidate)
    return candidate
  }

  #forgetRecovered(key: string): void {
    const held = this.#recovered.get(key)
    if (held === undefined) return
    this.#recovered.delete(key)
    this.#recoveredBytes -= held.bytes.length
  }
}

function isSameBlock(
  known: { readonly place: BlockPlace; readonly items: readonly Uint8Array[] },
  place: BlockPlace,
  items: readonly Uint8Array[],
): boolean {
  return (
    known.place.height === place.height &&
    nanosecondsOfTimestamp(known.place.time) === nanosecondsOfTimestamp(place.time) &&
    known.items.length === items.length &&
    known.items.every((item, index) => equalBytes(item, items[index] as Uint8Array))
  )
}
