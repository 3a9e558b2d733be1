/**
 * What the next block follows from, as CometBFT keeps it (state/state.go): last block, commit and time, the validators
 * of three heights, application and results hash. Pure; a new state for each block. Validators change two heights after
 * the block whose result names them.
 */

import { toHex } from '@onus/protocol/bytes'
import { blockIdFlag, type Commit } from '@onus/protocol/commit'
import { OnusError } from '@onus/protocol/errors'
import type { Hasher } from '@onus/protocol/hash'
import { type BlockId, dataHash, type Header, headerHash } from '@onus/protocol/header'
import { nanosecondsOfTimestamp, type Timestamp } from '@onus/protocol/timestamp'
import { type ValidatorSet, validatorSetOf, validatorsHash } from '@onus/protocol/validatorSet'
import type { FinalizeBlockResponse, ValidatorUpdate } from '../../abci/application.js'
import type { CometbftGenesis } from '../cometbft/genesisFile.js'
import {
  type Block,
  blockProtocol,
  consensusHash,
  encodeBlock,
  lastCommitHash,
  noEvidenceHash,
  partSetHeaderOf,
  resultsHash,
} from '../records.js'

export interface ChainState {
  readonly genesis: CometbftGenesis
  /** Initial height less 1 before the first block. */
  readonly lastHeight: number
  readonly lastBlockId: BlockId | null
  readonly lastTime: Timestamp
  readonly lastCommit: Commit | null
  /** Of the last block; null before the first. */
  readonly lastValidators: ValidatorSet | null
  /** Of the next block. */
  readonly validators: ValidatorSet
  /** Of the block after the next. */
  readonly nextValidators: ValidatorSet
  readonly appHash: Uint8Array
  readonly lastResultsHash: Uint8Array
  /** Whether the last block changed the application hash, so that a block must prove the new one. */
  readonly proofWanted: boolean
}

export function initialState(hasher: Hasher, genesis: CometbftGenesis, appHash: Uint8Array): ChainState {
  return {
    genesis,
    lastHeight: genesis.initialHeight - 1,
    lastBlockId: null,
    lastTime: genesis.time,
    lastCommit: null,
    lastValidators: null,
    validators: genesis.validators,
    nextValidators: genesis.validators,
    appHash,
    lastResultsHash: resultsHash(hasher, 0),
    proofWanted: true,
  }
}

/** Rejects `validator-set` where the updates leave no or an impossible set. */
function updatedValidators(set: ValidatorSet, updates: readonly ValidatorUpdate[]): ValidatorSet {
  if (updates.length === 0) return set
  const members = new Map(set.validators.map((validator) => [toHex(validator.publicKey), validator.power]))
  const keys = new Map(set.validators.map(({ publicKey }) => [toHex(publicKey), publicKey]))
  for (const { publicKey, power } of updates) {
    const key = toHex(publicKey)
    keys.set(key, publicKey)
    if (power > 0) members.set(key, power)
    else if (!members.delete(key))
      throw new OnusError('validator-set', 'expected to remove a validator of the set, got another key')
  }
  return validatorSetOf([...members].map(([key, power]) => ({ publicKey: keys.get(key) as Uint8Array, power })))
}

/** Time of the next block: the median of the times of the precommits before, weighted by power (types/time). */
export function medianTime(commit: Commit, validators: ValidatorSet): Timestamp {
  const votes = commit.signatures
    .flatMap(({ flag, timestamp }, index) =>
      flag === blockIdFlag.commit ? [{ timestamp, power: validators.validators[index]?.power ?? 0 }] : [],
    )
    .sort((a, b) => (nanosecondsOfTimestamp(a.timestamp) < nanosecondsOfTimestamp(b.timestamp) ? -1 : 1))
  let median = Math.floor(votes.reduce((sum, { power }) => sum + power, 0) / 2)
  for (const { timestamp, power } of votes) {
    if (median <= power) return timestamp
    median -= power
  }
  throw new OnusError('embedded-commit', 'expected a commit with votes for its block')
}

/** The next block of `proposerAddress` with `items`, and its id. */
export function nextBlock(
  hasher: Hasher,
  state: ChainState,
  proposerAddress: Uint8Array,
  items: readonly Uint8Array[],
): { block: Block; blockId: BlockId } {
  const { genesis, lastCommit, lastValidators } = state
  const header: Header = {
    versionBlock: blockProtocol,
    versionApp: 0,
    chainId: genesis.chainId,
    height: state.lastHeight + 1,
    time: lastCommit === null || lastValidators === null ? genesis.time : medianTime(lastCommit, lastValidators),
    lastBlockId: state.lastBlockId,
    lastCommitHash: lastCommitHash(hasher, lastCommit),
    dataHash: dataHash(hasher, items),
    validatorsHash: validatorsHash(hasher, state.validators),
    nextValidatorsHash: validatorsHash(hasher, state.nextValidators),
    consensusHash: consensusHash(hasher, genesis.maximumBlockBytes),
    appHash: state.appHash,
    lastResultsHash: state.lastResultsHash,
    evidenceHash: noEvidenceHash(hasher),
    proposerAddress,
  }
  const block = { header, items, lastCommit }
  const blockId = {
    hash: headerHash(hasher, header),
    partSetHeader: partSetHeaderOf(hasher, encodeBlock(block)),
  }
  return { block, blockId }
}

/** The state behind `block` once it was finalized with `result`. */
export function stateAfter(
  hasher: Hasher,
  state: ChainState,
  block: Block,
  commit: Commit,
  result: FinalizeBlockResponse,
): ChainState {
  return {
    genesis: state.genesis,
    lastHeight: block.header.height,
    lastBlockId: commit.blockId,
    lastTime: block.header.time,
    lastCommit: commit,
    lastValidators: state.validators,
    validators: state.nextValidators,
    nextValidators: updatedValidators(state.nextValidators, result.validatorUpdates),
    appHash: result.appHash,
    lastResultsHash: resultsHash(hasher, block.items.length),
    proofWanted: toHex(result.appHash) !== toHex(state.appHash),
  }
}

/** Largest signature of any key type that CometBFT reckons with (ML-DSA-65). */
const largestSignature = 3309

/** Bytes that the items of a block may take, each with its framing (types.MaxDataBytes without evidence). */
export function maximumDataBytes(maximumBlockBytes: number, members: number): number {
  const overhead = 11
  const header = 626
  const commit = 94 + (largestSignature + 49) * members
  return maximumBlockBytes - overhead - header - commit
}
