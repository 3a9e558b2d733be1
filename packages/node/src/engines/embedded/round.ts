/**
 * One round of the embedded engine: proposal, prevotes, precommits, with CometBFT's thresholds (more than 2/3 of the
 * power) and its habit that matters to S1: once more than 2/3 prevoted a block, every member is asked to precommit it,
 * also one whose application rejected it. Only the signer's policy keeps that signature back, here as there.
 */
import { equalBytes } from '@onus/protocol/bytes'
import { blockIdFlag, type Commit, type CommitSignature, type VoteType, voteType } from '@onus/protocol/commit'
import type { BlockId } from '@onus/protocol/header'
import { nanosecondsOfTimestamp, type Timestamp, timestampOfNanoseconds } from '@onus/protocol/timestamp'
import type { Validator, ValidatorSet } from '@onus/protocol/validatorSet'
import type { BlockRequest } from '../../abci/application.js'
import type { Block } from '../records.js'
import type { Member } from './member.js'

/** A block on offer. */
export interface Proposal {
  readonly block: Block
  readonly blockId: BlockId
  readonly request: BlockRequest
  /** Last round in which more than 2/3 prevoted it; -1 when fresh. */
  readonly polRound: number
}

/** A validator of the height with the running member that holds its key, if one does. */
export interface Seat {
  readonly validator: Validator
  readonly member: Member | null
}

export interface RoundOutcome {
  /** More than 2/3 prevoted the block: it must be proposed again if it was not decided. */
  readonly locked: boolean
  /** The decision, or null. */
  readonly commit: Commit | null
}

interface Vote {
  readonly blockId: BlockId | null
  readonly timestamp: Timestamp
  readonly signature: Uint8Array
}

export function seatsOf(validators: ValidatorSet, members: readonly Member[]): Seat[] {
  return validators.validators.map((validator) => ({
    validator,
    member: members.find(({ running, signer }) => running && equalBytes(signer.address, validator.address)) ?? null,
  }))
}

/** Whether `power` is more than 2/3 of the power of all seats. */
export function isQuorum(seats: readonly Seat[], power: number): boolean {
  return 3 * power > 2 * seats.reduce((sum, { validator }) => sum + validator.power, 0)
}

export function runningPower(seats: readonly Seat[]): number {
  return seats.reduce((sum, { validator, member }) => sum + (member === null ? 0 : validator.power), 0)
}

/** Now, but at least a millisecond after the block (CometBFT's voteTime), so that block times grow. */
function voteTime(blockTime: Timestamp): Timestamp {
  const now = BigInt(Date.now()) * 1_000_000n
  const least = nanosecondsOfTimestamp(blockTime) + 1_000_000n
  return timestampOfNanoseconds(now > least ? now : least)
}

async function vote(
  seat: Seat,
  type: VoteType,
  round: number,
  proposal: Proposal,
  blockId: BlockId | null,
): Promise<Vote | null> {
  const { height, time } = proposal.block.header
  const answer = await seat.member?.sign({ kind: 'vote', type, height, round, blockId, timestamp: voteTime(time) })
  return answer ? { blockId, ...answer } : null
}

function powerFor(seats: readonly Seat[], votes: readonly (Vote | null)[]): number {
  return seats.reduce((sum, { validator }, index) => sum + (votes[index]?.blockId ? validator.power : 0), 0)
}

function commitSignature({ validator }: Seat, cast: Vote | null): CommitSignature {
  if (cast === null) {
    const nothing = new Uint8Array(0)
    return { flag: blockIdFlag.absent, address: nothing, timestamp: { seconds: 0, nanoseconds: 0 }, signature: nothing }
  }
  const { blockId, timestamp, signature } = cast
  const flag = blockId === null ? blockIdFlag.nil : blockIdFlag.commit
  return { flag, address: validator.address, timestamp, signature }
}

/** Runs the votes of `round` on `proposal`, which its proposer has signed. */
export async function runRound(seats: readonly Seat[], round: number, proposal: Proposal): Promise<RoundOutcome> {
  const { blockId, block } = proposal
  const prevotes = await Promise.all(
    seats.map(async (seat) => {
      const accepted = (await seat.member?.accepts(proposal.request)) ?? false
      return vote(seat, voteType.prevote, round, proposal, accepted ? blockId : null)
    }),
  )
  const locked = isQuorum(seats, powerFor(seats, prevotes))
  const precommits = await Promise.all(
    seats.map((seat) => vote(seat, voteType.precommit, round, proposal, locked ? blockId : null)),
  )
  if (!isQuorum(seats, powerFor(seats, precommits))) return { locked, commit: null }
  const signatures = seats.map((seat, index) => commitSignature(seat, precommits[index] ?? null))
  return { locked, commit: { height: block.header.height, round, blockId, signatures } }
}
