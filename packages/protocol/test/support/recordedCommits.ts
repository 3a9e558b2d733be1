/** Blocks that CometBFT v0.40.0 made (`spec/vectors/commit.json`), read from the JSON of its RPC. */
import { join } from 'node:path'
import type { BlockIdFlag, Commit } from '../../src/commit.js'
import type { BlockId, Header } from '../../src/header.js'
import { parseTimestamp } from '../../src/timestamp.js'
import { type ValidatorSet, validatorSetOf } from '../../src/validatorSet.js'
import { readJson, vectorFolder } from './repository.js'

interface BlockIdJson {
  readonly hash: string
  readonly parts: { readonly total: number; readonly hash: string }
}

interface BlockJson {
  readonly header: Readonly<Record<string, string>> & {
    readonly version: { readonly block: string; readonly app?: string }
    readonly last_block_id: BlockIdJson
  }
  readonly commit: {
    readonly height: string
    readonly round: number
    readonly block_id: BlockIdJson
    readonly signatures: readonly {
      readonly block_id_flag: number
      readonly validator_address: string
      readonly timestamp: string
      readonly signature: string | null
    }[]
  }
  readonly txs: readonly string[]
  readonly validators: readonly {
    readonly address: string
    readonly pub_key: { readonly value: string }
    readonly voting_power: string
  }[]
}

export interface RecordedBlock {
  readonly header: Header
  readonly commit: Commit
  readonly items: readonly Uint8Array[]
  readonly validators: ValidatorSet
  /** Addresses in the order in which CometBFT printed the set. */
  readonly order: readonly Uint8Array[]
}

const hex = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'hex'))
const base64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

function blockIdOf(json: BlockIdJson): BlockId {
  return { hash: hex(json.hash), partSetHeader: { total: json.parts.total, hash: hex(json.parts.hash) } }
}

function headerOf(json: BlockJson['header']): Header {
  return {
    versionBlock: Number(json.version.block),
    versionApp: Number(json.version.app ?? 0),
    chainId: json['chain_id'] ?? '',
    height: Number(json['height']),
    time: parseTimestamp(json['time'] ?? ''),
    lastBlockId: json.last_block_id.hash === '' ? null : blockIdOf(json.last_block_id),
    lastCommitHash: hex(json['last_commit_hash']),
    dataHash: hex(json['data_hash']),
    validatorsHash: hex(json['validators_hash']),
    nextValidatorsHash: hex(json['next_validators_hash']),
    consensusHash: hex(json['consensus_hash']),
    appHash: hex(json['app_hash']),
    lastResultsHash: hex(json['last_results_hash']),
    evidenceHash: hex(json['evidence_hash']),
    proposerAddress: hex(json['proposer_address']),
  }
}

function commitOf(json: BlockJson['commit']): Commit {
  const signatures = json.signatures.map((signature) => ({
    flag: signature.block_id_flag as BlockIdFlag,
    address: hex(signature.validator_address),
    timestamp: parseTimestamp(signature.timestamp),
    signature: base64(signature.signature ?? ''),
  }))
  return { height: Number(json.height), round: json.round, blockId: blockIdOf(json.block_id), signatures }
}

export function recordedBlocks(): RecordedBlock[] {
  const { blocks } = readJson(join(vectorFolder, 'commit.json')) as { blocks: readonly BlockJson[] }
  return blocks.map((block) => ({
    header: headerOf(block.header),
    commit: commitOf(block.commit),
    items: block.txs.map(base64),
    validators: validatorSetOf(
      block.validators.map((validator) => ({
        publicKey: base64(validator.pub_key.value),
        power: Number(validator.voting_power),
      })),
    ),
    order: block.validators.map((validator) => hex(validator.address)),
  }))
}
