/**
 * Header and commit out of the JSON of RPC `commit`, every field checked for kind and length. Whether they are true is
 * for whoever uses them: `certificate.ts` of the protocol checks hash and signatures.
 */
import { blockIdFlag, type Commit, type CommitSignature } from '@onus/protocol/commit'
import { OnusError } from '@onus/protocol/errors'
import type { BlockId, Header } from '@onus/protocol/header'
import { addressLength, signatureLength } from '@onus/protocol/signature'
import { parseTimestamp, type Timestamp } from '@onus/protocol/timestamp'
import { maximumMembers } from '@onus/protocol/validatorSet'
import type { SignedHeader } from '../engine.js'
import { base64Bytes, elements, hexBytes, integer, integerText, type JsonValue, member, text } from './json.js'

const hashLength = 32
/** CometBFT limits an application hash only by the header; ours is 32 bytes, or none before the first block. */
const appHashLengths = [0, 32] as const

function time(json: JsonValue): Timestamp {
  return parseTimestamp(text(json))
}

function blockId(json: JsonValue): BlockId {
  const parts = member(json, 'parts')
  return {
    hash: hexBytes(member(json, 'hash'), hashLength),
    partSetHeader: { total: integer(member(parts, 'total')), hash: hexBytes(member(parts, 'hash'), hashLength) },
  }
}

/** The first block names none: an id with an empty hash. */
function lastBlockId(json: JsonValue): BlockId | null {
  return text(member(json, 'hash')) === '' ? null : blockId(json)
}

export function headerOfJson(json: JsonValue): Header {
  const version = member(json, 'version')
  const app = member(version, 'app')
  return {
    versionBlock: integerText(member(version, 'block')),
    versionApp: app.value === undefined ? 0 : integerText(app),
    chainId: text(member(json, 'chain_id')),
    height: integerText(member(json, 'height')),
    time: time(member(json, 'time')),
    lastBlockId: lastBlockId(member(json, 'last_block_id')),
    lastCommitHash: hexBytes(member(json, 'last_commit_hash'), hashLength),
    dataHash: hexBytes(member(json, 'data_hash'), hashLength),
    validatorsHash: hexBytes(member(json, 'validators_hash'), hashLength),
    nextValidatorsHash: hexBytes(member(json, 'next_validators_hash'), hashLength),
    consensusHash: hexBytes(member(json, 'consensus_hash'), hashLength),
    appHash: hexBytes(member(json, 'app_hash'), ...appHashLengths),
    lastResultsHash: hexBytes(member(json, 'last_results_hash'), hashLength),
    evidenceHash: hexBytes(member(json, 'evidence_hash'), hashLength),
    proposerAddress: hexBytes(member(json, 'proposer_address'), addressLength),
  }
}

/** Time of an absent vote, in place of Go's zero time (year 1). */
const noTime: Timestamp = { seconds: 0, nanoseconds: 0 }
const nothing = new Uint8Array(0)

function commitSignature(json: JsonValue): CommitSignature {
  const flag = integer(member(json, 'block_id_flag'))
  if (flag === blockIdFlag.absent) return { flag, address: nothing, timestamp: noTime, signature: nothing }
  if (flag !== blockIdFlag.commit && flag !== blockIdFlag.nil)
    throw new OnusError('rpc-shape', `expected a flag from 1 to 3, got ${flag}`, { path: json.path })
  return {
    flag,
    address: hexBytes(member(json, 'validator_address'), addressLength),
    timestamp: time(member(json, 'timestamp')),
    signature: base64Bytes(member(json, 'signature'), signatureLength),
  }
}

export function commitOfJson(json: JsonValue): Commit {
  return {
    height: integerText(member(json, 'height')),
    round: integer(member(json, 'round')),
    blockId: blockId(member(json, 'block_id')),
    signatures: elements(member(json, 'signatures'), maximumMembers).map(commitSignature),
  }
}

/** Of the result of `commit`. Rejects `rpc-shape` and `timestamp`. */
export function signedHeaderOfJson(result: JsonValue): SignedHeader {
  const signed = member(result, 'signed_header')
  const header = headerOfJson(member(signed, 'header'))
  const commit = commitOfJson(member(signed, 'commit'))
  if (header.height !== commit.height)
    throw new OnusError('rpc-shape', `expected one height, got ${header.height} and ${commit.height}`, {
      path: signed.path,
    })
  return { header, commit }
}
