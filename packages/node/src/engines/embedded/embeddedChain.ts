/**
 * The embedded engine: every node of a development cluster in one process, with the same blocks, headers, commits and
 * signatures as CometBFT makes, so that the very same client verifies them (`spec/consensus.md` 9). For development and
 * tests only: it refuses every chain id that is not local (S18), and nothing of it stands between machines.
 */
import { equalBytes, toHex } from '@onus/protocol/bytes'
import { isLocalChainId } from '@onus/protocol/chainId'
import { OnusError } from '@onus/protocol/errors'
import type { Hasher } from '@onus/protocol/hash'
import type { FinalizeBlockResponse } from '../../abci/application.js'
import type { CometbftGenesis } from '../cometbft/genesisFile.js'
import type { Engine, SignedHeader } from '../engine.js'
import { type Decision, decideHeight } from './blockMaker.js'
import { ChainHistory } from './chainHistory.js'
import { Member, type MemberOptions } from './member.js'

export interface EmbeddedChainOptions {
  readonly genesis: CometbftGenesis
  /** Folder of the chain file; made if missing. */
  readonly folder: string
  readonly hasher: Hasher
}

function sameResult(a: FinalizeBlockResponse, b: FinalizeBlockResponse): boolean {
  const text = ({ appHash, validatorUpdates }: FinalizeBlockResponse): string =>
    JSON.stringify([toHex(appHash), validatorUpdates.map(({ publicKey, power }) => [toHex(publicKey), power])])
  return text(a) === text(b)
}

export class EmbeddedChain {
  readonly #options: EmbeddedChainOptions
  readonly #history: ChainHistory
  readonly #members: Member[] = []
  /** Finalization under way; a member that starts waits for it. */
  #finalizing: Promise<void> = Promise.resolve()
  #starting: Promise<void> = Promise.resolve()
  #closed = false
  #loop: Promise<void> | null = null
  readonly #waiting = new Set<() => void>()

  private constructor(options: EmbeddedChainOptions, history: ChainHistory) {
    this.#options = options
    this.#history = history
  }

  /** Opens or begins the chain. Rejects `embedded-not-local`, `embedded-log`, `embedded-genesis`. */
  static async open(options: EmbeddedChainOptions): Promise<EmbeddedChain> {
    const { chainId } = options.genesis
    if (!isLocalChainId(chainId))
      throw new OnusError('embedded-not-local', `the embedded engine runs local chains only, got ${chainId}`, {
        remedy: 'Install Go, so that CometBFT can be built, or join with a machine that has it.',
      })
    return new EmbeddedChain(options, await ChainHistory.open(options.folder, options.genesis, options.hasher))
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
    return this.#history.height
  }

  /** Stops all members and closes the chain file. */
  async close(): Promise<void> {
    this.#closed = true
    for (const member of this.#members) member.running = false
    this.#changed()
    await this.#starting
    await this.#loop
    await Promise.all(this.#members.map((member) => member.settled()))
    await this.#history.close()
  }

  /** One member starts at a time: the first one may have to settle the last block. */
  async #start(member: Member): Promise<void> {
    const start = this.#starting.then(async () => {
      if (this.#closed) throw new OnusError('engine-stopped', 'the embedded chain is closed')
      if (member.running) return
      await member.settled()
      await this.#replay(member)
      this.#changed()
      this.#loop ??= this.#run().catch((error: unknown) => this.#fail(error))
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
    const { initialHeight } = this.#options.genesis
    const { lastBlockHeight } = await member.application.info()
    if (lastBlockHeight === 0) await this.#initChain(member)
    let next = Math.max(lastBlockHeight + 1, initialHeight)
    if (next > this.height + 1 && next > initialHeight)
      throw new OnusError(
        'embedded-ahead',
        `the chain ends at ${this.height}, the application is at ${lastBlockHeight}`,
        { remedy: 'Delete the data of this development cluster and start it anew.' },
      )
    for (;;) {
      await this.#finalizing
      // Nothing may be awaited between the comparison and the entry, else the member misses a block.
      if (next > this.height) {
        member.running = !this.#closed
        return
      }
      await this.#replayBlock(member, next)
      next++
    }
  }

  async #initChain(member: Member): Promise<void> {
    const { chainId, time, initialHeight, validators } = this.#options.genesis
    const members = validators.validators.map(({ publicKey, power }) => ({ publicKey, power }))
    const { appHash } = await member.application.initChain({ chainId, time, initialHeight, validators: members })
    await this.#history.begin(appHash)
  }

  async #replayBlock(member: Member, height: number): Promise<void> {
    const { request, result: known } = await this.#history.recollect(height)
    const result = await member.application.finalizeBlock(request)
    if (known === null) await this.#history.settle(result)
    else if (!sameResult(known, result))
      throw new OnusError('embedded-divergence', `block ${height} gave another result here than on the others`)
    await member.application.commit()
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
    const { block, commit } = await this.#history.read(height)
    return { header: block.header, commit }
  }

  /** Makes blocks while there is something to put into one. */
  async #run(): Promise<void> {
    while (!this.#closed) {
      const { state, undone } = this.#history
      const wanted = ({ running, mempool }: Member): boolean =>
        running && (state?.proofWanted === true || mempool.length > 0)
      if (state === null || undone !== null || !this.#members.some(wanted)) {
        await this.#pause(60_000)
        continue
      }
      const context = {
        hasher: this.#options.hasher,
        members: () => this.#members,
        stopped: () => this.#closed,
        pause: (milliseconds: number) => this.#pause(milliseconds),
      }
      const decision = await decideHeight(context, state)
      if (decision === null) return
      this.#finalizing = this.#finalize(decision)
      await this.#finalizing
    }
  }

  async #finalize(decision: Decision): Promise<void> {
    const running = this.#members.filter((member) => member.running)
    const request = await this.#history.store(decision)
    const results = await Promise.all(running.map((member) => member.finalize(request)))
    const agreed = this.#agreedResult(running, results)
    if (agreed === null) return
    running.forEach((member, index) => {
      const result = results[index] ?? null
      if (result !== null && !sameResult(result, agreed))
        member.fail('embedded-divergence', `block ${request.height} gave another result here than on the others`)
    })
    // The result is in the chain file before an application keeps the block: where all have it, none replays it, and
    // nobody could tell the result of a block that a killed process left undone.
    await this.#history.settle(agreed)
    await Promise.all(running.map((member) => member.commit()))
  }

  /** The result of most power among those who gave one; null where nobody did. */
  #agreedResult(
    running: readonly Member[],
    results: readonly (FinalizeBlockResponse | null)[],
  ): FinalizeBlockResponse | null {
    const validators = this.#history.state?.validators.validators ?? []
    const powerOf = ({ signer }: Member): number =>
      validators.find(({ address }) => equalBytes(address, signer.address))?.power ?? 0
    let best: FinalizeBlockResponse | null = null
    let bestPower = -1
    for (const candidate of results) {
      if (candidate === null) continue
      const alike = running.filter((_, index) => {
        const result = results[index] ?? null
        return result !== null && sameResult(result, candidate)
      })
      const power = alike.reduce((sum, member) => sum + powerOf(member), 0)
      if (power > bestPower) {
        best = candidate
        bestPower = power
      }
    }
    return best
  }

  /** The chain itself cannot go on (disk, or a result that no chain can follow): every member is told. */
  #fail(error: unknown): void {
    this.#closed = true
    const code = error instanceof OnusError ? error.code : 'embedded-failure'
    for (const member of this.#members) member.fail(code, String(error))
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
