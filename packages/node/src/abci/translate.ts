/**
 * Between the protobuf messages of ABCI and the types of `application.ts`. Checks what the protobuf types leave open
 * (lengths of addresses and hashes, known enumerators); a mismatch is an `OnusError` with code `abci-…`.
 */
import type { BlockIdFlag } from '@onus/protocol/commit'
import { OnusError } from '@onus/protocol/errors'
import { addressLength, publicKeyLength } from '@onus/protocol/signature'
import type { Message } from '../protobuf/types.js'
import type {
  BlockRequest,
  InitChainRequest,
  LastCommit,
  Misbehavior,
  PrepareProposalRequest,
  ValidatorUpdate,
} from './application.js'

const hashLength = 32

function fixedBytes(bytes: Uint8Array, length: number, path: string): Uint8Array {
  if (bytes.length !== length)
    throw new OnusError('abci-length', `expected ${length} bytes, got ${bytes.length}`, { path })
  return bytes
}

function blockIdFlagOf(flag: number): BlockIdFlag {
  if (flag === 1 || flag === 2 || flag === 3) return flag
  throw new OnusError('abci-block-id-flag', `expected 1, 2 or 3, got ${flag}`)
}

/** Kinds by `MisbehaviorType`. */
const misbehaviorKinds: readonly (Misbehavior['kind'] | undefined)[] = [
  undefined,
  'duplicate-vote',
  'light-client-attack',
]

function misbehaviorOf(message: Message<'Misbehavior'>): Misbehavior {
  const kind = misbehaviorKinds[message.type]
  if (kind === undefined) throw new OnusError('abci-misbehavior', `expected a known type, got ${message.type}`)
  return {
    kind,
    address: fixedBytes(message.validator.address, addressLength, 'misbehavior.validator.address'),
    power: message.validator.power,
    height: message.height,
    time: message.time,
    totalPower: message.totalVotingPower,
  }
}

function lastCommitOf(commit: Message<'CommitInfo'> | Message<'ExtendedCommitInfo'>): LastCommit {
  return {
    round: commit.round,
    votes: commit.votes.map((vote) => ({
      address: fixedBytes(vote.validator.address, addressLength, 'lastCommit.votes.address'),
      power: vote.validator.power,
      flag: blockIdFlagOf(vote.blockIdFlag),
    })),
  }
}

function validatorUpdateOf(message: Message<'ValidatorUpdate'>): ValidatorUpdate {
  return {
    publicKey: fixedBytes(message.pubKey.secp256k1eth, publicKeyLength, 'validators.pubKey.secp256k1eth'),
    power: message.power,
  }
}

export function initChainRequestOf(message: Message<'RequestInitChain'>): InitChainRequest {
  return {
    chainId: message.chainId,
    time: message.time,
    initialHeight: message.initialHeight,
    validators: message.validators.map(validatorUpdateOf),
  }
}

export function prepareProposalRequestOf(message: Message<'RequestPrepareProposal'>): PrepareProposalRequest {
  return {
    height: message.height,
    time: message.time,
    proposerAddress: fixedBytes(message.proposerAddress, addressLength, 'proposerAddress'),
    nextValidatorsHash: fixedBytes(message.nextValidatorsHash, hashLength, 'nextValidatorsHash'),
    lastCommit: lastCommitOf(message.localLastCommit),
    misbehavior: message.misbehavior.map(misbehaviorOf),
    mempool: message.txs,
    maximumBytes: message.maxTxBytes,
  }
}

export function blockRequestOf(
  message: Message<'RequestProcessProposal'> | Message<'RequestFinalizeBlock'>,
): BlockRequest {
  const commit = 'decidedLastCommit' in message ? message.decidedLastCommit : message.proposedLastCommit
  return {
    height: message.height,
    time: message.time,
    proposerAddress: fixedBytes(message.proposerAddress, addressLength, 'proposerAddress'),
    nextValidatorsHash: fixedBytes(message.nextValidatorsHash, hashLength, 'nextValidatorsHash'),
    lastCommit: lastCommitOf(commit),
    misbehavior: message.misbehavior.map(misbehaviorOf),
    hash: fixedBytes(message.hash, hashLength, 'hash'),
    items: message.txs,
  }
}
