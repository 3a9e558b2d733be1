/**
 * The embedded engine's decided blocks and the state behind them, in memory and in the chain file. A block is stored
 * when it is decided and settled when its result is known; between the two it is `undone`.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { equalBytes } from '@onus/protocol/bytes'
import { assert, OnusError } from '@onus/protocol/errors'
import type { Hasher } from '@onus/protocol/hash'
import type { BlockRequest, FinalizeBlockResponse } from '../../abci/application.js'
import { blockRequestOf, type LastValidator } from '../blockRequest.js'
import type { CometbftGenesis } from '../cometbft/genesisFile.js'
import { BlockLog, type ChainRecord } from './blockLog.js'
import type { Decision } from './blockMaker.js'
import { type ChainState, initialState, stateAfter } from './chainState.js'

interface StoredBlock {
  readonly place: { readonly position: number; readonly length: number }
  readonly lastValidators: readonly LastValidator[] | null
  /** Null while the block is undone. */
  result: FinalizeBlockResponse | null
}

export class ChainHistory {
  readonly #genesis: CometbftGenesis
  readonly #hasher: Hasher
  readonly #log: BlockLog
  readonly #blocks = new Map<number, StoredBlock>()
  #state: ChainState | null = null
  #undone: Decision | null = null

  private constructor(genesis: CometbftGenesis, hasher: Hasher, log: BlockLog) {
    this.#genesis = genesis
    this.#hasher = hasher
    this.#log = log
  }

  /** Reads the chain file of `folder`, or begins one. Rejects `embedded-log` and `embedded-genesis`. */
  static async open(folder: string, genesis: CometbftGenesis, hasher: Hasher): Promise<ChainHistory> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const log = await BlockLog.open(join(folder, 'chain'))
    const history = new ChainHistory(genesis, hasher, log)
    try {
      for await (const { record, place } of log.records()) history.#recall(record, place)
    } catch (error) {
      await log.close()
      throw error
    }
    return history
  }

  /** Null until the first application told its hash. */
  get state(): ChainState | null {
    return this.#state
  }

  /** The decided block whose result is not known yet. */
  get undone(): Decision | null {
    return this.#undone
  }

  /** Last decided height, 0 before the first. */
  get height(): number {
    return this.#undone?.block.header.height ?? this.#state?.lastHeight ?? 0
  }

  /** Takes the application hash before the first block. Rejects `embedded-divergence` where another one was taken. */
  async begin(appHash: Uint8Array): Promise<void> {
    if (this.#state === null) {
      this.#state = initialState(this.#hasher, this.#genesis, appHash)
      await this.#log.append({ kind: 'opening', chainId: this.#genesis.chainId, appHash })
    } else if (this.#blocks.size === 0 && !equalBytes(this.#state.appHash, appHash))
      throw new OnusError('embedded-divergence', 'this application begins with another state than the others')
  }

  /** Stores a decided block; from now on it can be read. Gives what the applications are asked. */
  async store(decision: Decision): Promise<BlockRequest> {
    const { block, commit } = decision
    const lastValidators = this.#lastValidators()
    this.#undone = decision
    const place = await this.#log.append({ kind: 'block', block, commit })
    this.#blocks.set(block.header.height, { place, lastValidators, result: null })
    return blockRequestOf(block, commit.blockId.hash, lastValidators)
  }

  /** Moves the state past the undone block. */
  async settle(result: FinalizeBlockResponse): Promise<void> {
    const undone = this.#undone
    assert(undone !== null, 'the undone block is settled')
    await this.#log.append({ kind: 'result', height: undone.block.header.height, result })
    this.#advance(undone, result)
  }

  /** A decided block. Rejects `engine-height` where there is none. */
  async read(height: number): Promise<Decision> {
    const record = await this.#log.read(this.#stored(height).place)
    assert(record.kind === 'block', 'the place of a block holds a block')
    return record
  }

  /** What the applications were asked of a decided block, and its result if it is known. */
  async recollect(height: number): Promise<{ request: BlockRequest; result: FinalizeBlockResponse | null }> {
    const { block, commit } = await this.read(height)
    const { lastValidators, result } = this.#stored(height)
    return { request: blockRequestOf(block, commit.blockId.hash, lastValidators), result }
  }

  async close(): Promise<void> {
    await this.#log.close()
  }

  #lastValidators(): readonly LastValidator[] | null {
    return this.#state?.lastValidators?.validators ?? null
  }

  #stored(height: number): StoredBlock {
    const stored = this.#blocks.get(height)
    if (stored === undefined)
      throw new OnusError('engine-height', `there is no block ${height} here, not yet or no longer`)
    return stored
  }

  #recall(record: ChainRecord, place: StoredBlock['place']): void {
    if (record.kind === 'opening') {
      if (record.chainId !== this.#genesis.chainId)
        throw new OnusError('embedded-genesis', `expected the chain ${this.#genesis.chainId}, got ${record.chainId}`, {
          remedy: 'Use a new data directory for another cluster.',
        })
      this.#state = initialState(this.#hasher, this.#genesis, record.appHash)
      return
    }
    if (this.#state === null) throw new OnusError('embedded-log', 'expected the opening record first')
    if (record.kind === 'block') {
      const { height } = record.block.header
      this.#blocks.set(height, { place, lastValidators: this.#lastValidators(), result: null })
      this.#undone = record
      return
    }
    if (this.#undone === null || this.#undone.block.header.height !== record.height)
      throw new OnusError('embedded-log', 'expected a result behind its block')
    this.#advance(this.#undone, record.result)
  }

  #advance({ block, commit }: Decision, result: FinalizeBlockResponse): void {
    const state = this.#state
    assert(state !== null, 'a decided block has a state before it')
    this.#stored(block.header.height).result = result
    this.#state = stateAfter(this.#hasher, state, block, commit, result)
    this.#undone = null
  }
}
