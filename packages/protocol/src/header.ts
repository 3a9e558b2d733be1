/**
 * CometBFT's block header and its hash (`spec/consensus.md` 2): an RFC 6962 tree over 14 protobuf-encoded fields.
 * Checked here against headers of the real engine; nothing of the header is trusted but by its hash.
 */
import { concatBytes } from './bytes.js'
import type { Hasher } from './hash.js'
import { merkleRoot } from './merkleTree.js'
import { bytesField, integerField, messageField, textField, timestampMessage } from './protobufWriter.js'
import type { Timestamp } from './timestamp.js'

export interface PartSetHeader {
  readonly total: number
  /** 32 bytes. */
  readonly hash: Uint8Array
}

export interface BlockId {
  /** Header hash, 32 bytes. */
  readonly hash: Uint8Array
  readonly partSetHeader: PartSetHeader
}

/** All hashes are 32 bytes; `appHash` may be empty in a chain that never set one, `proposerAddress` is 20 bytes. */
export interface Header {
  readonly versionBlock: number
  readonly versionApp: number
  readonly chainId: string
  readonly height: number
  readonly time: Timestamp
  /** null in the first block. */
  readonly lastBlockId: BlockId | null
  readonly lastCommitHash: Uint8Array
  readonly dataHash: Uint8Array
  readonly validatorsHash: Uint8Array
  readonly nextValidatorsHash: Uint8Array
  readonly consensusHash: Uint8Array
  readonly appHash: Uint8Array
  readonly lastResultsHash: Uint8Array
  readonly evidenceHash: Uint8Array
  readonly proposerAddress: Uint8Array
}

/** Content of `tendermint.types.BlockID`; the part set header is always present. */
function blockIdMessage(id: BlockId | null): Uint8Array {
  if (id === null) return messageField(2, new Uint8Array(0))
  const parts = concatBytes(integerField(1, id.partSetHeader.total), bytesField(2, id.partSetHeader.hash))
  return concatBytes(bytesField(1, id.hash), messageField(2, parts))
}

/** The 14 leaves in their order. A bytes field is a `google.protobuf.BytesValue`, so an empty one is an empty leaf. */
export function headerLeaves(header: Header): Uint8Array[] {
  return [
    concatBytes(integerField(1, header.versionBlock), integerField(2, header.versionApp)),
    textField(1, header.chainId),
    integerField(1, header.height),
    timestampMessage(header.time),
    blockIdMessage(header.lastBlockId),
    bytesField(1, header.lastCommitHash),
    bytesField(1, header.dataHash),
    bytesField(1, header.validatorsHash),
    bytesField(1, header.nextValidatorsHash),
    bytesField(1, header.consensusHash),
    bytesField(1, header.appHash),
    bytesField(1, header.lastResultsHash),
    bytesField(1, header.evidenceHash),
    bytesField(1, header.proposerAddress),
  ]
}

/** The block hash: 32 bytes. */
export function headerHash(hasher: Hasher, header: Header): Uint8Array {
  return merkleRoot(hasher, headerLeaves(header))
}

/** Hash over the items of a block (CometBFT's "transactions"): leaves are their SHA-256 hashes. */
export function dataHash(hasher: Hasher, items: readonly Uint8Array[]): Uint8Array {
  return merkleRoot(
    hasher,
    items.map((item) => hasher.sha256(item)),
  )
}
