/**
 * Builds a block as a proposer does: takes envelopes in order while the block's limits allow, executes them, and leaves
 * out what would not execute. What a block of its own could not hold is named as never fitting.
 */
import type { BeginBlock } from '@onus/protocol/blockData'
import type { BlockMoment } from '@onus/protocol/session'
import { millisecondsOfTimestamp } from '@onus/protocol/timestamp'
import { BlockExecution, type BlockOutcome, type SignedEnvelope } from './blockExecution.js'
import type { ClusterState } from './clusterState.js'
import { type Judgement, SessionView, standingKey } from './sessionView.js'

/** How often one block comes back to an envelope whose calls wait for several sessions. */
const maximumRetries = 16

export interface BuiltBlock<Candidate extends SignedEnvelope> {
  /** null when nothing executes: the block then has no content. */
  readonly outcome: BlockOutcome | null
  readonly taken: readonly Candidate[]
  /** Candidates of which nothing can execute any more. */
  readonly useless: readonly Candidate[]
  /** A candidate that passes a limit though it is alone in the block: it fits into none. */
  readonly oversized: Candidate | null
}

interface Waiting<Candidate> {
  readonly candidate: Candidate
  readonly retries: number
}

/** Takes envelopes in order until a limit is passed; owns the execution while it is open. */
class BlockBuilder<Candidate extends SignedEnvelope> {
  readonly taken: Candidate[] = []
  readonly useless: Candidate[] = []
  oversized: Candidate | null = null
  readonly #state: ClusterState
  readonly #begin: BeginBlock
  readonly #moment: BlockMoment
  readonly #view: SessionView
  readonly #mostTransactions: number
  readonly #watch: (candidate: Candidate) => void
  /**
   * Envelopes by the standing of a session that they wait for: what arrived in the wrong order is found again without
   * looking at all that waits (10,000 calls in reverse order took 50 s by passes over the rest).
   */
  readonly #waiting = new Map<string, Waiting<Candidate>[]>()
  #execution: BlockExecution | null
  #openings = 0

  constructor(state: ClusterState, begin: BeginBlock, share: number, watch: (candidate: Candidate) => void) {
    this.#state = state
    this.#begin = begin
    this.#moment = { height: begin.height, milliseconds: millisecondsOfTimestamp(begin.time) }
    this.#view = new SessionView(state)
    this.#mostTransactions = Math.floor(state.genesis.limits.blockTransactions * share)
    this.#watch = watch
    this.#execution = new BlockExecution(state, begin)
  }

  /** Takes the candidate, and what waited for it, if it can; false when the block is full. */
  offer(candidate: Candidate): boolean {
    const queue: Waiting<Candidate>[] = [{ candidate, retries: 0 }]
    for (const waiting of queue) {
      const judgement = this.#view.judge(waiting.candidate, this.#moment)
      if (judgement.readiness === 'useless') this.useless.push(waiting.candidate)
      if (judgement.readiness === 'waiting') this.#wait(waiting, judgement.awaited)
      // What waited for a gap until it expired goes into a block as well: its rejection proves its end.
      const isTaken = judgement.readiness === 'ready' || judgement.readiness === 'expired'
      if (!isTaken || !this.#hasRoomForOpening(waiting.candidate)) continue
      if (!this.#execute(waiting.candidate)) return false
      this.#view.apply(judgement)
      queue.push(...this.#woken(judgement))
    }
    return true
  }

  #wait({ candidate, retries }: Waiting<Candidate>, awaited: string | null): void {
    if (awaited === null || retries === maximumRetries) return
    const waiting = { candidate, retries: retries + 1 }
    const others = this.#waiting.get(awaited)
    if (others === undefined) this.#waiting.set(awaited, [waiting])
    else others.push(waiting)
  }

  #woken({ changes }: Judgement): Waiting<Candidate>[] {
    if (this.#waiting.size === 0) return []
    return changes.flatMap(([slot, { generation, nextCounter }]) => {
      const key = standingKey(slot, generation, nextCounter)
      const woken = this.#waiting.get(key) ?? []
      this.#waiting.delete(key)
      return woken
    })
  }

  /** Openings past their limit wait without ending the block, so that they never keep out calls. */
  #hasRoomForOpening({ envelope }: Candidate): boolean {
    if (envelope.transactions[0]?.type !== 'opening') return true
    if (this.#openings >= this.#state.genesis.limits.blockOpenings) return false
    this.#openings += 1
    return true
  }

  #execute(candidate: Candidate): boolean {
    const execution = this.#execution
    if (execution === null) return false
    const count = candidate.envelope.transactions.length
    if (execution.transactionCount + count > this.#mostTransactions) {
      if (count > this.#state.genesis.limits.blockTransactions) this.oversized = candidate
      return false
    }
    this.#watch(candidate)
    if (execution.execute(candidate) === null) {
      this.taken.push(candidate)
      return true
    }
    // A limit is passed inside this envelope, so nothing of it may stay: the block is undone, and `finish` executes
    // what came before once more. An envelope that passes a limit alone never fits.
    execution.revert()
    this.#execution = null
    if (this.taken.length === 0) this.oversized = candidate
    return false
  }

  finish(): BlockOutcome | null {
    if (this.taken.length === 0) return null
    return (this.#execution ?? this.#executeAgain()).finish()
  }

  #executeAgain(): BlockExecution {
    const execution = new BlockExecution(this.#state, this.#begin)
    for (const candidate of this.taken) {
      this.#watch(candidate)
      execution.execute(candidate)
    }
    return execution
  }
}

/**
 * The block that a proposer makes of `candidates`. `share` from 0 to 1 scales the number of transactions taken: after
 * failed rounds blocks get smaller, at last empty (S10). `watch` is told of each candidate before it is executed.
 */
export function buildBlock<Candidate extends SignedEnvelope>(
  state: ClusterState,
  begin: BeginBlock,
  candidates: Iterable<Candidate>,
  share: number,
  watch: (candidate: Candidate) => void = () => undefined,
): BuiltBlock<Candidate> {
  const builder = new BlockBuilder<Candidate>(state, begin, share, watch)
  for (const candidate of candidates) if (!builder.offer(candidate)) break
  const { taken, useless, oversized } = builder
  return { outcome: builder.finish(), taken, useless, oversized }
}
