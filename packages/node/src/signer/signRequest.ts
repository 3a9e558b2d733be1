/**
 * What a validator key may be asked to sign, and the bytes it then signs (`spec/consensus.md` 3). The bytes are always
 * built here from the fields; bytes from a peer are never signed. Checks form only; whether it may be signed is for the
 * policy and the guard.
 */
import { type VoteType, voteSignBytes, voteType } from '@onus/protocol/commit'
import { OnusError } from '@onus/protocol/errors'
import type { BlockId } from '@onus/protocol/header'
import type { Timestamp } from '@onus/protocol/timestamp'
import { encodeDelimited } from '../protobuf/encode.js'

/** A prevote or precommit; `blockId` null is nil. */
export interface VoteRequest {
  readonly kind: 'vote'
  readonly type: VoteType
  readonly height: number
  readonly round: number
  readonly blockId: BlockId | null
  readonly timestamp: Timestamp
}

export interface ProposalRequest {
  readonly kind: 'proposal'
  readonly height: number
  readonly round: number
  /** Round of the proof of lock, or -1 for a fresh block. */
  readonly polRound: number
  readonly blockId: BlockId
  readonly timestamp: Timestamp
}

export type SignRequest = VoteRequest | ProposalRequest

/** Order of what is signed within a round, as in FilePV. */
export const step = { propose: 1, prevote: 2, precommit: 3 } as const
export type Step = (typeof step)[keyof typeof step]

export function stepOf(request: SignRequest): Step {
  if (request.kind === 'proposal') return step.propose
  return request.type === voteType.prevote ? step.prevote : step.precommit
}

/** `SignedMsgType` of a proposal. */
const proposalType = 32

/** The sign bytes of `request` on `chainId`, with `timestamp` in place of its own. */
export function signBytesAt(chainId: string, request: SignRequest, timestamp: Timestamp): Uint8Array {
  if (request.kind === 'vote') return voteSignBytes({ ...request, timestamp, chainId })
  const { height, round, polRound, blockId } = request
  return encodeDelimited('CanonicalProposal', {
    type: proposalType,
    height,
    round,
    polRound,
    blockId,
    timestamp,
    chainId,
  })
}

const maximumRound = 0x7fff_ffff
/** Last second that RFC 3339 can write: 9999-12-31T23:59:59Z. */
const maximumSeconds = 253_402_300_799

function integerWithin(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most
}

function checkBlockId({ hash, partSetHeader }: BlockId): void {
  if (hash.length !== 32 || partSetHeader.hash.length !== 32 || !integerWithin(partSetHeader.total, 1, 0xffff_ffff))
    throw new OnusError('signer-block-id', 'expected a whole block id (32-byte hashes, at least one part)')
}

/** Rejects `signer-height`, `signer-round`, `signer-timestamp` or `signer-block-id` on an ill-formed request. */
export function checkSignRequest(request: SignRequest): void {
  const { height, round, timestamp, blockId } = request
  if (!integerWithin(height, 1, Number.MAX_SAFE_INTEGER))
    throw new OnusError('signer-height', `expected a height from 1, got ${height}`)
  if (!integerWithin(round, 0, maximumRound))
    throw new OnusError('signer-round', `expected a round from 0, got ${round}`)
  if (request.kind === 'proposal' && !integerWithin(request.polRound, -1, round - 1))
    throw new OnusError('signer-round', `expected a proof-of-lock round below ${round}, got ${request.polRound}`)
  if (!integerWithin(timestamp.seconds, 0, maximumSeconds) || !integerWithin(timestamp.nanoseconds, 0, 999_999_999))
    throw new OnusError('signer-timestamp', 'expected a time from 1970 to 9999')
  if (blockId !== null) checkBlockId(blockId)
}
