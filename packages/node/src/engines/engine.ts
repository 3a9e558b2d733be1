/**
 * What a node uses of a consensus engine; CometBFT and the embedded engine both give it. The engine calls the node's
 * `Application` and asks its `Signer`; `docs`: `system.md` Engines. It does not decide what to do after a failure: the
 * node is told, and may start the engine again.
 */
import type { Commit } from '@onus/protocol/commit'
import type { Header } from '@onus/protocol/header'
import type { BlockRequest } from '../abci/application.js'

/** A decided block's header with the precommits for it. */
export interface SignedHeader {
  readonly header: Header
  /** At least more than 2/3 of the power for the block; the newest height often has not yet every vote. */
  readonly commit: Commit
}

/** The engine ended by itself or against its will. */
export interface EngineFailure {
  /** Stable: `engine-exit`, or the code of the error that stopped it. */
  readonly code: string
  readonly message: string
  /** Last lines of the engine's log, if it has one. */
  readonly log: string
}

export interface Engine {
  /** Resolves when the engine runs and answers. Rejects with an `OnusError`; then nothing of it runs. */
  start(): Promise<void>
  /** Resolves when nothing of it runs any more. Harmless when it is not running. */
  stop(): Promise<void>
  /**
   * Gives `transaction` to every node's mempool, which wakes consensus. Resolves when this node has taken it.
   * Rejects `engine-catching-up` while this node fetches blocks that others have.
   */
  broadcast(transaction: Uint8Array): Promise<void>
  /**
   * Header and commit of `height`, from the moment that block is finalized here (also within `finalizeBlock`). Rejects
   * `engine-height` where the block is not yet or no longer there. An absent vote has time 0 and no bytes.
   */
  commit(height: number): Promise<SignedHeader>
  /**
   * The block with `hash` that this node's engine holds for the height under way, or null. For a node that was asked to
   * vote for a block which it has not executed (the signer refused with `signer-not-executed`): CometBFT locks a block
   * on the others' prevotes without asking the application. Mostly the others decide it; where too few are left, the
   * node executes the block and, if it agrees, allows it and stops and starts the engine, which then asks again. (It
   * does not by itself: a round without more than 2/3 of votes has no timer.)
   */
  undecidedBlock(hash: Uint8Array): Promise<BlockRequest | null>
}
