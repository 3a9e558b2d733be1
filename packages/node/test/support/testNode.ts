/**
 * The parts of a node without threads, processes or consensus: a genesis, genuine envelopes, and executions over real
 * stores in temporary folders.
 */
import { createHashing } from '@onus/node/hashing'
import { nativeCurve, nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import { Store } from '@onus/node/store/store'
import { type BlockPlace, Execution } from '@onus/node/worker/execution'
import { codeReferenceOf, machineAtGenesis, openMachine } from '@onus/node/worker/openMachine'
import { domainOfGenesis, encodeGenesis, type Genesis, type Limits, localClusterId } from '@onus/protocol/genesis'
import { addressOf } from '@onus/protocol/signature'
import {
  type Call,
  decodeEnvelope,
  type EnvelopeKind,
  encodeEnvelope,
  envelopeKind,
  signEnvelope,
  type Transaction,
  transactionIds,
} from '@onus/protocol/transaction'
import { validatorSetOf } from '@onus/protocol/validatorSet'
import type { VirtualMachine } from '@onus/state-transition/virtualMachine'
import { loweringVersion } from '@onus/vm/lower/costs'
import { lowerModule } from '@onus/vm/lower/lowerModule'
import { guestModule, operation, request } from './guest.js'
import { seededBytes } from './seeded.js'

export const hashing = createHashing()
export const startTime = 1_700_000_000

export const testLimits: Limits = {
  blockGas: 100_000_000,
  blockBytes: 2 ** 20,
  blockTransactions: 1000,
  blockOutputBytes: 2 ** 20,
  blockDirtyPages: 1000,
  blockOpenings: 100,
  callGas: 20_000_000,
  envelopeBytes: 128 * 1024,
  expiryBlocks: 1000,
  expiryMilliseconds: 1_000_000,
  sessionCapacity: 1000,
  sessionBlocks: 10_000,
  sessionMilliseconds: 10_000_000,
}

export interface TestCluster {
  readonly genesis: Genesis
  readonly genesisBytes: Uint8Array
  readonly genesisHash: Uint8Array
  readonly module: Uint8Array
}

export const memberKeys: readonly Uint8Array[] = [0, 1, 2, 3].map((index) => seededBytes(`member ${index}`))

export function testCluster(limits: Partial<Limits> = {}, changes: Partial<Genesis> = {}): TestCluster {
  const module = guestModule()
  const startGas = 1_000_000
  const maximumMemoryPages = 16
  const lowered = lowerModule(module, { maximumMemoryPages })
  const content: Omit<Genesis, 'clusterId'> = {
    epoch: 1,
    ethereumChainId: 31_337,
    initialHeight: 1,
    time: { seconds: startTime, nanoseconds: 0 },
    previousManifest: new Uint8Array(32),
    codeReference: codeReferenceOf(hashing, module, lowered),
    stateRoot: machineAtGenesis(lowered, hashing, startGas).stateRoot,
    loweringVersion,
    maximumMemoryPages,
    startGas,
    nodeVersion: process.version,
    v8Version: process.versions.v8,
    limits: { ...testLimits, ...limits },
    admissionKey: new Uint8Array(20),
    membershipVersion: 0,
    validators: validatorSetOf(memberKeys.map((key) => ({ publicKey: nativePublicKeyOf(key), power: 10 }))),
    ...changes,
  }
  const genesis = { clusterId: localClusterId(hashing, content), ...content }
  const genesisBytes = encodeGenesis(genesis)
  return { genesis, genesisBytes, genesisHash: hashing.sha256(genesisBytes), module }
}

export interface TestNode {
  readonly cluster: TestCluster
  readonly path: string
  store: Store
  execution: Execution
  /** Keys that `watch` was told. */
  readonly watched: string[]
}

export interface NodeChanges {
  readonly poolBytes?: number
  readonly banned?: readonly string[]
  readonly machine?: (machine: VirtualMachine) => VirtualMachine
}

/** A node over the store in `path`, at whatever that holds. */
export function openNode(cluster: TestCluster, path: string, changes: NodeChanges = {}): TestNode {
  const store = new Store(path)
  const watched: string[] = []
  const machine = openMachine(cluster.genesis, cluster.module, hashing, store)
  const execution = new Execution({
    genesis: cluster.genesis,
    genesisHash: cluster.genesisHash,
    machine: changes.machine?.(machine) ?? machine,
    hashing,
    store,
    poolBytes: changes.poolBytes ?? 2 ** 20,
    banned: new Set(changes.banned ?? []),
    watch: (key) => watched.push(key),
  })
  return { cluster, path, store, execution, watched }
}

export async function closeNode(node: TestNode): Promise<void> {
  await node.execution.flush()
  await node.store.close()
}

/** The place of a block when one is made each second. */
export function placeAt(height: number): BlockPlace {
  return { height, time: { seconds: startTime + height, nanoseconds: 0 } }
}

const keys = new Map<string, Uint8Array>()

export function keyOf(name: string): Uint8Array {
  const known = keys.get(name) ?? seededBytes(`user ${name}`)
  keys.set(name, known)
  return known
}

export function accountOf(name: string): Uint8Array {
  return addressOf(nativePublicKeyOf(keyOf(name))).slice()
}

export interface Sent {
  readonly bytes: Uint8Array
  readonly signer: Uint8Array
}

export function send(
  cluster: TestCluster,
  kind: EnvelopeKind,
  name: string,
  transactions: readonly Transaction[],
): Sent {
  const domain = domainOfGenesis(cluster.genesis)
  const envelope = signEnvelope(hashing, nativeCurve, domain, kind, transactions, keyOf(name))
  return { bytes: encodeEnvelope(envelope), signer: accountOf(name) }
}

const farTime = (startTime + 900) * 1000

export interface OpeningChanges {
  readonly generation?: number
  readonly closesHeight?: number
  readonly closesTime?: number
  readonly expiryHeight?: number
  readonly expiryTime?: number
}

/** Opens session `slot` for user `name`. */
export function openSession(cluster: TestCluster, slot: number, name = 'ann', changes: OpeningChanges = {}): Sent {
  const owner = accountOf(name)
  return send(cluster, envelopeKind.accountOpening, name, [
    {
      type: 'opening',
      owner,
      key: owner,
      session: { slot, generation: changes.generation ?? 0 },
      closes: { height: changes.closesHeight ?? 5000, time: changes.closesTime ?? farTime },
      expiry: { height: changes.expiryHeight ?? 500, time: changes.expiryTime ?? farTime },
      admission: new Uint8Array(0),
    },
  ])
}

export function callWith(slot: number, counter: number, changes: Partial<Call> = {}): Call {
  return {
    type: 'call',
    session: { slot, generation: 0 },
    counter,
    expiry: { height: 500, time: farTime },
    gasLimit: 10_000_000,
    argument: request(operation.add, counter + 1, slot),
    ...changes,
  }
}

/** Calls of user `name` in session `slot`, in one envelope. */
export function sendCalls(
  cluster: TestCluster,
  slot: number,
  counters: readonly number[],
  changes: Partial<Call> = {},
  name = 'ann',
): Sent {
  return send(
    cluster,
    envelopeKind.accountCalls,
    name,
    counters.map((counter) => callWith(slot, counter, changes)),
  )
}

export function submit(node: TestNode, ...envelopes: readonly Sent[]): void {
  for (const { bytes, signer } of envelopes) {
    const envelope = decodeEnvelope(bytes)
    const ids = transactionIds(hashing, domainOfGenesis(node.cluster.genesis), envelope)
    node.execution.submit({ bytes, envelope, signer, ids, origin: 0 })
  }
}

/** All that two nodes must agree on between blocks. */
export function standing({ execution }: TestNode): unknown {
  const { state, position } = execution
  return {
    stateRoot: Buffer.from(state.machine.endBlock().stateRoot).toString('hex'),
    sessionRoot: Buffer.from(state.sessions.root()).toString('hex'),
    manifest: Buffer.from(state.position.manifestHash).toString('hex'),
    rangeSize: state.position.range.size,
    height: position.height,
    milliseconds: position.milliseconds,
    appHash: Buffer.from(position.appHash).toString('hex'),
    recorded: Buffer.from(position.stateRoot).toString('hex'),
  }
}
