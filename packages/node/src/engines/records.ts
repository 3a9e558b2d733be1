/**
 * The hashed records of a block as CometBFT v0.40 makes them (`spec/consensus.md` 2): block bytes and their parts, last
 * commit, results, consensus parameters. Tests compare each with what the real engine put into its headers.
 */
import { blockIdFlag, type Commit, type CommitSignature } from '@onus/protocol/commit'
import type { Hasher } from '@onus/protocol/hash'
import type { BlockId, Header, PartSetHeader } from '@onus/protocol/header'
import { merkleRoot } from '@onus/protocol/merkleTree'
import { decodeMessage } from '../protobuf/decode.js'
import { encodeMessage } from '../protobuf/encode.js'
import type { Message, MessageInit } from '../protobuf/types.js'

/** A block: header, items and the commit of the block before (null in the first). */
export interface Block {
  readonly header: Header
  readonly items: readonly Uint8Array[]
  readonly lastCommit: Commit | null
}

/** CometBFT's block protocol. */
export const blockProtocol = 11
const partBytes = 65_536
/** Seconds of Go's zero time, year 1: the time of an absent vote. */
const zeroTimeSeconds = -62_135_596_800
const nothing = new Uint8Array(0)

function blockIdInit(id: BlockId | null): MessageInit<'BlockID'> {
  return id ?? { partSetHeader: {} }
}

function commitSignatureInit({ flag, address, timestamp, signature }: CommitSignature): MessageInit<'CommitSig'> {
  return {
    blockIdFlag: flag,
    validatorAddress: address,
    timestamp: flag === blockIdFlag.absent ? { seconds: zeroTimeSeconds } : timestamp,
    signature,
  }
}

function commitInit({ height, round, blockId, signatures }: Commit): MessageInit<'Commit'> {
  return { height, round, blockId, signatures: signatures.map(commitSignatureInit) }
}

function headerInit(header: Header): MessageInit<'Header'> {
  const { versionBlock, versionApp, lastBlockId, ...rest } = header
  return { ...rest, version: { block: versionBlock, app: versionApp }, lastBlockId: blockIdInit(lastBlockId) }
}

/** `last_commit_hash`: over the signatures of the commit, none before the first block. */
export function lastCommitHash(hasher: Hasher, commit: Commit | null): Uint8Array {
  const signatures = commit?.signatures ?? []
  return merkleRoot(
    hasher,
    signatures.map((signature) => encodeMessage('CommitSig', commitSignatureInit(signature))),
  )
}

/** `last_results_hash`: results of Onus items are all empty, only their number shows. */
export function resultsHash(hasher: Hasher, items: number): Uint8Array {
  return merkleRoot(
    hasher,
    Array.from({ length: items }, () => nothing),
  )
}

/** `consensus_hash`: over the largest block and the gas limit (-1: none of CometBFT's). */
export function consensusHash(hasher: Hasher, maximumBlockBytes: number): Uint8Array {
  return hasher.sha256(encodeMessage('HashedParams', { blockMaxBytes: maximumBlockBytes, blockMaxGas: -1 }))
}

/** `evidence_hash` of a block without evidence. */
export function noEvidenceHash(hasher: Hasher): Uint8Array {
  return merkleRoot(hasher, [])
}

/** Protobuf bytes of a block, as CometBFT gossips it. */
export function encodeBlock({ header, items, lastCommit }: Block): Uint8Array {
  return encodeMessage('Block', {
    header: headerInit(header),
    data: { txs: items },
    evidence: {},
    lastCommit: lastCommit === null ? { blockId: { partSetHeader: {} } } : commitInit(lastCommit),
  })
}

/** Number and Merkle root of the 64 KiB parts of a block's bytes. */
export function partSetHeaderOf(hasher: Hasher, block: Uint8Array): PartSetHeader {
  const parts: Uint8Array[] = []
  for (let at = 0; at < block.length; at += partBytes) parts.push(block.subarray(at, at + partBytes))
  return { total: parts.length, hash: merkleRoot(hasher, parts) }
}

export function encodeCommit(commit: Commit): Uint8Array {
  return encodeMessage('Commit', commitInit(commit))
}

function commitSignatureOf(message: Message<'CommitSig'>): CommitSignature {
  const { blockIdFlag: flag, validatorAddress, timestamp, signature } = message
  return flag === blockIdFlag.commit || flag === blockIdFlag.nil
    ? { flag, address: validatorAddress, timestamp, signature }
    : { flag: blockIdFlag.absent, address: nothing, timestamp: { seconds: 0, nanoseconds: 0 }, signature: nothing }
}

function commitOf(message: Message<'Commit'>): Commit {
  const { height, round, blockId, signatures } = message
  return { height, round, blockId, signatures: signatures.map(commitSignatureOf) }
}

/** What `encodeCommit` wrote. Rejects `protobuf-…`. */
export function decodeCommit(bytes: Uint8Array): Commit {
  return commitOf(decodeMessage('Commit', bytes))
}

/** What `encodeBlock` wrote. Rejects `protobuf-…`. */
export function decodeBlock(bytes: Uint8Array): Block {
  const { header, data, lastCommit } = decodeMessage('Block', bytes)
  const { version, lastBlockId, ...rest } = header
  return {
    header: {
      ...rest,
      versionBlock: version.block,
      versionApp: version.app,
      lastBlockId: lastBlockId.hash.length === 0 ? null : lastBlockId,
    },
    items: data.txs,
    lastCommit: lastCommit === undefined || lastCommit.height === 0 ? null : commitOf(lastCommit),
  }
}
