/**
 * What the application is told of a block, out of the block itself and the validators that signed the one before.
 */
import { blockIdFlag, type Commit } from '@onus/protocol/commit'
import type { BlockRequest, LastCommit } from '../abci/application.js'
import type { Block } from './records.js'

/** What a block tells of the validators before it: address (20 bytes) and power, in their order. */
export interface LastValidator {
  readonly address: Uint8Array
  readonly power: number
}

/** Round and votes of the block before, as the application is told them. */
export function lastCommitInfo(commit: Commit | null, validators: readonly LastValidator[] | null): LastCommit {
  if (commit === null || validators === null) return { round: 0, votes: [] }
  return {
    round: commit.round,
    votes: validators.map(({ address, power }, index) => ({
      address,
      power,
      flag: commit.signatures[index]?.flag ?? blockIdFlag.absent,
    })),
  }
}

/** What the application is asked of `block`, whose predecessor was signed by `lastValidators` (null in the first). */
export function blockRequestOf(
  block: Block,
  hash: Uint8Array,
  lastValidators: readonly LastValidator[] | null,
): BlockRequest {
  const { height, time, proposerAddress, nextValidatorsHash } = block.header
  return {
    height,
    time,
    proposerAddress,
    nextValidatorsHash,
    lastCommit: lastCommitInfo(block.lastCommit, lastValidators),
    misbehavior: [],
    hash,
    items: block.items,
  }
}
