/**
 * Genesis of an epoch (`spec/genesis.md`): who votes, which code runs under which limits, and the state before the
 * first block. A local cluster's id commits to all of it; a registered cluster's id comes from the contract.
 */
import { BinaryReader, BinaryWriter } from './binary.js'
import { maximumBlockDataLength, maximumTransactionsPerBlock } from './blockData.js'
import { concatBytes, equalBytes, wordLength } from './bytes.js'
import type { ClusterDomain } from './chainId.js'
import { chainIdOf, clusterIdLength, isLocalClusterId, localPrefixLength } from './chainId.js'
import { OnusError } from './errors.js'
import type { Hasher } from './hash.js'
import { sessionTreeDepth } from './session.js'
import { addressLength } from './signature.js'
import { nanosecondsOfTimestamp, type Timestamp, timestampOfNanoseconds } from './timestamp.js'
import { readValidators, type ValidatorSet, writeValidators } from './validatorSet.js'

/** Rules of block and transaction validity (S10). Integers below 2^53; times in milliseconds. */
export interface Limits {
  readonly blockGas: number
  readonly blockBytes: number
  readonly blockTransactions: number
  readonly blockOutputBytes: number
  /** Pages of 4 KiB that a block may write. */
  readonly blockDirtyPages: number
  readonly blockOpenings: number
  readonly callGas: number
  readonly envelopeBytes: number
  /** How far ahead of a block a transaction may expire. */
  readonly expiryBlocks: number
  readonly expiryMilliseconds: number
  readonly sessionCapacity: number
  readonly sessionBlocks: number
  readonly sessionMilliseconds: number
}

const limitNames = [
  'blockGas',
  'blockBytes',
  'blockTransactions',
  'blockOutputBytes',
  'blockDirtyPages',
  'blockOpenings',
  'callGas',
  'envelopeBytes',
  'expiryBlocks',
  'expiryMilliseconds',
  'sessionCapacity',
  'sessionBlocks',
  'sessionMilliseconds',
] as const satisfies readonly (keyof Limits)[]

/** Gas of one call is counted in 48 bits, and what is charged before a test must not wrap them (`spec/vm.md` 6). */
const largestCallGas = 2 ** 46

/** Beyond these a block that keeps the limits would not fit the trees and tables of the formats. */
const largestLimits = {
  callGas: largestCallGas,
  blockBytes: maximumBlockDataLength,
  blockTransactions: maximumTransactionsPerBlock,
  sessionCapacity: 2 ** sessionTreeDepth,
} as const satisfies Partial<Limits>

export interface Genesis {
  readonly clusterId: Uint8Array
  readonly epoch: number
  readonly ethereumChainId: number
  readonly initialHeight: number
  readonly time: Timestamp
  /** Of the last block before the epoch; zero for the first. */
  readonly previousManifest: Uint8Array
  readonly codeReference: Uint8Array
  readonly loweringVersion: number
  /** Of 64 KiB each. */
  readonly maximumMemoryPages: number
  readonly startGas: number
  readonly stateRoot: Uint8Array
  readonly nodeVersion: string
  readonly v8Version: string
  readonly limits: Limits
  /** Address whose tokens admit openings (`admissionToken.ts`), 20 bytes; zero: anybody opens sessions. */
  readonly admissionKey: Uint8Array
  readonly membershipVersion: number
  readonly validators: ValidatorSet
}

const tag = 'onus/genesis/1\0\0'

/** The genesis file: tag (16 bytes), then the fields in order; texts behind a one-byte length. */
export function encodeGenesis(genesis: Genesis): Uint8Array {
  const writer = new BinaryWriter(1024).tag(tag).bytes(genesis.clusterId)
  writer.u64(genesis.epoch).u64(genesis.ethereumChainId).u64(genesis.initialHeight)
  writer.u64(nanosecondsOfTimestamp(genesis.time)).bytes(genesis.previousManifest).bytes(genesis.codeReference)
  writer.u64(genesis.loweringVersion).u64(genesis.maximumMemoryPages).u64(genesis.startGas).bytes(genesis.stateRoot)
  writer.shortText(genesis.nodeVersion).shortText(genesis.v8Version)
  for (const name of limitNames) writer.u64(genesis.limits[name])
  writer.bytes(genesis.admissionKey).u32(genesis.membershipVersion)
  writeValidators(writer, genesis.validators)
  return writer.finish()
}

/** Strict decoding. Rejects `genesis-form` besides the codes of `BinaryReader` and `readValidators`. */
export function decodeGenesis(bytes: Uint8Array): Genesis {
  const reader = new BinaryReader(bytes, 'genesis')
  reader.tag(tag)
  const head = {
    clusterId: reader.take(clusterIdLength, 'cluster id').slice(),
    epoch: reader.u64('epoch'),
    ethereumChainId: reader.u64('Ethereum chain id'),
    initialHeight: reader.u64('initial height'),
    time: timestampOfNanoseconds(reader.bigU64('time')),
    previousManifest: reader.take(wordLength, 'previous manifest').slice(),
    codeReference: reader.take(wordLength, 'code reference').slice(),
    loweringVersion: reader.u64('lowering version'),
    maximumMemoryPages: reader.u64('maximum memory pages'),
    startGas: reader.u64('start gas'),
    stateRoot: reader.take(wordLength, 'state root').slice(),
    nodeVersion: reader.shortText('node version'),
    v8Version: reader.shortText('V8 version'),
  }
  const limits = Object.fromEntries(limitNames.map((name) => [name, reader.u64(name)])) as unknown as Limits
  const genesis = {
    ...head,
    limits,
    admissionKey: reader.take(addressLength, 'admission key').slice(),
    membershipVersion: reader.u32('membership version'),
    validators: readValidators(reader),
  }
  reader.finish()
  for (const text of [genesis.nodeVersion, genesis.v8Version])
    if (!/^[\x21-\x7e]{1,32}$/.test(text)) throw new OnusError('genesis-form', 'versions are 1 to 32 ASCII characters')
  if (genesis.epoch === 0 || genesis.epoch > 0xffffffff || genesis.initialHeight === 0)
    throw new OnusError('genesis-form', 'epoch (u32) and initial height begin with 1')
  if (genesis.startGas > largestCallGas)
    throw new OnusError('genesis-form', `start gas is at most ${largestCallGas}, got ${genesis.startGas}`)
  for (const [name, most] of Object.entries(largestLimits) as [keyof typeof largestLimits, number][])
    if (limits[name] > most) throw new OnusError('genesis-form', `${name} is at most ${most}, got ${limits[name]}`)
  return genesis
}

/** Id of a local cluster: 5 zero bytes, then 27 bytes of keccak256 of its genesis with a zero id. */
export function localClusterId(hasher: Hasher, genesis: Omit<Genesis, 'clusterId'>): Uint8Array {
  const digest = hasher.keccak256(encodeGenesis({ ...genesis, clusterId: new Uint8Array(clusterIdLength) }))
  return concatBytes(new Uint8Array(localPrefixLength), digest.subarray(localPrefixLength))
}

/** Rejects `cluster-id` when a local id does not commit to the genesis. */
export function checkLocalClusterId(hasher: Hasher, genesis: Genesis): void {
  if (!isLocalClusterId(genesis.clusterId)) return
  if (!equalBytes(localClusterId(hasher, genesis), genesis.clusterId))
    throw new OnusError('cluster-id', 'the cluster id does not belong to this genesis', {
      remedy: 'take genesis and cluster id from the same cluster',
    })
}

export function chainIdOfGenesis(genesis: Genesis): string {
  return chainIdOf(genesis.clusterId, genesis.epoch)
}

export function domainOfGenesis(genesis: Genesis): ClusterDomain {
  return { clusterId: genesis.clusterId, epoch: genesis.epoch, ethereumChainId: genesis.ethereumChainId }
}
