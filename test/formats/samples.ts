/**
 * One value of each format that leaves a process, the same in every run: keys and hashes come from labels, signatures
 * are deterministic. `write.ts` keeps their bytes; `formats.test.ts` makes them again and compares.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHashing } from '@onus/node/hashing'
import { decidePowers, initialPowers, type PowerState } from '@onus/node/powers/powerPolicy'
import { nativeCurve, nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import { Signer } from '@onus/node/signer/signer'
import { ExecutedBlocks } from '@onus/node/signer/signingPolicy'
import { encodeReceiptList } from '@onus/node/store/receiptList'
import type { BlockWrite, Store } from '@onus/node/store/store'
import { encodeBlockData } from '@onus/protocol/blockData'
import { certificateOf, type UnverifiedCertificate } from '@onus/protocol/certificate'
import { blockIdFlag, type Commit, voteSignBytes, voteType } from '@onus/protocol/commit'
import { fixedTreeProof } from '@onus/protocol/fixedTree'
import { chainIdOfGenesis, domainOfGenesis, type Genesis, localClusterId } from '@onus/protocol/genesis'
import { dataHash, type Header, headerHash } from '@onus/protocol/header'
import { encodeManifest, encodeSeal, type Manifest } from '@onus/protocol/manifest'
import { loweredPowerOf } from '@onus/protocol/memberPowers'
import { merkleLeaf, merkleProof } from '@onus/protocol/merkleTree'
import { type Receipt, type ReceiptProof, receiptStatus, receiptsTreeDepth } from '@onus/protocol/receipt'
import { addressOf } from '@onus/protocol/signature'
import { type Envelope, encodeEnvelope, envelopeKind, signEnvelope, transactionIds } from '@onus/protocol/transaction'
import { validatorSetOf, validatorsHash } from '@onus/protocol/validatorSet'
import { receiptLeaves } from '@onus/state-transition/receiptsTree'

export const hashing = createHashing()

/** 32 bytes that depend on `label` only. */
export function labelled(label: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`onus/formats/${label}`).digest())
}

const memberKeys = [0, 1, 2, 3].map((index) => labelled(`member ${index}`))
const clientKey = labelled('client')
const height = 7
const time = { seconds: 1_800_000_000, nanoseconds: 123_456_789 }

function sampleGenesis(): Genesis {
  const content: Omit<Genesis, 'clusterId'> = {
    epoch: 1,
    ethereumChainId: 31_337,
    initialHeight: 1,
    time: { seconds: 1_799_999_000, nanoseconds: 5_000_000 },
    previousManifest: new Uint8Array(32),
    codeReference: labelled('code'),
    loweringVersion: 1,
    maximumMemoryPages: 4096,
    startGas: 1_000_000_000,
    stateRoot: labelled('genesis state'),
    nodeVersion: 'v20.20.2',
    v8Version: '11.3.244.8-node.38',
    limits: {
      blockGas: 400_000_000,
      blockBytes: 4_194_304,
      blockTransactions: 10_000,
      blockOutputBytes: 4_194_304,
      blockDirtyPages: 8192,
      blockOpenings: 64,
      callGas: 200_000_000,
      envelopeBytes: 524_288,
      expiryBlocks: 10_000,
      expiryMilliseconds: 600_000,
      sessionCapacity: 65_536,
      sessionBlocks: 10_000_000,
      sessionMilliseconds: 2_592_000_000,
    },
    admissionKey: new Uint8Array(20),
    membershipVersion: 0,
    validators: validatorSetOf(memberKeys.map((key) => ({ publicKey: nativePublicKeyOf(key), power: 1000 }))),
  }
  return { ...content, clusterId: localClusterId(hashing, content) }
}

export const genesis: Genesis = sampleGenesis()
const session = { slot: 3, generation: 1 }
const expiry = { height: 900, time: 1_800_000_060_000 }
const client = addressOf(nativePublicKeyOf(clientKey)).slice()

/** An opening and two calls under one signature each kind has. */
function sampleEnvelopes(): Envelope[] {
  const sign = (kind: (typeof envelopeKind)[keyof typeof envelopeKind], transactions: Envelope['transactions']) =>
    signEnvelope(hashing, nativeCurve, domainOfGenesis(genesis), kind, transactions, clientKey)
  const closes = { height: 100_000, time: 1_800_003_600_000 }
  const opening = { type: 'opening', owner: client, key: client, session, closes, expiry, admission: new Uint8Array(0) }
  const calls = [0, 1].map((counter) => ({
    type: 'call' as const,
    session,
    counter,
    expiry,
    gasLimit: 1_000_000,
    argument: labelled(`argument ${counter}`).subarray(0, 20),
  }))
  return [sign(envelopeKind.accountOpening, [{ ...opening, type: 'opening' }]), sign(envelopeKind.accountCalls, calls)]
}

export const envelopes: readonly Envelope[] = sampleEnvelopes()
const ids = envelopes.flatMap((envelope) => transactionIds(hashing, domainOfGenesis(genesis), envelope))

const receipts: readonly Receipt[] = ids.map((transactionId, index) => ({
  transactionId,
  status: index === 2 ? receiptStatus.trapped : receiptStatus.executed,
  rejection: 0,
  gasUsed: 1000 + index,
  output: index === 1 ? labelled('output') : new Uint8Array(0),
}))

export const blockData: Uint8Array = encodeBlockData({
  begin: { clusterId: genesis.clusterId, epoch: 1, height, time, previousManifest: labelled('manifest before') },
  envelopes: envelopes.map(encodeEnvelope),
})

export const manifest: Manifest = {
  clusterId: genesis.clusterId,
  epoch: 1,
  membershipVersion: 0,
  nextMembershipVersion: 0,
  nextMembershipHeight: 0,
  nextMembersHash: new Uint8Array(32),
  index: 4,
  height,
  time,
  previousManifest: labelled('manifest before'),
  rangeRoot: labelled('range'),
  blockDataReference: hashing.swarmReference(blockData),
  blockDataLength: blockData.length,
  transactionCount: receipts.length,
  receiptsRoot: labelled('receipts'),
  stateRoot: labelled('state'),
  sessionRoot: labelled('sessions'),
  codeReference: genesis.codeReference,
  loweringVersion: 1,
  gasUsed: 3003,
  nodeVersion: genesis.nodeVersion,
  v8Version: genesis.v8Version,
  observation: { blockNumber: 0, blockHash: new Uint8Array(32), membershipVersion: 0 },
}

const items = [encodeSeal(encodeManifest(manifest)), blockData]
const sealProof = merkleProof(
  hashing,
  items.map((item) => merkleLeaf(hashing, hashing.sha256(item))),
  0,
)

function sampleHeader(): Header {
  const { validators } = genesis
  return {
    versionBlock: 11,
    versionApp: 0,
    chainId: chainIdOfGenesis(genesis),
    height,
    time,
    lastBlockId: { hash: labelled('last block'), partSetHeader: { total: 1, hash: labelled('last parts') } },
    lastCommitHash: labelled('last commit'),
    dataHash: dataHash(hashing, items),
    validatorsHash: validatorsHash(hashing, validators),
    nextValidatorsHash: validatorsHash(hashing, validators),
    consensusHash: labelled('consensus'),
    appHash: labelled('application'),
    lastResultsHash: labelled('last results'),
    evidenceHash: labelled('evidence'),
    proposerAddress: validators.validators[0]?.address ?? new Uint8Array(20),
  }
}

const header = sampleHeader()
const blockId = { hash: headerHash(hashing, header), partSetHeader: { total: 1, hash: labelled('parts') } }

/** Signed by three of four. */
function sampleCertificate(): UnverifiedCertificate {
  const { chainId } = header
  const signatures = genesis.validators.validators.map(
    ({ address, publicKey }, place): Commit['signatures'][number] => {
      const timestamp = { seconds: time.seconds + 1, nanoseconds: place }
      const key = memberKeys.find((other) => Buffer.from(nativePublicKeyOf(other)).equals(publicKey)) as Uint8Array
      const vote = { type: voteType.precommit, height, round: 1, blockId, timestamp, chainId }
      const signature = nativeCurve.sign(hashing.keccak256(voteSignBytes(vote)), key)
      return place === 2
        ? { flag: blockIdFlag.absent, address: new Uint8Array(0), timestamp, signature: new Uint8Array(0) }
        : { flag: blockIdFlag.commit, address, timestamp, signature }
    },
  )
  return certificateOf(header, { height, round: 1, blockId, signatures }, encodeManifest(manifest), 2, sealProof)
}

export const certificate: UnverifiedCertificate = sampleCertificate()

export function sampleReceiptProof(): ReceiptProof {
  const receipt = receipts[1] as Receipt
  const leaves = receiptLeaves(hashing, receipts)
  return { height, index: 1, receipt, siblings: fixedTreeProof(hashing, leaves, receiptsTreeDepth, 1) }
}

/** Behind some blocks of which one member missed its turns, so that it is lowered. */
export function samplePowers(): PowerState {
  const { validators } = genesis
  let state = initialPowers(validators, 1) as PowerState
  const addressAt = (place: number): Uint8Array => validators.validators[place]?.address as Uint8Array
  const votes = validators.validators.map(({ address, power }) => ({ address, power, flag: blockIdFlag.commit }))
  let round = 0
  while (state.lowered === null) {
    const lastCommit = state.height === 0 ? { round: 0, votes: [] } : { round, votes }
    const maker = state.rotations[1].proposer
    round = maker === 1 ? 1 : 0
    const proposerAddress = addressAt(maker === 1 ? 2 : maker)
    state = decidePowers(validators, state, { height: state.height + 1, proposerAddress, lastCommit }).state
  }
  if (loweredPowerOf(validators) !== 1) throw new Error('of four one is lowered to 1')
  return state
}

export const signStateKey: Uint8Array = labelled('member 0')
export const signStateChain: string = chainIdOfGenesis(genesis)

/** The file of a key that signed a prevote and a precommit. */
export async function sampleSignState(): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'onus-formats-'))
  const statePath = join(folder, 'sign-state')
  const policy = new ExecutedBlocks()
  policy.allow(height, blockId.hash)
  const options = { chainId: signStateChain, privateKey: signStateKey, policy, statePath, create: true, firstHeight: 1 }
  const signer = await Signer.open(options)
  try {
    for (const type of [voteType.prevote, voteType.precommit])
      await signer.sign({ kind: 'vote', type, height, round: 1, blockId, timestamp: time })
    await signer.close()
    return new Uint8Array(await readFile(statePath))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Two heights, the second without content, with pages, sessions, places, a certificate and evidence of dissent. */
export async function fillStore(store: Store, encodedCertificate: Uint8Array, powers: Uint8Array): Promise<void> {
  const chain = {
    height,
    manifestHash: labelled('manifest'),
    range: { size: 5, peaks: [labelled('a'), labelled('b')] },
  }
  const position: BlockWrite['position'] = {
    height,
    milliseconds: 1_800_000_000_123,
    appHash: labelled('application'),
    chain,
    memoryPages: 3,
    globals: labelled('globals').subarray(0, 24),
    stateRoot: manifest.stateRoot,
    powers,
  }
  const pages = [1, 9].map((index) => [index, Buffer.alloc(4096, labelled(`page ${index}`))] as const)
  const open = { owner: client, key: client, callKind: 1, generation: 1, nextCounter: 2, closes: expiry }
  await store.writeBlock({
    position,
    change: {
      machine: { memoryPages: 3, globals: position.globals, pages },
      sessions: [[3, open]],
      position: chain,
    },
    block: {
      manifest: encodeManifest(manifest),
      blockData,
      ...encodeReceiptList(receipts),
      leaves: receiptLeaves(hashing, receipts),
      itemCount: 2,
      sealProof,
    },
    ended: ids.map((id, index) => [id, index] as const),
  })
  await store.writeCertificate(height, encodedCertificate)
  await store.writeEmptyBlock({ ...position, height: height + 1, milliseconds: position.milliseconds + 400 })
  await store.writeDissent({
    height: height + 2,
    blockHash: labelled('wrong block'),
    items: [labelled('wrong seal')],
    certificate: null,
    ownManifest: encodeManifest(manifest),
    reason: 'result-differs',
  })
  await store.flush()
}

export const storedIds: readonly Uint8Array[] = ids
export const storedHeight: number = height
