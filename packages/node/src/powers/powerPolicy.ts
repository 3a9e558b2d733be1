/**
 * Which member's power is lowered (S11, `spec/consensus.md` 10): one that missed its turns to propose, back when its
 * votes are seen. Pure and a function of decided blocks alone, so that every node gives the engine the same updates at
 * the same height. What powers are allowed is `memberPowers.ts` of the protocol.
 */
import { toHex } from '@onus/protocol/bytes'
import { blockIdFlag } from '@onus/protocol/commit'
import { loweredPowerOf } from '@onus/protocol/memberPowers'
import type { ValidatorSet } from '@onus/protocol/validatorSet'
import type { BlockRequest, ValidatorUpdate } from '../abci/application.js'
import { afterTurns, initialRotation, proposersOf, type Rotation, withPower } from './proposerRotation.js'

/** What decided blocks showed of one member. All counts stop at `mostCounted`. */
export interface MemberRecord {
  /** Turns to propose that it missed since the last one that it took. */
  readonly missed: number
  /** Turns taken since it last missed one. */
  readonly taken: number
  /** How often it was lowered; forgiven after `forgivingTurns`. */
  readonly strikes: number
  /** Commits with its vote since it was lowered. */
  readonly votes: number
}

/** Behind the block of `height`, the initial height less 1 before the first. */
export interface PowerState {
  readonly height: number
  /** Place of who made that block; 0 before the first. */
  readonly proposer: number
  /** Sets of that block, the next and the one after; before the first block the first one means nothing. */
  readonly rotations: readonly [Rotation, Rotation, Rotation]
  /** By place. */
  readonly members: readonly MemberRecord[]
  /** Place of the lowered member. */
  readonly lowered: number | null
}

export interface PowerDecision {
  readonly state: PowerState
  readonly updates: readonly ValidatorUpdate[]
  /** False where the block was not made by any proposer that the rotation knows: then nobody is blamed for its rounds. */
  readonly isInStep: boolean
}

export type DecidedTurn = Pick<BlockRequest, 'height' | 'proposerAddress' | 'lastCommit'>

/** A member is lowered after so many missed turns in a row: one or two happen to who is only slow or starting. */
const turnsToLower = 3
/** It is raised again once its vote was in so many commits, twice as many each time. */
const votesToRaise = 4
const mostDoublings = 12
const forgivingTurns = 64
/** Whose turns so many rounds were is not worked out: the cluster stood still for hours. */
const mostRounds = 1000
export const mostCounted: number = 2 ** 32 - 1

const clean: MemberRecord = { missed: 0, taken: 0, strikes: 0, votes: 0 }

/** Before the block of `initialHeight`; null where no member of `members` may be lowered. */
export function initialPowers(members: ValidatorSet, initialHeight: number): PowerState | null {
  if (loweredPowerOf(members) === null) return null
  const first = initialRotation(members.validators.map(({ power }) => power))
  return {
    height: initialHeight - 1,
    proposer: 0,
    rotations: [first, first, afterTurns(first, 1)],
    members: members.validators.map(() => clean),
    lowered: null,
  }
}

const next = (count: number): number => Math.min(count + 1, mostCounted)

function tookTurn(member: MemberRecord): MemberRecord {
  const taken = next(member.taken)
  return { ...member, missed: 0, taken, strikes: taken >= forgivingTurns ? 0 : member.strikes }
}

function missedTurn(member: MemberRecord): MemberRecord {
  return { ...member, missed: next(member.missed), taken: 0 }
}

/**
 * Judges the rounds of the block before, which was decided in `round`; null where the rotation does not know its maker.
 * A member misses one turn in a height at most: where rounds failed for want of a quorum, every member had several.
 */
function judgeTurns(state: PowerState, round: number): readonly MemberRecord[] | null {
  if (round > mostRounds) return state.members
  const proposers = proposersOf(state.rotations[0], round)
  // A block that more than 2/3 prevoted may be decided rounds after that of its maker: it took its turn.
  if (!proposers.includes(state.proposer)) return null
  const members = [...state.members]
  const change = (place: number, by: (member: MemberRecord) => MemberRecord): void => {
    members[place] = by(members[place] as MemberRecord)
  }
  const took = new Set([state.proposer, proposers[round] as number])
  for (const place of new Set(proposers)) change(place, took.has(place) ? tookTurn : missedTurn)
  return members
}

/** Counts the vote of the lowered member in the commit of the block before, for the block or for nil. */
function countVote(
  members: readonly MemberRecord[],
  lowered: number | null,
  set: ValidatorSet,
  lastCommit: DecidedTurn['lastCommit'],
): readonly MemberRecord[] {
  const member = lowered === null ? undefined : members[lowered]
  if (lowered === null || member === undefined) return members
  const address = toHex(set.validators[lowered]?.address ?? new Uint8Array(0))
  const vote = lastCommit.votes.find((other) => toHex(other.address) === address)
  if (vote === undefined || vote.flag === blockIdFlag.absent) return members
  return members.with(lowered, { ...member, votes: next(member.votes) })
}

interface Change {
  readonly place: number
  readonly isLowered: boolean
}

/** At most one change for each block. A raise comes first: no two members may be lowered at once. */
function changeOf(members: readonly MemberRecord[], lowered: number | null): Change | null {
  if (lowered !== null) {
    const { strikes, votes } = members[lowered] as MemberRecord
    const needed = votesToRaise * 2 ** Math.min(Math.max(strikes - 1, 0), mostDoublings)
    return votes >= needed ? { place: lowered, isLowered: false } : null
  }
  const most = Math.max(...members.map(({ missed }) => missed))
  return most < turnsToLower ? null : { place: members.findIndex(({ missed }) => missed === most), isLowered: true }
}

function changed(member: MemberRecord, isLowered: boolean): MemberRecord {
  return { ...member, missed: 0, taken: 0, votes: 0, strikes: isLowered ? next(member.strikes) : member.strikes }
}

/** Takes in the block of `state.height + 1`: who is lowered or raised from two heights later on. */
export function decidePowers(set: ValidatorSet, state: PowerState, turn: DecidedTurn): PowerDecision {
  const { lastCommit, proposerAddress } = turn
  const judged = lastCommit.votes.length === 0 ? state.members : judgeTurns(state, lastCommit.round)
  const members = countVote(judged ?? state.members, state.lowered, set, lastCommit)
  const change = changeOf(members, state.lowered)
  const [, current, following] = state.rotations
  const height = state.height + 1
  const maker = toHex(proposerAddress)
  const proposer = Math.max(
    0,
    set.validators.findIndex(({ address }) => toHex(address) === maker),
  )
  const isInStep = judged !== null
  if (change === null) {
    const rotations = [current, following, afterTurns(following, 1)] as const
    return { state: { ...state, height, proposer, rotations, members }, updates: [], isInStep }
  }
  const { place, isLowered } = change
  const validator = set.validators[place] as ValidatorSet['validators'][number]
  const power = isLowered ? (loweredPowerOf(set) ?? validator.power) : validator.power
  return {
    state: {
      height,
      proposer,
      rotations: [current, following, afterTurns(withPower(following, place, power), 1)],
      members: members.with(place, changed(members[place] as MemberRecord, isLowered)),
      lowered: isLowered ? place : null,
    },
    updates: [{ publicKey: validator.publicKey, power }],
    isInStep,
  }
}
