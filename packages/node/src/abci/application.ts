/**
 * What consensus asks of the node (ABCI 2.0 without what Onus does not use), the same for CometBFT and the embedded
 * engine. `spec/consensus.md` 5 and 7. Calls of one block come one after the other; `checkTx` and `query` may come
 * between them. A rejected promise stops the engine of this node: throw only for what must stop it.
 *
 * Byte strings of requests are views of a socket frame: copy what is kept or posted to a worker.
 */
import type { BlockIdFlag } from '@onus/protocol/commit'
import type { Timestamp } from '@onus/protocol/timestamp'

/** A member's vote in the commit of the block before, in the order of the validator set. */
export interface LastCommitVote {
  /** 20 bytes. */
  readonly address: Uint8Array
  readonly power: number
  readonly flag: BlockIdFlag
}

/** Round and votes of the block before; no votes in the first block. */
export interface LastCommit {
  readonly round: number
  readonly votes: readonly LastCommitVote[]
}

/** A crime that CometBFT itself saw proof of. */
export interface Misbehavior {
  readonly kind: 'duplicate-vote' | 'light-client-attack'
  readonly address: Uint8Array
  readonly power: number
  readonly height: number
  readonly time: Timestamp
  readonly totalPower: number
}

export interface ValidatorUpdate {
  /** Compressed secp256k1 key, 33 bytes. */
  readonly publicKey: Uint8Array
  /** 0 removes the validator. */
  readonly power: number
}

export interface InitChainRequest {
  readonly chainId: string
  readonly time: Timestamp
  readonly initialHeight: number
  readonly validators: readonly ValidatorUpdate[]
}

export interface InitChainResponse {
  readonly appHash: Uint8Array
}

export interface InfoResponse {
  /** Last height whose effects are durable (S18); 0 before the first. */
  readonly lastBlockHeight: number
  readonly lastBlockAppHash: Uint8Array
}

export interface CheckTxRequest {
  readonly transaction: Uint8Array
  /** Asked again after a block. */
  readonly recheck: boolean
}

export interface CheckTxResponse {
  /** 0 takes it into the mempool. */
  readonly code: number
  readonly log: string
}

export interface QueryRequest {
  readonly path: string
  readonly data: Uint8Array
  readonly height: number
}

export interface QueryResponse {
  /** 0 on success. */
  readonly code: number
  readonly log: string
  readonly value: Uint8Array
  readonly height: number
}

interface BlockContext {
  readonly height: number
  readonly time: Timestamp
  /** 20 bytes, of who made the block. */
  readonly proposerAddress: Uint8Array
  /** Of the validator set of the next height, 32 bytes. */
  readonly nextValidatorsHash: Uint8Array
  readonly lastCommit: LastCommit
  readonly misbehavior: readonly Misbehavior[]
}

export interface PrepareProposalRequest extends BlockContext {
  /** What is in CometBFT's mempool: wake transactions. */
  readonly mempool: readonly Uint8Array[]
  /** The items of the answer, each with its protobuf framing (at most 6 bytes more), must fit. */
  readonly maximumBytes: number
}

/** A proposed or decided block. */
export interface BlockRequest extends BlockContext {
  /** Header hash, 32 bytes. */
  readonly hash: Uint8Array
  readonly items: readonly Uint8Array[]
}

export interface FinalizeBlockResponse {
  /** Of the state after this block; stands in the next header. */
  readonly appHash: Uint8Array
  /** Act two heights later. */
  readonly validatorUpdates: readonly ValidatorUpdate[]
}

export interface CommitResponse {
  /** Blocks below may be pruned; 0 keeps all. */
  readonly retainHeight: number
}

export interface Application {
  info(): Promise<InfoResponse>
  initChain(request: InitChainRequest): Promise<InitChainResponse>
  query(request: QueryRequest): Promise<QueryResponse>
  checkTx(request: CheckTxRequest): Promise<CheckTxResponse>
  /** Items of a block that this node proposes. */
  prepareProposal(request: PrepareProposalRequest): Promise<readonly Uint8Array[]>
  /** Whether the block's claimed result is this node's own. A false alone does not keep the key from it: S1. */
  processProposal(request: BlockRequest): Promise<boolean>
  finalizeBlock(request: BlockRequest): Promise<FinalizeBlockResponse>
  /** Makes the finalized block durable. */
  commit(): Promise<CommitResponse>
}
