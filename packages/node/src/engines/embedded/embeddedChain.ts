/**
 * The embedded engine: every node of a development cluster in one process, with the same blocks, headers, commits and
 * signatures as CometBFT makes, so that the very same client verifies them. For development and tests only: it refuses
 * every chain id that is not local (S18), and nothing of it stands between machines.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { equalBytes, toHex } from '@onus/protocol/bytes'
import { isLocalChainId } from '@onus/protocol/chainId'
import { assert, OnusError } from '@onus/protocol/errors'
import type { Hasher } from '@onus/protocol/hash'
import type { BlockRequest, FinalizeBlockResponse } from '../../abci/application.js'
import { blockRequestOf, type LastValidator } from '../blockRequest.js'
import type { CometbftGenesis } from '../cometbft/genesisFile.js'
import type { Engine, SignedHeader } from '../engine.js'
import { BlockLog, type ChainRecord } from './blockLog.js'
import { type Decision, decideHeight } from './blockMaker.js'
import { type ChainState, initialState, stateAfter } from './chainState.js'
import { Member, type MemberOptions } from './member.js'

export interface EmbeddedChainOptions {
  readonly genesis: CometbftGenesis
  /** Folder of the chain file; made if missing. */
  readonly folder: string
  readonly hasher: Hasher
}

interface StoredBlock {
  readonly place: { readonly position: number; readonly length: number }
  readonly lastValidators: readonly LastValidator[] | null
  /** Null between the decision and the first result. */
  result: FinalizeBlockResponse | null
}

function sameResult(a: FinalizeBlockResponse, b: FinalizeBlockResponse): boolean {
  const text = ({ appHash, validatorUpdates }: FinalizeBlockResponse): string =>
    JSON.stringify([toHex(appHash), validatorUpdates.map(({ publicKey, power }) => [toHex(publicKey), power])])
  return text(a) === text(b)
}

export class EmbeddedChain {
  readonly #options: EmbeddedChainOptions
  readonly #log: BlockLog
  readonly #members: Member[] = []
  readonly #blocks = new Map<number, StoredBlock>()
  #state: ChainState | null = null
  /** The decided block that no member has finalized yet. */
  #undone: Decision | null = null
  /** Finalization under way; a member that starts waits for it. */
  #finalizing: Promise<void> = Promise.resolve()
  #starting: Promise<void> = Promise.resolve()
  #closed = false
  #loop: Promise<void> | null = null
  readonly #waiting = new Set<() => void>()

  private constructor(options: EmbeddedChainOptions, log: BlockLog) {
    this.#options = options
    this.#log = log
  }

  /** Opens or begins the chain. Rejects `embedded-not-local`, `embedded-log`, `embedded-genesis`. */
  static async open(options: EmbeddedChainOptions): Promise<EmbeddedChain> {
    const { chainId } = options.genesis
    if (!isLocalChainId(chainId))
      throw new OnusError('embedded-not-local', `the embedded engine runs local chains only, got ${chainId}`, {
        remedy: 'Install Go, so that CometBFT can be built, or join with a machine that has it.',
      })
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    const log = await BlockLog.open(join(options.folder, 'chain'))
    const chain = new EmbeddedChain(options, log)
    try {
      for await (const { record, place } of log.records()) chain.#recall(record, place)
    } catch (error) {
      await log.close()
      throw error
    }
    return chain
  }

  /** An engine for one more node of this process. */
  join(options: MemberOptions): Engine {
    const member = new Member(options)
    this.#members.push(member)
    return {
      start: () => this.#start(member),
      stop: () => this.#stop(member),
      broadcast: (transaction) => this.#broadcast(member, transaction),
      commit: (height) => this.#commit(height),
      // Every member is asked for its own verdict before it is asked to vote, in every round.
      undecidedBlock: async () => null,
    }
  }

  /** Last decided height, 0 before the first. */
  get height(): number {
    return this.#undone?.block.header.height ?? this.#state?.lastHeight ?? 0
  }

  /** Stops all members and closes the chain file. */
  async close(): Promise<void> {
    this.#closed = true
    for (const member of this.#members) member.running = false
    this.#changed()
    await this.#loop
    await Promise.all(this.#members.map((member) => member.settled()))
    await this.#log.close()
  }

  #recall(record: ChainRecord, place: StoredBlock['place']): void {
    const { genesis, hasher } = this.#options
    if (record.kind === 'opening') {
      if (record.chainId !== genesis.chainId)
        throw new OnusError('embedded-genesis', `expected the chain ${genesis.chainId}, got ${record.chainId}`, {
          remedy: 'Use a new data directory for another cluster.',
        })
      this.#state = initialState(hasher, genesis, record.appHash)
      return
    }
    const state = this.#state
    if (state === null) throw new OnusError('embedded-log', 'expected the opening record first')
    if (record.kind === 'block') {
      this.#blocks.set(record.block.header.height, {
        place,
        lastValidators: state.lastValidators?.validators ?? null,
        result: null,
      })
      this.#undone = record
      return
    }
    const undone = this.#undone
    if (undone === null || undone.block.header.height !== record.height)
      throw new OnusError('embedded-log', 'expected a result behind its block')
    this.#settle(state, undone, record.result)
  }

  /** Moves the state past a block whose result is known. */
  #settle(state: ChainState, { block, commit }: Decision, result: FinalizeBlockResponse): void {
    const stored = this.#blocks.get(block.header.height)
    assert(stored !== undefined, 'a settled block is stored')
    stored.result = result
    this.#state = stateAfter(this.#options.hasher, state, block, commit, result)
    this.#undone = null
  }

  /** One member starts at a time: the first one may have to settle the last block. */
  async #start(member: Member): Promise<void> {
    const start = this.#starting.then(async () => {
      if (this.#closed) throw new OnusError('engine-stopped', 'the embedded chain is closed')
      if (member.running) return
      await member.settled()
      await this.#replay(member)
      this.#changed()
      this.#loop ??= this.#run()
    })
    this.#starting = start.catch(() => undefined)
    return start
  }

  async #stop(member: Member): Promise<void> {
    member.running = false
    this.#changed()
    await member.settled()
  }

  /** Brings a member's application to the last decided height and lets it take part. */
  async #replay(member: Member): Promise<void> {
    const { lastBlockHeight } = await member.application.info()
    if (lastBlockHeight === 0) await this.#initChain(member)
    let next = Math.max(lastBlockHeight + 1, this.#options.genesis.initialHeight)
    if (next > this.height + 1 && next > this.#options.genesis.initialHeight)
      throw new OnusError(
        'embedded-ahead',
        `the chain ends at ${this.height}, the application is at ${lastBlockHeight}`,
        {
          remedy: 'Delete the data of this development cluster and start it anew.',
        },
      )
    for (;;) {
      await this.#finalizing
      // Nothing may be awaited between the comparison and the entry, else the member misses a block.
      if (next > this.height) {
        member.running = true
        return
      }
      await this.#replayBlock(member, next)
      next++
    }
  }

  async #initChain(member: Member): Promise<void> {
    const { genesis, hasher } = this.#options
    const { chainId, time, initialHeight, validators } = genesis
    const { appHash } = await member.application.initChain({
      chainId,
      time,
      initialHeight,
      validators: validators.validators.map(({ publicKey, power }) => ({ publicKey, power })),
    })
    if (this.#state === null) {
      this.#state = initialState(hasher, genesis, appHash)
      await this.#log.append({ kind: 'opening', chainId, appHash })
    } else if (this.#blocks.size === 0 && !equalBytes(this.#state.appHash, appHash))
      throw new OnusError('embedded-divergence', 'this application begins with another state than the others')
  }

  async #replayBlock(member: Member, height: number): Promise<void> {
    const stored = this.#blocks.get(height)
    if (stored === undefined) throw new OnusError('engine-height', `there is no block ${height} here`)
    const { block, commit } = await this.#read(stored)
    const request = blockRequestOf(block, commit.blockId.hash, stored.lastValidators)
    const result = await member.application.finalizeBlock(request)
    await member.application.commit()
    if (stored.result === null) await this.#conclude({ block, commit }, result)
    else if (!sameResult(stored.result, result))
      throw new OnusError('embedded-divergence', `block ${height} gave another result here than on the others`)
  }

  async #read(stored: StoredBlock): Promise<Decision> {
    const record = await this.#log.read(stored.place)
    assert(record.kind === 'block', 'the place of a block holds a block')
    return record
  }

  async #broadcast(member: Member, transaction: Uint8Array): Promise<void> {
    if (!member.running)
      throw new OnusError('engine-stopped', 'the engine is not running', { remedy: 'Start it first.' })
    const copy = transaction.slice()
    if (!(await member.offer(copy))) return
    await Promise.all(this.#members.map((other) => (other === member || !other.running ? false : other.offer(copy))))
    this.#changed()
  }

  async #commit(height: number): Promise<SignedHeader> {
    const stored = this.#blocks.get(height)
    if (stored === undefined)
      throw new OnusError('engine-height', `there is no block ${height} here, not yet or no longer`)
    const { block, commit } = await this.#read(stored)
    return { header: block.header, commit }
  }

  /** Makes blocks while there is something to put into one. Never rejects. */
  async #run(): Promise<void> {
    while (!this.#closed) {
      const state = this.#state
      if (state === null || !this.#wanted(state)) {
        await this.#pause(60_000)
        continue
      }
      const decision = await decideHeight(
        {
          hasher: this.#options.hasher,
          members: () => this.#members,
          stopped: () => this.#closed,
          pause: (milliseconds) => this.#pause(milliseconds),
        },
        state,
      )
      if (decision === null) return
      this.#finalizing = this.#finalize(decision)
      await this.#finalizing
    }
  }

  #wanted(state: ChainState): boolean {
    if (this.#undone !== null) return false
    return this.#members.some(({ running, mempool }) => running && (state.proofWanted || mempool.length > 0))
  }

  async #finalize(decision: Decision): Promise<void> {
    const { block, commit } = decision
    const running = this.#members.filter((member) => member.running)
    const lastValidators = this.#state?.lastValidators?.validators ?? null
    this.#undone = decision
    const place = await this.#log.append({ kind: 'block', ...decision })
    this.#blocks.set(block.header.height, { place, lastValidators, result: null })
    const request: BlockRequest = blockRequestOf(block, commit.blockId.hash, lastValidators)
    const results = await Promise.all(running.map((member) => member.finalize(request)))
    const agreed = this.#agreedResult(running, results)
    if (agreed === null) return
    running.forEach((member, index) => {
      const result = results[index] ?? null
      if (result !== null && !sameResult(result, agreed))
        member.fail('embedded-divergence', `block ${block.header.height} gave another result here than on the others`)
    })
    await this.#conclude(decision, agreed)
  }

  /** The result of most power among those who gave one; null where nobody did. */
  #agreedResult(
    running: readonly Member[],
    results: readonly (FinalizeBlockResponse | null)[],
  ): FinalizeBlockResponse | null {
    let best: FinalizeBlockResponse | null = null
    let bestPower = -1
    for (const candidate of results) {
      if (candidate === null) continue
      const power = running.reduce((sum, { signer }, index) => {
        const result = results[index] ?? null
        const seat = this.#state?.validators.validators.find(({ address }) => equalBytes(address, signer.address))
        return sum + (result !== null && sameResult(result, candidate) ? (seat?.power ?? 0) : 0)
      }, 0)
      if (power > bestPower) {
        best = candidate
        bestPower = power
      }
    }
    return best
  }

  async #conclude(decision: Decision, result: FinalizeBlockResponse): Promise<void> {
    const state = this.#state
    assert(state !== null, 'a decided block has a state before it')
    await this.#log.append({ kind: 'result', height: decision.block.header.height, result })
    this.#settle(state, decision, result)
  }

  #changed(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  async #pause(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(end)
        resolve()
      }
      const timer = setTimeout(end, milliseconds)
      this.#waiting.add(end)
    })
  }
}
