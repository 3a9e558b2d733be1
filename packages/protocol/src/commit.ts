/**
 * A commit: the precommits of one round for one block, and the bytes that each of them signs (`spec/consensus.md` 3).
 * Each validator signs its own timestamp, so every signature has its own message.
 */
import { concatBytes, equalBytes } from './bytes.js'
import type { BlockId } from './header.js'
import {
  bytesField,
  fixed64Field,
  integerField,
  messageField,
  textField,
  timestampMessage,
  varint,
} from './protobufWriter.js'
import type { Timestamp } from './timestamp.js'

/** CometBFT's `BlockIDFlag`. */
export const blockIdFlag = { absent: 1, commit: 2, nil: 3 } as const
export type BlockIdFlag = (typeof blockIdFlag)[keyof typeof blockIdFlag]

export interface CommitSignature {
  readonly flag: BlockIdFlag
  /** 20 bytes; empty when absent. */
  readonly address: Uint8Array
  readonly timestamp: Timestamp
  /** R ‖ S ‖ V, 65 bytes, V in {0, 1}, low S; empty when absent. */
  readonly signature: Uint8Array
}

/** `signatures` stand in the order of the validator set, one for each member. */
export interface Commit {
  readonly height: number
  readonly round: number
  readonly blockId: BlockId
  readonly signatures: readonly CommitSignature[]
}

const absent: CommitSignature = {
  flag: blockIdFlag.absent,
  address: new Uint8Array(0),
  timestamp: { seconds: 0, nanoseconds: 0 },
  signature: new Uint8Array(0),
}

/**
 * `commit` in the order of `addresses` (20 bytes each). An engine gives it in the order of the validator set, where a
 * member whose power is lowered stands last; a certificate names members by their place in the genesis.
 */
export function commitOfMembers(commit: Commit, addresses: readonly Uint8Array[]): Commit {
  const signatures = addresses.map(
    (address) => commit.signatures.find((signature) => equalBytes(signature.address, address)) ?? absent,
  )
  return { ...commit, signatures }
}

export const voteType = { prevote: 1, precommit: 2 } as const
export type VoteType = (typeof voteType)[keyof typeof voteType]

export interface CanonicalVote {
  readonly type: VoteType
  readonly height: number
  readonly round: number
  /** null for a vote for nil. */
  readonly blockId: BlockId | null
  readonly timestamp: Timestamp
  readonly chainId: string
}

/** Content of `CanonicalBlockID`. */
export function canonicalBlockId(id: BlockId): Uint8Array {
  const parts = concatBytes(integerField(1, id.partSetHeader.total), bytesField(2, id.partSetHeader.hash))
  return concatBytes(bytesField(1, id.hash), messageField(2, parts))
}

/** Sign bytes of a vote: varint length, then `CanonicalVote`. */
export function voteSignBytes(vote: CanonicalVote): Uint8Array {
  const message = concatBytes(
    integerField(1, vote.type),
    fixed64Field(2, vote.height),
    fixed64Field(3, vote.round),
    vote.blockId === null ? new Uint8Array(0) : messageField(4, canonicalBlockId(vote.blockId)),
    messageField(5, timestampMessage(vote.timestamp)),
    textField(6, vote.chainId),
  )
  return concatBytes(varint(message.length), message)
}
