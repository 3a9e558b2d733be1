/**
 * A second copy of the state for reads, so that queries never wait for blocks nor hold them up. It follows the decided
 * blocks page by page and keeps the undo pages of the last 8, so that several nodes can be asked for one height.
 */
import { encodeCallInput } from '@onus/protocol/callHeader'
import { OnusError } from '@onus/protocol/errors'
import type { QueryAnswer } from '@onus/protocol/gatewayMessages'
import type { Hasher } from '@onus/protocol/hash'
import type { CallOutcome, MachineBlock, StateDelta } from '@onus/state-transition/virtualMachine'

export const heightsKept = 8

export interface ReplicaMachine {
  query(input: Uint8Array, gasLimit: number): CallOutcome
  apply(delta: StateDelta): MachineBlock
}

/** The state after a block with content. */
export interface ReplicaBlock {
  readonly height: number
  readonly milliseconds: number
  readonly manifestHash: Uint8Array
}

/** An answer with what the guest said before it trapped, which no other node vouches for. */
export interface ReplicaAnswer extends QueryAnswer {
  readonly detail: string | null
}

export class QueryReplica {
  readonly #hasher: Hasher
  readonly #machine: ReplicaMachine
  readonly #gasLimit: number
  /** Newest first; `undo` leads from this block to the one before it. */
  readonly #older: { block: ReplicaBlock; undo: StateDelta }[] = []
  #newest: ReplicaBlock
  /** Last decided height, with or without content. */
  #decided: number

  constructor(hasher: Hasher, machine: ReplicaMachine, gasLimit: number, newest: ReplicaBlock, decided: number) {
    this.#hasher = hasher
    this.#machine = machine
    this.#gasLimit = gasLimit
    this.#newest = newest
    this.#decided = decided
  }

  get decided(): number {
    return this.#decided
  }

  /** Moves on to the next decided block; `delta` is null for one without content. */
  follow(height: number, content: { block: ReplicaBlock; delta: StateDelta } | null): void {
    this.#decided = height
    if (content === null) return
    const { undo } = this.#machine.apply(content.delta)
    this.#older.unshift({ block: this.#newest, undo })
    this.#older.length = Math.min(this.#older.length, heightsKept)
    this.#newest = content.block
  }

  /** Answers on the state after `height`, or the newest. Rejects `height-ahead`, `height-gone`. */
  query(height: number | null, argument: Uint8Array): ReplicaAnswer {
    if (height !== null && height > this.#decided)
      throw new OnusError('height-ahead', `height ${height} is not decided here yet, the newest is ${this.#decided}`)
    const back = height === null ? 0 : this.#blocksBack(height)
    const redo = this.#older.slice(0, back).map(({ undo }) => this.#machine.apply(undo).undo)
    const block = back === 0 ? this.#newest : (this.#older[back - 1] as { block: ReplicaBlock }).block
    try {
      return this.#run(block, argument)
    } finally {
      for (const delta of redo.reverse()) this.#machine.apply(delta)
    }
  }

  #blocksBack(height: number): number {
    if (height >= this.#newest.height) return 0
    const found = this.#older.findIndex(({ block }) => block.height <= height)
    if (found < 0)
      throw new OnusError(
        'height-gone',
        `the state at height ${height} is not kept, only the last ${heightsKept} blocks`,
        {
          remedy: 'ask without a height',
        },
      )
    return found + 1
  }

  #run(block: ReplicaBlock, argument: Uint8Array): ReplicaAnswer {
    const context = {
      caller: new Uint8Array(20),
      session: { slot: 0, generation: 0 },
      counter: 0,
      height: block.height,
      milliseconds: block.milliseconds,
      transactionId: new Uint8Array(32),
      previousManifest: block.manifestHash,
    }
    const input = encodeCallInput(this.#hasher, context, argument)
    const { ok, output, detail } = this.#machine.query(input, this.#gasLimit)
    return { height: block.height, trapped: !ok, output: ok ? output : new Uint8Array(0), detail }
  }
}
