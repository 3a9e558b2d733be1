/**
 * The certificate: what convinces a client that a cluster agreed on a block and its result (`spec/certificate.md`).
 * Header, precommits and the seal's inclusion proof. The only way to hold a `Certificate` is to have verified it;
 * verification is pure, has no switch, and takes the trusted members as an argument.
 */
import { BinaryReader, BinaryWriter } from './binary.js'
import { equalBytes, toHex, wordLength } from './bytes.js'
import { chainIdOf } from './chainId.js'
import { blockIdFlag, type Commit, voteSignBytes, voteType } from './commit.js'
import { OnusError } from './errors.js'
import { verifyFixedTreeProof } from './fixedTree.js'
import type { Hasher } from './hash.js'
import { type BlockId, type Header, headerHash } from './header.js'
import { decodeManifest, encodeSeal, type Manifest, manifestHash, manifestLength } from './manifest.js'
import { type MemberPowers, memberPowersOf } from './memberPowers.js'
import { merkleLeaf, verifyMerkleProof } from './merkleTree.js'
import { type Receipt, type ReceiptProof, receiptLeaf, receiptsTreeDepth } from './receipt.js'
import { addressLength, type Curve, signatureLength } from './signature.js'
import { nanosecondsOfTimestamp, type Timestamp, timestampOfNanoseconds } from './timestamp.js'
import { maximumMembers, type ValidatorSet } from './validatorSet.js'

/** A certificate as it came, not yet believed. */
export interface UnverifiedCertificate {
  readonly header: Header
  readonly round: number
  readonly partSetHeader: BlockId['partSetHeader']
  /** In ascending order of `validator`, the place among the trusted members. */
  readonly signatures: readonly { validator: number; timestamp: Timestamp; signature: Uint8Array }[]
  /** 1,024 bytes, as in the seal. */
  readonly manifest: Uint8Array
  /** Items of the block, and the siblings of item 0. */
  readonly itemCount: number
  readonly sealProof: readonly Uint8Array[]
}

/** What the caller already believes: the cluster, and who its members are under a membership version. */
export interface TrustedMembers {
  readonly clusterId: Uint8Array
  readonly epoch: number
  readonly membershipVersion: number
  readonly validators: ValidatorSet
}

/**
 * The certificate of a decided block; absent and nil precommits are left out. `commit` stands in the order of the
 * members (`commitOfMembers`).
 */
export function certificateOf(
  header: Header,
  commit: Commit,
  manifest: Uint8Array,
  itemCount: number,
  sealProof: readonly Uint8Array[],
): UnverifiedCertificate {
  const signatures = commit.signatures.flatMap(({ flag, timestamp, signature }, validator) =>
    flag === blockIdFlag.commit ? [{ validator, timestamp, signature }] : [],
  )
  const { partSetHeader } = commit.blockId
  return { header, round: commit.round, partSetHeader, signatures, manifest, itemCount, sealProof }
}

const tag = 'onus/certificate'
const formatVersion = 1
const headerHashes = [
  'lastCommitHash',
  'dataHash',
  'validatorsHash',
  'nextValidatorsHash',
  'consensusHash',
  'appHash',
  'lastResultsHash',
  'evidenceHash',
] as const satisfies readonly (keyof Header)[]

function writeHeader(writer: BinaryWriter, header: Header): void {
  writer.u64(header.versionBlock).u64(header.versionApp).shortText(header.chainId).u64(header.height)
  writer.u64(nanosecondsOfTimestamp(header.time))
  writer.u8(header.lastBlockId === null ? 0 : 1)
  if (header.lastBlockId !== null) {
    const { hash, partSetHeader } = header.lastBlockId
    writer.bytes(hash).u32(partSetHeader.total).bytes(partSetHeader.hash)
  }
  for (const name of headerHashes) writer.shortBytes(header[name])
  writer.bytes(header.proposerAddress)
}

function readBlockId(reader: BinaryReader): BlockId | null {
  const flag = reader.u8('last block flag')
  if (flag > 1) throw new OnusError('certificate-form', 'the last block flag is 0 or 1')
  if (flag === 0) return null
  const hash = reader.take(wordLength, 'last block hash')
  return { hash, partSetHeader: { total: reader.u32('parts'), hash: reader.take(wordLength, 'parts hash') } }
}

function readHeader(reader: BinaryReader): Header {
  const versionBlock = reader.u64('block version')
  const versionApp = reader.u64('application version')
  const chainId = reader.shortText('chain id')
  const height = reader.u64('height')
  const time = timestampOfNanoseconds(reader.bigU64('time'))
  const lastBlockId = readBlockId(reader)
  const hashes = Object.fromEntries(
    headerHashes.map((name) => {
      const hash = reader.shortBytes(name)
      if (hash.length !== 0 && hash.length !== wordLength)
        throw new OnusError('certificate-form', `${name} has 0 or 32 bytes`)
      return [name, hash]
    }),
  ) as Record<(typeof headerHashes)[number], Uint8Array>
  const proposerAddress = reader.take(addressLength, 'proposer')
  return { versionBlock, versionApp, chainId, height, time, lastBlockId, ...hashes, proposerAddress }
}

/** The certificate file: tag (16 bytes), u8 version, header, round, parts, signatures, manifest, seal proof. */
export function encodeCertificate(certificate: UnverifiedCertificate): Uint8Array {
  const writer = new BinaryWriter(2048).tag(tag).u8(formatVersion)
  writeHeader(writer, certificate.header)
  writer.u32(certificate.round).u32(certificate.partSetHeader.total).bytes(certificate.partSetHeader.hash)
  writer.u8(certificate.signatures.length)
  for (const { validator, timestamp, signature } of certificate.signatures)
    writer.u8(validator).u64(nanosecondsOfTimestamp(timestamp)).bytes(signature)
  writer.bytes(certificate.manifest).u32(certificate.itemCount).u8(certificate.sealProof.length)
  for (const sibling of certificate.sealProof) writer.bytes(sibling)
  return writer.finish()
}

/** Strict decoding; nothing is believed yet. Rejects `certificate-form`, `bad-tag` and the codes of `BinaryReader`. */
export function decodeCertificate(bytes: Uint8Array): UnverifiedCertificate {
  const reader = new BinaryReader(bytes, 'certificate')
  reader.tag(tag)
  const version = reader.u8('version')
  if (version !== formatVersion) throw new OnusError('certificate-form', `expected version 1, got ${version}`)
  const header = readHeader(reader)
  const round = reader.u32('round')
  const partSetHeader = { total: reader.u32('parts'), hash: reader.take(wordLength, 'parts hash') }
  const count = reader.u8('signature count')
  if (count > maximumMembers)
    throw new OnusError('certificate-form', `at most ${maximumMembers} signatures, got ${count}`)
  const signatures: { validator: number; timestamp: Timestamp; signature: Uint8Array }[] = []
  for (let i = 0; i < count; i++) {
    const validator = reader.u8('validator')
    if (i > 0 && validator <= (signatures[i - 1]?.validator ?? -1))
      throw new OnusError('certificate-form', 'signatures must stand in ascending order, one for each validator')
    const timestamp = timestampOfNanoseconds(reader.bigU64('timestamp'))
    signatures.push({ validator, timestamp, signature: reader.take(signatureLength, 'signature') })
  }
  const manifest = reader.take(manifestLength, 'manifest')
  const itemCount = reader.u32('item count')
  const depth = reader.u8('proof length')
  const sealProof: Uint8Array[] = []
  for (let i = 0; i < depth; i++) sealProof.push(reader.take(wordLength, 'sibling'))
  reader.finish()
  return { header, round, partSetHeader, signatures, manifest, itemCount, sealProof }
}

function reject(code: string, message: string): never {
  throw new OnusError(code, message)
}

/** The validators whose precommits count: more than 2/3 of the power and of the members (S11). */
function checkSignatures(
  hasher: Hasher,
  curve: Curve,
  certificate: UnverifiedCertificate,
  trusted: TrustedMembers,
  { powers, total }: MemberPowers,
): Uint8Array[] {
  const { validators } = trusted.validators
  const blockId = { hash: headerHash(hasher, certificate.header), partSetHeader: certificate.partSetHeader }
  let power = 0
  let previous = -1
  const signers = certificate.signatures.map(({ validator, timestamp, signature }) => {
    // Decoding refuses it too, but a certificate need not come from there, and a signer must never count twice.
    if (validator <= previous) reject('certificate-form', 'signatures must stand in ascending order of validators')
    previous = validator
    const member = validators[validator]
    if (member === undefined) reject('unknown-signer', `there is no validator ${validator} of ${validators.length}`)
    const bytes = voteSignBytes({
      type: voteType.precommit,
      height: certificate.header.height,
      round: certificate.round,
      blockId,
      timestamp,
      chainId: certificate.header.chainId,
    })
    if (!curve.verify(hasher.keccak256(bytes), signature, member.publicKey))
      reject(
        'bad-signature',
        `the signature of validator ${validator} (0x${toHex(member.address)}) is not over this block`,
      )
    power += powers[validator] ?? 0
    return member.address
  })
  if (power * 3 <= total * 2)
    reject('too-few-signatures', `signers hold ${power} of ${total}; more than two thirds are needed`)
  if (signers.length * 3 <= validators.length * 2)
    reject(
      'too-few-signatures',
      `${signers.length} of ${validators.length} members signed; more than two thirds are needed`,
    )
  return signers
}

/** Gives the powers that the members had at this height. */
function checkHeader(hasher: Hasher, header: Header, trusted: TrustedMembers): MemberPowers {
  const chainId = chainIdOf(trusted.clusterId, trusted.epoch)
  if (header.chainId !== chainId)
    reject('wrong-cluster', `expected chain ${chainId}, got ${JSON.stringify(header.chainId)}`)
  return (
    memberPowersOf(hasher, trusted.validators, header.validatorsHash) ??
    reject('wrong-members', `block ${header.height} was not signed by membership version ${trusted.membershipVersion}`)
  )
}

function checkManifest(manifest: Manifest, header: Header, trusted: TrustedMembers): void {
  if (!equalBytes(manifest.clusterId, trusted.clusterId) || manifest.epoch !== trusted.epoch)
    reject('wrong-cluster', 'the manifest is of another cluster or epoch')
  if (
    manifest.height !== header.height ||
    nanosecondsOfTimestamp(manifest.time) !== nanosecondsOfTimestamp(header.time)
  )
    reject('wrong-manifest', `the manifest of block ${manifest.height} stands in block ${header.height}`)
  if (manifest.membershipVersion !== trusted.membershipVersion)
    reject(
      'wrong-members',
      `expected membership version ${trusted.membershipVersion}, got ${manifest.membershipVersion}`,
    )
}

/** A verified certificate. */
export class Certificate {
  readonly header: Header
  readonly manifest: Manifest
  readonly manifestHash: Uint8Array
  readonly round: number
  /** Addresses (20 bytes) of the members whose precommits were checked. */
  readonly signers: readonly Uint8Array[]
  readonly #hasher: Hasher

  private constructor(
    certificate: UnverifiedCertificate,
    manifest: Manifest,
    signers: readonly Uint8Array[],
    hasher: Hasher,
  ) {
    this.header = certificate.header
    this.manifest = manifest
    this.manifestHash = manifestHash(hasher, certificate.manifest)
    this.round = certificate.round
    this.signers = signers
    this.#hasher = hasher
  }

  /**
   * Checks a certificate against members that the caller trusts. Rejects `wrong-cluster`, `wrong-members`,
   * `unknown-signer`, `bad-signature`, `too-few-signatures`, `wrong-seal`, `wrong-manifest`, `certificate-form` (a
   * signer twice or out of order) and what `decodeManifest` rejects.
   */
  static verify(
    hasher: Hasher,
    curve: Curve,
    certificate: UnverifiedCertificate,
    trusted: TrustedMembers,
  ): Certificate {
    const powers = checkHeader(hasher, certificate.header, trusted)
    const seal = encodeSeal(certificate.manifest)
    const leaf = merkleLeaf(hasher, hasher.sha256(seal))
    const { header, itemCount, sealProof } = certificate
    if (!verifyMerkleProof(hasher, header.dataHash, leaf, 0, itemCount, sealProof))
      reject('wrong-seal', `the seal is not item 0 of ${itemCount} in block ${header.height}`)
    const manifest = decodeManifest(certificate.manifest)
    checkManifest(manifest, header, trusted)
    const signers = checkSignatures(hasher, curve, certificate, trusted, powers)
    return new Certificate(certificate, manifest, signers, hasher)
  }

  /** The receipt, once its place under this certificate is proved. Rejects `wrong-receipt`. */
  verifyReceipt(proof: ReceiptProof): Receipt {
    if (proof.height !== this.manifest.height || proof.index >= this.manifest.transactionCount)
      reject(
        'wrong-receipt',
        `receipt ${proof.index} of block ${proof.height} is not under block ${this.manifest.height}`,
      )
    const leaf = receiptLeaf(this.#hasher, proof.receipt)
    const root = this.manifest.receiptsRoot
    if (!verifyFixedTreeProof(this.#hasher, root, receiptsTreeDepth, leaf, proof.index, proof.siblings))
      reject('wrong-receipt', `receipt ${proof.index} is not in the receipts root of block ${proof.height}`)
    return proof.receipt
  }
}
