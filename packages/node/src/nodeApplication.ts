/**
 * The node as consensus sees it (`Application`): the same object behind CometBFT's ABCI and the embedded engine. It
 * hands blocks to the execution worker, records which of them the key may sign (S1), and turns decisions into
 * certificates. A block that a quorum decided and this node finds wrong ends its part in consensus: dissent.
 */
import { equalBytes, toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { sealLength } from '@onus/protocol/manifest'
import { millisecondsOfTimestamp } from '@onus/protocol/timestamp'
import type { ValidatorSet } from '@onus/protocol/validatorSet'
import type {
  Application,
  BlockRequest,
  CheckTxRequest,
  CheckTxResponse,
  CommitResponse,
  FinalizeBlockResponse,
  InfoResponse,
  InitChainRequest,
  InitChainResponse,
  PrepareProposalRequest,
  QueryResponse,
} from './abci/application.js'
import { decidePowers, type PowerDecision, type PowerState } from './powers/powerPolicy.js'
import { encodePowerState } from './powers/powerState.js'
import type { ExecutedBlocks } from './signer/signingPolicy.js'
import type { Wakes } from './wakes.js'
import type { WorkerClient } from './worker/channel.js'
import type { DecidedBlock } from './worker/execution.js'
import type { ExecutionMethods } from './worker/executionWorker.js'

/** A decided block that this node finds wrong. */
export interface WrongBlock {
  readonly request: BlockRequest
  readonly reason: string
  readonly ownManifest: Uint8Array | null
}

export interface NodeApplicationOptions {
  readonly chainId: string
  /** Of this member, 20 bytes. */
  readonly address: Uint8Array
  readonly genesisHash: Uint8Array
  readonly members: ValidatorSet
  /** Behind the last committed block; null where powers never change: the engine or the number of members forbids it. */
  readonly powers: PowerState | null
  readonly execution: WorkerClient<ExecutionMethods>
  readonly executed: ExecutedBlocks
  readonly wakes: Wakes
  /** A block that seems to have content is decided and not executed yet. */
  readonly onDeciding: (height: number) => void
  /** `milliseconds` is the block's time; `block` is null where it has no content. */
  readonly onDecided: (height: number, milliseconds: number, block: DecidedBlock | null, poolSize: number) => void
  /** Keeps the evidence durably; consensus stops when it resolves. */
  readonly onDissent: (wrong: WrongBlock) => Promise<void>
  /** Told of transactions that fit into no block. */
  readonly onOversized: (ids: readonly Uint8Array[]) => void
  /** Told of a proposal that is not this node's result. */
  readonly onRefused: (height: number, reason: string) => void
  /** Told when a block lowers or raises a member, and when the rotation of proposers is not the engine's. */
  readonly onPowers: (height: number, decision: PowerDecision) => void
}

/** Sizes of the next proposals of one height after failed rounds: whole, half, an eighth, then empty (S10). */
const shares = [1, 1, 0.5, 0.125] as const

export class NodeApplication implements Application {
  readonly #options: NodeApplicationOptions
  /** Rounds of the height under way that came as far as a proposal, as far as this node saw them. */
  #attempts: { height: number; count: number } = { height: 0, count: 0 }

  /** Hashes of blocks that this node found wrong. */
  readonly #rejected = new Set<string>()

  /** Behind the last committed block, and behind the one that was finalized last: the engine may ask for that again. */
  #powers: PowerState | null
  #finalizedPowers: PowerState | null

  constructor(options: NodeApplicationOptions) {
    this.#options = options
    this.#powers = options.powers
    this.#finalizedPowers = options.powers
  }

  /** Whether this node executed the block with `hash` and found its result wrong. */
  hasRejected(hash: Uint8Array): boolean {
    return this.#rejected.has(toHex(hash))
  }

  async info(): Promise<InfoResponse> {
    const { height, appHash, chain } = await this.#options.execution.call('position', null)
    // Before the first block CometBFT expects height 0, whatever the initial height.
    const isGenesis =
      chain.range.size === 0 && Buffer.compare(appHash, this.#options.genesisHash) === 0 && height === chain.height
    return { lastBlockHeight: isGenesis ? 0 : height, lastBlockAppHash: isGenesis ? new Uint8Array(0) : appHash }
  }

  async initChain(request: InitChainRequest): Promise<InitChainResponse> {
    if (request.chainId !== this.#options.chainId)
      throw new OnusError('chain-id', `the engine runs chain ${request.chainId}, this node ${this.#options.chainId}`)
    return { appHash: this.#options.genesisHash }
  }

  async query(): Promise<QueryResponse> {
    return { code: 1, log: 'use the gateway', value: new Uint8Array(0), height: 0 }
  }

  async checkTx(request: CheckTxRequest): Promise<CheckTxResponse> {
    try {
      this.#options.wakes.check(request.transaction, request.recheck)
      return { code: 0, log: '' }
    } catch (error) {
      if (error instanceof OnusError) return { code: 1, log: `${error.code}: ${error.message}` }
      throw error
    }
  }

  #attempt(height: number): number {
    this.#attempts = { height, count: this.#attempts.height === height ? this.#attempts.count + 1 : 0 }
    return this.#attempts.count
  }

  async prepareProposal(request: PrepareProposalRequest): Promise<readonly Uint8Array[]> {
    const { height, time, mempool } = request
    const share = shares[this.#attempt(height)] ?? 0
    const proposal = share === 0 ? null : await this.#options.execution.call('propose', { height, time, share })
    this.#options.executed.compose(height)
    if (proposal !== null && proposal.oversized.length > 0) this.#options.onOversized(proposal.oversized)
    const content = proposal?.content ?? null
    // What is left behind a block without content cannot execute yet: the mempool must not keep the chain awake for it.
    const wakes = this.#options.wakes.toInclude(mempool, content === null || proposal?.left === 0)
    return content === null ? wakes : [content.seal, content.blockData, ...wakes]
  }

  async processProposal(request: BlockRequest): Promise<boolean> {
    const { height, time, hash } = request
    // Its own proposals were counted when they were composed.
    if (!equalBytes(request.proposerAddress, this.#options.address)) this.#attempt(height)
    const items = request.items.map((item) => new Uint8Array(item))
    const verdict = await this.#options.execution.call('process', { height, time, items })
    if (verdict.equal) this.#options.executed.allow(height, hash)
    else {
      this.#rejected.add(toHex(hash))
      this.#options.onRefused(height, verdict.reason)
    }
    return verdict.equal
  }

  async finalizeBlock(request: BlockRequest): Promise<FinalizeBlockResponse> {
    const { height, time } = request
    if (request.items[0]?.length === sealLength) this.#options.onDeciding(height)
    const items = request.items.map((item) => new Uint8Array(item))
    const decided = this.#powers === null ? null : decidePowers(this.#options.members, this.#powers, request)
    const powers = decided === null ? new Uint8Array(0) : encodePowerState(decided.state)
    const decision = await this.#options.execution.call('finalize', { height, time, items, powers })
    if (decision.kind === 'dissent') {
      const { reason, ownManifest } = decision
      await this.#options.onDissent({ request: { ...request, items }, reason, ownManifest })
      throw new OnusError('dissent', `a quorum decided block ${height}, which this node finds wrong: ${reason}`)
    }
    this.#options.wakes.decided(height, items)
    this.#options.executed.forgetBelow(height)
    const block = decision.kind === 'content' ? decision.block : null
    this.#options.onDecided(height, millisecondsOfTimestamp(time), block, decision.poolSize)
    this.#finalizedPowers = decided?.state ?? null
    if (decided !== null && (decided.updates.length > 0 || !decided.isInStep)) this.#options.onPowers(height, decided)
    return { appHash: decision.appHash, validatorUpdates: decided?.updates ?? [] }
  }

  async commit(): Promise<CommitResponse> {
    this.#powers = this.#finalizedPowers
    await this.#options.execution.call('commit', null)
    return { retainHeight: 0 }
  }
}
