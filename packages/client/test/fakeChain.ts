/**
 * A chain without consensus: genuine genesis, keys, headers, precommits, seals, manifests and receipts of the protocol,
 * made block by block under explicit time, around a backend of a few lines. What it signs a client must accept.
 */
import { encodeBlockData } from '@onus/protocol/blockData'
import { equalBytes, fromHex, toHex } from '@onus/protocol/bytes'
import { certificateOf, encodeCertificate, type UnverifiedCertificate } from '@onus/protocol/certificate'
import { blockIdFlag, type Commit, voteSignBytes, voteType } from '@onus/protocol/commit'
import { fixedTreeProof, fixedTreeRoot } from '@onus/protocol/fixedTree'
import { chainIdOfGenesis, domainOfGenesis, encodeGenesis, type Genesis, localClusterId } from '@onus/protocol/genesis'
import { nobleHasher } from '@onus/protocol/hash'
import { dataHash, type Header, headerHash } from '@onus/protocol/header'
import { decodeCall, encodeOutput } from '@onus/protocol/interface/call'
import { encodeManifest, encodeSeal, type Manifest, manifestHash } from '@onus/protocol/manifest'
import { appendToRange, emptyRange, rangeRoot } from '@onus/protocol/merkleRange'
import { merkleLeaf, merkleProof } from '@onus/protocol/merkleTree'
import type { Opening } from '@onus/protocol/opening'
import {
  encodeReceiptProof,
  type Receipt,
  type RejectionCode,
  receiptLeaf,
  receiptStatus,
  receiptsTreeDepth,
  rejectionCode,
} from '@onus/protocol/receipt'
import { isPast, type Session } from '@onus/protocol/session'
import { addressOf, nobleCurve, publicKeyOf } from '@onus/protocol/signature'
import type { Timestamp } from '@onus/protocol/timestamp'
import {
  type Call,
  decodeEnvelope,
  type Envelope,
  envelopeDigest,
  envelopeKind,
  transactionIds,
} from '@onus/protocol/transaction'
import { validatorSetOf, validatorsHash } from '@onus/protocol/validatorSet'
import { notes } from './notes.js'

const hasher = nobleHasher
const curve = nobleCurve
const zero = new Uint8Array(32)

/** Private key number `index` of a family; reproducible. */
export function testKey(index: number, family = 1): Uint8Array {
  return hasher.sha256(Uint8Array.of(family, index))
}

export interface ChainOptions {
  readonly members: number
  readonly limits?: Partial<Genesis['limits']>
  /** Milliseconds since 1970 of the genesis. */
  readonly time?: number
}

function timestampOf(milliseconds: number): Timestamp {
  return { seconds: Math.floor(milliseconds / 1000), nanoseconds: (milliseconds % 1000) * 1_000_000 }
}

function genesisOf(options: ChainOptions): { genesis: Genesis; keys: Uint8Array[] } {
  const unordered = Array.from({ length: options.members }, (_, index) => testKey(index))
  const validators = validatorSetOf(unordered.map((key) => ({ publicKey: publicKeyOf(key), power: 10 })))
  const keys = validators.validators.map(
    ({ publicKey }) => unordered.find((key) => equalBytes(publicKeyOf(key), publicKey)) as Uint8Array,
  )
  const rest = {
    epoch: 1,
    ethereumChainId: 31337,
    initialHeight: 1,
    time: timestampOf(options.time ?? 1_700_000_000_000),
    previousManifest: zero,
    codeReference: hasher.sha256(Uint8Array.of(1)),
    loweringVersion: 1,
    maximumMemoryPages: 16,
    startGas: 1_000_000,
    stateRoot: zero,
    nodeVersion: 'v20.20.2',
    v8Version: '11.3.244.8-node.33',
    limits: {
      blockGas: 1e9,
      blockBytes: 1e6,
      blockTransactions: 4096,
      blockOutputBytes: 1e6,
      blockDirtyPages: 4096,
      blockOpenings: 64,
      callGas: 1e6,
      envelopeBytes: 100_000,
      expiryBlocks: 100,
      expiryMilliseconds: 60_000,
      sessionCapacity: 64,
      sessionBlocks: 10_000,
      sessionMilliseconds: 3_600_000,
      ...options.limits,
    },
    admissionKey: new Uint8Array(20),
    membershipVersion: 1,
    validators,
  }
  return { genesis: { clusterId: localClusterId(hasher, rest), ...rest }, keys }
}

/** How a certificate is made; the defaults are honest. */
export interface Signing {
  /** Places in the validator set; default all. */
  readonly signers?: readonly number[]
  /** Private keys by place; default those of the members. */
  readonly keys?: readonly Uint8Array[]
  readonly round?: number
}

export interface FakeBlock {
  readonly height: number
  readonly milliseconds: number
  readonly header: Header
  readonly manifest: Uint8Array
  /** The block's items: seal and block data. */
  readonly items: readonly Uint8Array[]
  readonly certificate: Uint8Array
  /** Encoded receipt proofs in order. */
  readonly receipts: readonly Uint8Array[]
  readonly ids: readonly string[]
  readonly statuses: readonly number[]
}

/** Commit by `signing.signers` and the certificate over it. */
export function certify(
  header: Header,
  items: readonly Uint8Array[],
  manifest: Uint8Array,
  keys: readonly Uint8Array[],
  signing: Signing = {},
): UnverifiedCertificate {
  const blockId = { hash: headerHash(hasher, header), partSetHeader: { total: 1, hash: hasher.sha256(manifest) } }
  const round = signing.round ?? 0
  const signatures = keys.map((member, index) => {
    const key = signing.keys?.[index] ?? member
    const isSigner = signing.signers === undefined || signing.signers.includes(index)
    const timestamp = { ...header.time, nanoseconds: header.time.nanoseconds + index }
    if (!isSigner)
      return { flag: blockIdFlag.absent, address: new Uint8Array(0), timestamp, signature: new Uint8Array(0) }
    const vote = { type: voteType.precommit, height: header.height, round, blockId, timestamp, chainId: header.chainId }
    const digest = hasher.keccak256(voteSignBytes(vote))
    return {
      flag: blockIdFlag.commit,
      address: addressOf(publicKeyOf(member)),
      timestamp,
      signature: curve.sign(digest, key),
    }
  })
  const commit: Commit = { height: header.height, round, blockId, signatures }
  const leaves = items.map((item) => merkleLeaf(hasher, hasher.sha256(item)))
  return certificateOf(header, commit, manifest, items.length, merkleProof(hasher, leaves, 0))
}

export class FakeChain {
  readonly genesis: Genesis
  readonly genesisBytes: Uint8Array
  readonly keys: readonly Uint8Array[]
  readonly sessions = new Map<number, Session>()
  readonly blocks: FakeBlock[] = []
  readonly notes: { id: number; text: string }[] = []
  /** Notes at the end of each height. */
  readonly #counts = new Map<number, number>([[0, 0]])
  /** Number of executions of each transaction id: more than one would break everything. */
  readonly executions = new Map<string, number>()
  height = 0
  /** Time of the next block. */
  milliseconds: number
  #range = emptyRange
  #previous: Uint8Array = zero

  constructor(options: ChainOptions) {
    const { genesis, keys } = genesisOf(options)
    this.genesis = genesis
    this.genesisBytes = encodeGenesis(genesis)
    this.keys = keys
    this.milliseconds = (options.time ?? 1_700_000_000_000) + 1000
  }

  /** Address that signed, or null. */
  signerOf(envelope: Envelope): Uint8Array | null {
    const domain = domainOfGenesis(this.genesis)
    const ids = transactionIds(hasher, domain, envelope)
    const key = curve.recover(envelopeDigest(hasher, domain, envelope, ids), envelope.signature)
    return key === null ? null : addressOf(key)
  }

  idsOf(envelope: Envelope): string[] {
    return transactionIds(hasher, domainOfGenesis(this.genesis), envelope).map(toHex)
  }

  /** Executes the envelopes in one block and signs it. */
  produce(envelopes: readonly Uint8Array[], signing: Signing = {}): FakeBlock {
    this.height += 1
    const moment = { height: this.height, milliseconds: this.milliseconds }
    const receipts: Receipt[] = []
    for (const bytes of envelopes) {
      const envelope = decodeEnvelope(bytes)
      const signer = this.signerOf(envelope) as Uint8Array
      const ids = this.idsOf(envelope)
      for (const [index, transaction] of envelope.transactions.entries()) {
        const id = ids[index] as string
        receipts.push(
          transaction.type === 'call'
            ? this.#call(transaction, id, envelope.kind, signer, moment)
            : this.#open(transaction, id, envelope.kind, moment),
        )
      }
    }
    this.#counts.set(this.height, this.notes.length)
    const block = this.#seal(envelopes, receipts, signing)
    this.blocks.push(block)
    this.milliseconds += 20
    return block
  }

  #receipt(id: string, status: Receipt['status'], rejection: RejectionCode, output = new Uint8Array(0)): Receipt {
    if (status !== receiptStatus.rejected) this.executions.set(id, (this.executions.get(id) ?? 0) + 1)
    return {
      transactionId: fromHex(id),
      status,
      rejection,
      gasUsed: status === receiptStatus.rejected ? 0 : 123,
      output,
    }
  }

  #call(
    call: Call,
    id: string,
    kind: number,
    signer: Uint8Array,
    moment: { height: number; milliseconds: number },
  ): Receipt {
    const session = this.sessions.get(call.session.slot)
    const rejected = (code: RejectionCode): Receipt => this.#receipt(id, receiptStatus.rejected, code)
    if (session === undefined || session.generation !== call.session.generation || isPast(session.closes, moment))
      return rejected(rejectionCode.sessionUnknown)
    if (session.callKind !== kind || !equalBytes(session.key, signer)) return rejected(rejectionCode.sessionKey)
    if (call.counter < session.nextCounter) return rejected(rejectionCode.counterUsed)
    if (isPast(call.expiry, moment)) return rejected(rejectionCode.expired)
    const { expiryBlocks, expiryMilliseconds } = this.genesis.limits
    if (
      call.expiry.height > moment.height + expiryBlocks ||
      call.expiry.time > moment.milliseconds + expiryMilliseconds
    )
      return rejected(rejectionCode.expiryTooFar)
    if (call.counter > session.nextCounter) return rejected(rejectionCode.counterGap)
    this.sessions.set(call.session.slot, { ...session, nextCounter: session.nextCounter + 1 })
    const { entry, args } = decodeCall(notes, call.argument)
    if (entry.name === 'fail') return this.#receipt(id, receiptStatus.trapped, rejectionCode.none)
    const [text, note] = [String(args[0]), this.notes.length]
    this.notes.push({ id: note, text })
    // A text of several parts is told in as many events.
    const events = text.split('+').map((part) => ({ name: 'added', value: { id: note, text: part } }) as const)
    const output = encodeOutput(notes, 'add', note, events)
    return this.#receipt(id, receiptStatus.executed, rejectionCode.none, new Uint8Array(output))
  }

  #open(opening: Opening, id: string, kind: number, moment: { height: number; milliseconds: number }): Receipt {
    const held = this.sessions.get(opening.session.slot)
    if (isPast(opening.expiry, moment)) return this.#receipt(id, receiptStatus.rejected, rejectionCode.expired)
    const generation = held === undefined ? 0 : held.generation + 1
    if ((held !== undefined && !isPast(held.closes, moment)) || opening.session.generation !== generation)
      return this.#receipt(id, receiptStatus.rejected, rejectionCode.slotTaken)
    const callKind = kind === envelopeKind.typedOpening ? envelopeKind.sessionKeyCalls : envelopeKind.accountCalls
    const { owner, key, closes } = opening
    this.sessions.set(opening.session.slot, { owner, key, callKind, generation, nextCounter: 0, closes })
    return this.#receipt(id, receiptStatus.executed, rejectionCode.none)
  }

  #manifest(blockData: Uint8Array, receiptsRoot: Uint8Array, count: number): Manifest {
    const { genesis } = this
    return {
      clusterId: genesis.clusterId,
      epoch: genesis.epoch,
      membershipVersion: genesis.membershipVersion,
      nextMembershipVersion: genesis.membershipVersion,
      nextMembershipHeight: 0,
      nextMembersHash: zero,
      index: this.#range.size,
      height: this.height,
      time: timestampOf(this.milliseconds),
      previousManifest: this.#previous,
      rangeRoot: rangeRoot(hasher, this.#range),
      blockDataReference: hasher.keccak256(blockData),
      blockDataLength: blockData.length,
      transactionCount: count,
      receiptsRoot,
      stateRoot: hasher.sha256(Uint8Array.of(this.notes.length & 255)),
      sessionRoot: zero,
      codeReference: genesis.codeReference,
      loweringVersion: genesis.loweringVersion,
      gasUsed: 123 * count,
      nodeVersion: genesis.nodeVersion,
      v8Version: genesis.v8Version,
      observation: { blockNumber: 0, blockHash: zero, membershipVersion: 0 },
    }
  }

  #header(items: readonly Uint8Array[]): Header {
    const validators = validatorsHash(hasher, this.genesis.validators)
    return {
      versionBlock: 11,
      versionApp: 1,
      chainId: chainIdOfGenesis(this.genesis),
      height: this.height,
      time: timestampOf(this.milliseconds),
      lastBlockId:
        this.height === 1 ? null : { hash: this.#previous, partSetHeader: { total: 1, hash: this.#previous } },
      lastCommitHash: hasher.sha256(zero),
      dataHash: dataHash(hasher, items),
      validatorsHash: validators,
      nextValidatorsHash: validators,
      consensusHash: hasher.sha256(Uint8Array.of(2)),
      appHash: this.#previous,
      lastResultsHash: hasher.sha256(Uint8Array.of(3)),
      evidenceHash: hasher.sha256(new Uint8Array(0)),
      proposerAddress: (this.genesis.validators.validators[0] as { address: Uint8Array }).address,
    }
  }

  #seal(envelopes: readonly Uint8Array[], receipts: readonly Receipt[], signing: Signing): FakeBlock {
    const { clusterId, epoch } = this.genesis
    const time = timestampOf(this.milliseconds)
    const begin = { clusterId, epoch, height: this.height, time, previousManifest: this.#previous }
    const blockData = encodeBlockData({ begin, envelopes })
    const leaves = new Uint8Array(receipts.length * 32)
    receipts.forEach((receipt, index) => {
      leaves.set(receiptLeaf(hasher, receipt), index * 32)
    })
    const manifest = encodeManifest(
      this.#manifest(blockData, fixedTreeRoot(hasher, leaves, receiptsTreeDepth), receipts.length),
    )
    const items = [encodeSeal(manifest), blockData]
    const header = this.#header(items)
    const hash = manifestHash(hasher, manifest)
    this.#range = appendToRange(hasher, this.#range, hash)
    this.#previous = hash
    const proofs = receipts.map((receipt, index) =>
      encodeReceiptProof({
        height: this.height,
        index,
        receipt,
        siblings: fixedTreeProof(hasher, leaves, receiptsTreeDepth, index),
      }),
    )
    return {
      height: this.height,
      milliseconds: this.milliseconds,
      header,
      manifest,
      items,
      certificate: encodeCertificate(certify(header, items, manifest, this.keys, signing)),
      receipts: proofs,
      ids: receipts.map(({ transactionId }) => toHex(transactionId)),
      statuses: receipts.map(({ status }) => status),
    }
  }

  /** Certificate and receipt of an id: of its execution if there is one. */
  find(id: string): { block: FakeBlock; receipt: Uint8Array } | null {
    let found: { block: FakeBlock; receipt: Uint8Array } | null = null
    for (const block of this.blocks)
      for (const [index, other] of block.ids.entries()) {
        if (other !== id) continue
        const isExecuted = block.statuses[index] !== receiptStatus.rejected
        if (found === null || isExecuted) found = { block, receipt: block.receipts[index] as Uint8Array }
      }
    return found
  }

  /** Notes after `height`. */
  notesAt(height: number): { id: number; text: string }[] {
    return this.notes.slice(0, this.#counts.get(height) ?? 0)
  }
}
