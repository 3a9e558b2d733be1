/**
 * CometBFT's remote signer protocol (`tendermint.privval`): one message in, one answer out. What is refused or
 * ill-formed is answered with a `RemoteSignerError`, upon which CometBFT casts no vote and goes on. Vote extensions are
 * off in our genesis, so a vote that carries one is refused.
 */
import { equalBytes } from '@onus/protocol/bytes'
import { voteType } from '@onus/protocol/commit'
import { OnusError } from '@onus/protocol/errors'
import type { BlockId } from '@onus/protocol/header'
import { encodeUnionFrame } from '../protobuf/encode.js'
import type { Message, Union } from '../protobuf/types.js'
import type { Signer } from './signer.js'
import type { ProposalRequest, VoteRequest } from './signRequest.js'

type SignerRequest = Union<'SignerMessage'>

/** Contents of an answer that carries an error: Go insists on the message, not on what is in it. */
const emptyBlockId = { partSetHeader: {} }
const emptyVote = { blockId: emptyBlockId, timestamp: {} }

/** The code is not used by CometBFT; the description is logged. */
function remoteError(error: unknown): { code: number; description: string } {
  const description =
    error instanceof OnusError ? `${error.code}: ${error.message}` : 'signer-failure: the signer failed, see its log'
  return { code: 1, description }
}

function blockIdOf({ hash, partSetHeader }: Message<'BlockID'>): BlockId | null {
  const nil = hash.length === 0 && partSetHeader.total === 0 && partSetHeader.hash.length === 0
  return nil ? null : { hash, partSetHeader }
}

function checkChainId(signer: Signer, chainId: string): void {
  if (chainId !== signer.chainId)
    throw new OnusError(
      'signer-chain-id',
      `expected chain ${signer.chainId}, got ${JSON.stringify(chainId.slice(0, 60))}`,
    )
}

function voteRequestOf(signer: Signer, vote: Message<'Vote'>): VoteRequest {
  if (!equalBytes(vote.validatorAddress, signer.address))
    throw new OnusError('signer-address', 'expected a vote of this key')
  if (vote.extension.length > 0 || vote.extensionSignature.length > 0)
    throw new OnusError('signer-extension', 'expected a vote without extension')
  const { type, height, round, timestamp } = vote
  if (type !== voteType.prevote && type !== voteType.precommit)
    throw new OnusError('signer-type', `expected a prevote or a precommit, got type ${type}`)
  return { kind: 'vote', type, height, round, timestamp, blockId: blockIdOf(vote.blockId) }
}

function proposalRequestOf(proposal: Message<'Proposal'>): ProposalRequest {
  if (proposal.type !== 32) throw new OnusError('signer-type', `expected a proposal, got type ${proposal.type}`)
  const blockId = blockIdOf(proposal.blockId)
  if (blockId === null) throw new OnusError('signer-block-id', 'expected a block in a proposal')
  const { height, round, polRound, timestamp } = proposal
  return { kind: 'proposal', height, round, polRound, timestamp, blockId }
}

async function answerVote(signer: Signer, request: Message<'SignVoteRequest'>): Promise<Uint8Array> {
  try {
    checkChainId(signer, request.chainId)
    if (request.vote === undefined) throw new OnusError('signer-request', 'expected a vote')
    const answer = await signer.sign(voteRequestOf(signer, request.vote))
    return encodeUnionFrame('SignerMessage', 'signedVoteResponse', { vote: { ...request.vote, ...answer } })
  } catch (error) {
    return encodeUnionFrame('SignerMessage', 'signedVoteResponse', { vote: emptyVote, error: remoteError(error) })
  }
}

async function answerProposal(signer: Signer, request: Message<'SignProposalRequest'>): Promise<Uint8Array> {
  try {
    checkChainId(signer, request.chainId)
    if (request.proposal === undefined) throw new OnusError('signer-request', 'expected a proposal')
    const answer = await signer.sign(proposalRequestOf(request.proposal))
    return encodeUnionFrame('SignerMessage', 'signedProposalResponse', { proposal: { ...request.proposal, ...answer } })
  } catch (error) {
    return encodeUnionFrame('SignerMessage', 'signedProposalResponse', {
      proposal: emptyVote,
      error: remoteError(error),
    })
  }
}

function answerPublicKey(signer: Signer, request: Message<'PubKeyRequest'>): Uint8Array {
  try {
    checkChainId(signer, request.chainId)
    return encodeUnionFrame('SignerMessage', 'pubKeyResponse', { pubKey: { secp256k1eth: signer.publicKey } })
  } catch (error) {
    return encodeUnionFrame('SignerMessage', 'pubKeyResponse', { pubKey: {}, error: remoteError(error) })
  }
}

/** The answer frame to `request`. Rejects `signer-request` where it is no request, else never. */
export async function answerSignerRequest(signer: Signer, request: SignerRequest): Promise<Uint8Array> {
  switch (request.kind) {
    case 'pubKeyRequest':
      return answerPublicKey(signer, request.value)
    case 'signVoteRequest':
      return answerVote(signer, request.value)
    case 'signProposalRequest':
      return answerProposal(signer, request.value)
    case 'pingRequest':
      return encodeUnionFrame('SignerMessage', 'pingResponse', {})
    default:
      throw new OnusError('signer-request', `expected a request, got ${request.kind}`)
  }
}
