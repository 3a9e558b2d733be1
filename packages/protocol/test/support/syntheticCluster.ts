/**
 * Clusters, blocks and certificates made of seeded keys: what a cluster of `protocol` signs without any node. Every
 * field can be replaced, so that tests build what a liar would send.
 */
import { type BeginBlock, encodeBlockData } from '../../src/blockData.js'
import { certificateOf, type TrustedMembers, type UnverifiedCertificate } from '../../src/certificate.js'
import type { ClusterDomain } from '../../src/chainId.js'
import { blockIdFlag, type CanonicalVote, type Commit, voteSignBytes, voteType } from '../../src/commit.js'
import { fixedTreeProof, fixedTreeRoot } from '../../src/fixedTree.js'
import { chainIdOfGenesis, domainOfGenesis, type Genesis, type Limits, localClusterId } from '../../src/genesis.js'
import { nobleHasher } from '../../src/hash.js'
import { type BlockId, dataHash, type Header, headerHash } from '../../src/header.js'
import { encodeManifest, encodeSeal, type Manifest } from '../../src/manifest.js'
import { merkleLeaf, merkleProof } from '../../src/merkleTree.js'
import { type Receipt, type ReceiptProof, receiptLeaf, receiptsTreeDepth } from '../../src/receipt.js'
import { addressOf, nobleCurve, publicKeyOf } from '../../src/signature.js'
import { swarmReference } from '../../src/swarm.js'
import { type Call, encodeEnvelope, envelopeKind, signEnvelope, transactionIds } from '../../src/transaction.js'
import { validatorSetOf, validatorsHash } from '../../src/validatorSet.js'
import { seededBytes, seededHash, seededKey } from './seeded.js'

export const syntheticLimits: Limits = {
  blockGas: 2_000_000_000,
  blockBytes: 4 * 2 ** 20,
  blockTransactions: 20_000,
  blockOutputBytes: 8 * 2 ** 20,
  blockDirtyPages: 16_384,
  blockOpenings: 256,
  callGas: 100_000_000,
  envelopeBytes: 2 ** 20,
  expiryBlocks: 1000,
  expiryMilliseconds: 60_000,
  sessionCapacity: 2 ** 20,
  sessionBlocks: 1_000_000,
  sessionMilliseconds: 86_400_000,
}

export interface SyntheticCluster {
  readonly genesis: Genesis
  readonly domain: ClusterDomain
  readonly trusted: TrustedMembers
  /** In the order of the validator set. */
  readonly privateKeys: readonly Uint8Array[]
}

/** A local cluster of members with these powers; the keys follow from `label`. */
export function syntheticCluster(
  powers: readonly number[],
  label = 'cluster',
  changes: Partial<Genesis> = {},
): SyntheticCluster {
  const keys = powers.map((power, index) => {
    const privateKey = seededKey(`${label} member ${index}`)
    return { privateKey, publicKey: publicKeyOf(privateKey), power }
  })
  const validators = validatorSetOf(keys)
  const withoutId: Omit<Genesis, 'clusterId'> = {
    epoch: 1,
    ethereumChainId: 31_337,
    initialHeight: 1,
    time: { seconds: 1_700_000_000, nanoseconds: 0 },
    previousManifest: new Uint8Array(32),
    codeReference: seededHash(`${label} code`),
    loweringVersion: 1,
    maximumMemoryPages: 4096,
    startGas: 1_000_000,
    stateRoot: seededHash(`${label} genesis state`),
    nodeVersion: 'v20.20.2',
    v8Version: '11.3.244.8-node.38',
    limits: syntheticLimits,
    admissionKey: new Uint8Array(20),
    membershipVersion: 1,
    validators,
    ...changes,
  }
  const genesis: Genesis = { clusterId: localClusterId(nobleHasher, withoutId), ...withoutId, ...changes }
  const { clusterId, epoch, membershipVersion } = genesis
  const privateKeys = validators.validators.map(({ address }) => {
    const key = keys.find(({ publicKey }) => Buffer.from(addressOf(publicKey)).equals(address))
    if (key === undefined) throw new Error('a validator without key')
    return key.privateKey
  })
  const trusted = { clusterId, epoch, membershipVersion, validators }
  return { genesis, domain: domainOfGenesis(genesis), trusted, privateKeys }
}

export function syntheticCall(counter: number, changes: Partial<Call> = {}): Call {
  return {
    type: 'call',
    session: { slot: 7, generation: 2 },
    counter,
    expiry: { height: 1000, time: 1_700_000_060_000 },
    gasLimit: 50_000_000,
    argument: seededBytes(`argument ${counter}`, 4 + ((counter * 13) % 60)),
    ...changes,
  }
}

export interface SyntheticBlock {
  readonly header: Header
  readonly blockId: BlockId
  readonly items: readonly Uint8Array[]
  readonly blockData: Uint8Array
  readonly manifest: Manifest
  readonly encodedManifest: Uint8Array
  readonly receipts: readonly Receipt[]
}

export interface BlockChanges {
  readonly height?: number
  readonly calls?: number
  /** Arguments of the calls, to put anything into a block. */
  readonly argument?: Uint8Array
  readonly manifest?: Partial<Manifest>
  readonly header?: Partial<Header>
  /** The items of the block, made from the honest ones. */
  readonly items?: (honest: readonly Uint8Array[]) => readonly Uint8Array[]
}

function syntheticReceipts(ids: readonly Uint8Array[]): Receipt[] {
  return ids.map((transactionId, index) => {
    const rejected = index % 5 === 4
    const trapped = index % 5 === 3
    return {
      transactionId,
      status: rejected ? 2 : trapped ? 1 : 0,
      rejection: rejected ? 3 : 0,
      gasUsed: rejected ? 0 : 1000 + index,
      output: rejected || trapped ? new Uint8Array(0) : seededBytes(`output ${index}`, (index * 37) % 120),
    }
  })
}

function receiptLeaves(receipts: readonly Receipt[]): Uint8Array {
  return new Uint8Array(Buffer.concat(receipts.map((receipt) => receiptLeaf(nobleHasher, receipt))))
}

function syntheticManifest(
  cluster: SyntheticCluster,
  begin: BeginBlock,
  data: Uint8Array,
  receipts: Receipt[],
): Manifest {
  const { genesis } = cluster
  return {
    clusterId: begin.clusterId,
    epoch: begin.epoch,
    membershipVersion: genesis.membershipVersion,
    nextMembershipVersion: genesis.membershipVersion,
    nextMembershipHeight: 0,
    nextMembersHash: new Uint8Array(32),
    index: begin.height - 1,
    height: begin.height,
    time: begin.time,
    previousManifest: begin.previousManifest,
    rangeRoot: seededHash(`range ${begin.height}`),
    blockDataReference: swarmReference(nobleHasher, data),
    blockDataLength: data.length,
    transactionCount: receipts.length,
    receiptsRoot: fixedTreeRoot(nobleHasher, receiptLeaves(receipts), receiptsTreeDepth),
    stateRoot: seededHash(`state ${begin.height}`),
    sessionRoot: seededHash(`sessions ${begin.height}`),
    codeReference: genesis.codeReference,
    loweringVersion: genesis.loweringVersion,
    gasUsed: receipts.reduce((sum, receipt) => sum + receipt.gasUsed, 0),
    nodeVersion: genesis.nodeVersion,
    v8Version: genesis.v8Version,
    observation: { blockNumber: 0, blockHash: new Uint8Array(32), membershipVersion: 0 },
  }
}

export function syntheticBlock(cluster: SyntheticCluster, changes: BlockChanges = {}): SyntheticBlock {
  const { genesis, domain, trusted } = cluster
  const height = changes.height ?? 5
  const time = { seconds: 1_700_000_000 + height, nanoseconds: 123_456_789 }
  const previousManifest = seededHash(`manifest before ${height}`)
  const calls = Array.from({ length: changes.calls ?? 6 }, (_, index) =>
    syntheticCall(index, changes.argument === undefined ? {} : { argument: changes.argument }),
  )
  const owner = seededKey('owner')
  const envelope = signEnvelope(nobleHasher, nobleCurve, domain, envelopeKind.accountCalls, calls, owner)
  const receipts = syntheticReceipts(transactionIds(nobleHasher, domain, envelope))
  const begin = { clusterId: genesis.clusterId, epoch: genesis.epoch, height, time, previousManifest }
  const blockData = encodeBlockData({ begin, envelopes: [encodeEnvelope(envelope)] })
  const manifest = { ...syntheticManifest(cluster, begin, blockData, receipts), ...changes.manifest }
  const encodedManifest = encodeManifest(manifest)
  const honest = [encodeSeal(encodedManifest), blockData]
  const items = changes.items === undefined ? honest : changes.items(honest)
  const hash = (name: string): Uint8Array => seededHash(`${name} ${height}`)
  const header: Header = {
    versionBlock: 11,
    versionApp: 1,
    chainId: chainIdOfGenesis(genesis),
    height,
    time,
    lastBlockId: { hash: hash('last block'), partSetHeader: { total: 1, hash: hash('last parts') } },
    lastCommitHash: hash('last commit'),
    dataHash: dataHash(nobleHasher, items),
    validatorsHash: validatorsHash(nobleHasher, trusted.validators),
    nextValidatorsHash: validatorsHash(nobleHasher, trusted.validators),
    consensusHash: hash('consensus'),
    appHash: hash('application'),
    lastResultsHash: hash('last results'),
    evidenceHash: hash('evidence'),
    proposerAddress: (trusted.validators.validators[0]?.address ?? new Uint8Array(20)).slice(),
    ...changes.header,
  }
  const blockId = { hash: headerHash(nobleHasher, header), partSetHeader: { total: 3, hash: hash('parts') } }
  return { header, blockId, items, blockData, manifest, encodedManifest, receipts }
}

/** Vote `validator` of a cluster signs; `changes` makes it another vote than a precommit of round 0 for the block. */
export function signVote(
  cluster: SyntheticCluster,
  block: SyntheticBlock,
  validator: number,
  changes: Partial<CanonicalVote> = {},
): { vote: CanonicalVote; signature: Uint8Array } {
  const { header, blockId } = block
  const vote: CanonicalVote = {
    type: voteType.precommit,
    height: header.height,
    round: 0,
    blockId,
    timestamp: { seconds: header.time.seconds + 1, nanoseconds: 1000 * validator },
    chainId: header.chainId,
    ...changes,
  }
  const privateKey = cluster.privateKeys[validator]
  if (privateKey === undefined) throw new Error(`no validator ${validator}`)
  return { vote, signature: nobleCurve.sign(nobleHasher.keccak256(voteSignBytes(vote)), privateKey) }
}

/** A commit in which `signers` (places in the validator set) precommitted and the others are absent. */
export function syntheticCommit(
  cluster: SyntheticCluster,
  block: SyntheticBlock,
  signers: readonly number[],
  changes: Partial<CanonicalVote> = {},
): Commit {
  const signatures = cluster.trusted.validators.validators.map(({ address }, validator) => {
    if (!signers.includes(validator))
      return {
        flag: blockIdFlag.absent,
        address: new Uint8Array(0),
        timestamp: { seconds: 0, nanoseconds: 0 },
        signature: new Uint8Array(0),
      }
    const { vote, signature } = signVote(cluster, block, validator, changes)
    return { flag: blockIdFlag.commit, address, timestamp: vote.timestamp, signature }
  })
  return { height: block.header.height, round: changes.round ?? 0, blockId: block.blockId, signatures }
}

/** Siblings of item `index` of a block. */
export function itemProof(items: readonly Uint8Array[], index: number): Uint8Array[] {
  const leaves = items.map((item) => merkleLeaf(nobleHasher, nobleHasher.sha256(item)))
  return merkleProof(nobleHasher, leaves, index)
}

export function syntheticCertificate(
  cluster: SyntheticCluster,
  block: SyntheticBlock,
  signers: readonly number[] = cluster.privateKeys.map((_, index) => index),
  changes: Partial<CanonicalVote> = {},
): UnverifiedCertificate {
  const commit = syntheticCommit(cluster, block, signers, changes)
  return certificateOf(block.header, commit, block.encodedManifest, block.items.length, itemProof(block.items, 0))
}

export function syntheticReceiptProof(block: SyntheticBlock, index: number): ReceiptProof {
  const receipt = block.receipts[index]
  if (receipt === undefined) throw new Error(`no receipt ${index}`)
  const siblings = fixedTreeProof(nobleHasher, receiptLeaves(block.receipts), receiptsTreeDepth, index)
  return { height: block.header.height, index, receipt, siblings }
}
