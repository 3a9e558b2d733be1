/**
 * A cluster's genesis, states and signed envelopes for tests. Signatures are stand-ins (the signer's address in R) where
 * a test signs thousands; `signedForReal` makes genuine ones.
 */
import { createHash } from 'node:crypto'
import { type BeginBlock, encodeBlockData } from '@onus/protocol/blockData'
import { domainOfGenesis, type Genesis, type Limits, localClusterId } from '@onus/protocol/genesis'
import { nobleHasher } from '@onus/protocol/hash'
import { addressOf, nobleCurve, publicKeyOf } from '@onus/protocol/signature'
import {
  type Call,
  decodeEnvelope,
  type EnvelopeKind,
  encodeEnvelope,
  encodeTransaction,
  envelopeDigest,
  envelopeKind,
  signEnvelope,
  type Transaction,
  transactionIds,
} from '@onus/protocol/transaction'
import { validatorSetOf } from '@onus/protocol/validatorSet'
import type { SignedEnvelope } from '@onus/state-transition/blockExecution'
import { ClusterState, type Hashing } from '@onus/state-transition/clusterState'
import type { VirtualMachine } from '@onus/state-transition/virtualMachine'
import { createKeccak } from '@onus/vm/keccak/keccak'
import { operation, request, ToyMachine } from './toyMachine.js'

const keccak = createKeccak()

export const hashing: Hashing = {
  ...nobleHasher,
  keccak256: (data) => keccak.keccak256(data),
  swarmReference: (data) => keccak.swarmReference(data),
}

export function seededBytes(label: string, length = 32): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0, part = 0; at < length; at += 32, part++)
    bytes.set(
      createHash('sha256')
        .update(`${label}/${part}`)
        .digest()
        .subarray(0, length - at),
      at,
    )
  return bytes
}

/** 20 bytes of an account of tests. */
export function account(name: string): Uint8Array {
  return seededBytes(`account ${name}`, 20)
}

export const startTime = 1_700_000_000

export const roomyLimits: Limits = {
  blockGas: 1_000_000,
  blockBytes: 4 * 2 ** 20,
  blockTransactions: 10_000,
  blockOutputBytes: 2 ** 20,
  blockDirtyPages: 1000,
  blockOpenings: 1000,
  callGas: 500_000,
  envelopeBytes: 512 * 1024,
  expiryBlocks: 100,
  expiryMilliseconds: 60_000,
  sessionCapacity: 64,
  sessionBlocks: 1000,
  sessionMilliseconds: 600_000,
}

export function genesisWith(limits: Partial<Limits> = {}, changes: Partial<Genesis> = {}): Genesis {
  const content: Omit<Genesis, 'clusterId'> = {
    epoch: 3,
    ethereumChainId: 31_337,
    initialHeight: 1,
    time: { seconds: startTime, nanoseconds: 0 },
    previousManifest: new Uint8Array(32),
    codeReference: seededBytes('code'),
    loweringVersion: 1,
    maximumMemoryPages: 64,
    startGas: 1_000_000,
    stateRoot: new ToyMachine().stateRoot,
    nodeVersion: 'v20.20.2',
    v8Version: '11.3.244.8-node.38',
    limits: { ...roomyLimits, ...limits },
    admissionKey: new Uint8Array(20),
    membershipVersion: 1,
    validators: validatorSetOf([{ publicKey: publicKeyOf(seededBytes('member')), power: 1 }]),
    ...changes,
  }
  return { clusterId: localClusterId(nobleHasher, content), ...content }
}

export function stateOf(genesis: Genesis, machine: VirtualMachine = new ToyMachine()): ClusterState {
  return new ClusterState(genesis, hashing, machine)
}

export interface Moment {
  readonly height: number
  readonly milliseconds: number
}

/** The moment of the block `blocks` after genesis when one is made each second. */
export function momentAt(height: number): Moment {
  return { height, milliseconds: (startTime + height) * 1000 }
}

export function beginOf(state: ClusterState, moment: Moment): BeginBlock {
  const { clusterId, epoch } = state.genesis
  const time = {
    seconds: Math.floor(moment.milliseconds / 1000),
    nanoseconds: (moment.milliseconds % 1000) * 1_000_000,
  }
  return { clusterId, epoch, height: moment.height, time, previousManifest: state.position.manifestHash }
}

/** The signer whom a stand-in signature names. */
export function standInSigner(bytes: Uint8Array): Uint8Array | null {
  const { signature } = decodeEnvelope(bytes)
  return signature[64] === 1 ? null : signature.slice(12, 32)
}

/** An envelope with a stand-in signature of `signer`. */
export function signed(kind: EnvelopeKind, signer: Uint8Array, transactions: readonly Transaction[]): SignedEnvelope {
  const signature = new Uint8Array(65)
  signature.set(signer, 12)
  const bodies = transactions.map(encodeTransaction)
  const bytes = encodeEnvelope({ kind, transactions, bodies, signature })
  return { bytes, envelope: decodeEnvelope(bytes), signer }
}

export function signedForReal(
  genesis: Genesis,
  kind: EnvelopeKind,
  privateKey: Uint8Array,
  transactions: readonly Transaction[],
): SignedEnvelope {
  const domain = domainOfGenesis(genesis)
  const bytes = encodeEnvelope(signEnvelope(nobleHasher, nobleCurve, domain, kind, transactions, privateKey))
  return { bytes, envelope: decodeEnvelope(bytes), signer: addressOf(publicKeyOf(privateKey)).slice() }
}

/** Recovers genuine signatures. */
export function genuineSigner(genesis: Genesis): (bytes: Uint8Array) => Uint8Array | null {
  return (bytes) => {
    const domain = domainOfGenesis(genesis)
    const envelope = decodeEnvelope(bytes)
    const digest = envelopeDigest(nobleHasher, domain, envelope, transactionIds(nobleHasher, domain, envelope))
    const key = nobleCurve.recover(digest, envelope.signature)
    return key === null ? null : addressOf(key).slice()
  }
}

export interface SessionPlan {
  readonly slot: number
  readonly generation?: number
  readonly owner?: Uint8Array
  readonly key?: Uint8Array
  readonly closes?: Moment
  readonly admission?: Uint8Array
  readonly expiry?: Moment
}

const expiryOf = ({ height, milliseconds }: Moment): { height: number; time: number } => ({
  height,
  time: milliseconds,
})

/** An opening by the account itself that is admitted in the first blocks. */
export function opening(plan: SessionPlan, signer?: Uint8Array, kind?: EnvelopeKind): SignedEnvelope {
  const owner = plan.owner ?? account(`owner of ${plan.slot}`)
  return signed(kind ?? envelopeKind.accountOpening, signer ?? owner, [
    {
      type: 'opening',
      owner,
      key: plan.key ?? owner,
      session: { slot: plan.slot, generation: plan.generation ?? 0 },
      closes: expiryOf(plan.closes ?? momentAt(500)),
      expiry: expiryOf(plan.expiry ?? momentAt(50)),
      admission: plan.admission ?? new Uint8Array(0),
    },
  ])
}

export function callOf(slot: number, counter: number, changes: Partial<Call> = {}): Call {
  return {
    type: 'call',
    session: { slot, generation: 0 },
    counter,
    expiry: expiryOf(momentAt(50)),
    gasLimit: 1000,
    argument: request(operation.add, slot, counter),
    ...changes,
  }
}

/** Calls of one session in one envelope, by the account that opened it with `opening`. */
export function calls(slot: number, counters: readonly number[], changes: Partial<Call> = {}): SignedEnvelope {
  return signed(
    envelopeKind.accountCalls,
    account(`owner of ${slot}`),
    counters.map((counter) => callOf(slot, counter, changes)),
  )
}

export function blockDataOf(begin: BeginBlock, envelopes: readonly SignedEnvelope[]): Uint8Array {
  return encodeBlockData({ begin, envelopes: envelopes.map(({ bytes }) => bytes) })
}
