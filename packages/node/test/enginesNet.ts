/**
 * A network of real CometBFT processes for tests: each node with ABCI server, signer and engine in this process, and a
 * small application whose state is a hash over the items of its blocks. Homes lie in memory where the system allows it.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  Application,
  BlockRequest,
  CheckTxRequest,
  CheckTxResponse,
  CommitResponse,
  FinalizeBlockResponse,
  InfoResponse,
  InitChainRequest,
  InitChainResponse,
  PrepareProposalRequest,
  QueryRequest,
  QueryResponse,
} from '@onus/node/abci/application'
import { cometbftBinary } from '@onus/node/engines/cometbft/build'
import { CometbftEngine } from '@onus/node/engines/cometbft/cometbftEngine'
import type { CometbftGenesis } from '@onus/node/engines/cometbft/genesisFile'
import { memberPower } from '@onus/node/engines/cometbft/genesisFile'
import { type NodeKey, randomNodeKey } from '@onus/node/engines/cometbft/nodeKey'
import { timeoutsFor } from '@onus/node/engines/cometbft/timeouts'
import type { EngineFailure, SignedHeader } from '@onus/node/engines/engine'
import { type SignedAnswer, Signer } from '@onus/node/signer/signer'
import { ExecutedBlocks } from '@onus/node/signer/signingPolicy'
import type { SignRequest } from '@onus/node/signer/signRequest'
import { toHex } from '@onus/protocol/bytes'
import { chainIdOf } from '@onus/protocol/chainId'
import { blockIdFlag, voteSignBytes, voteType } from '@onus/protocol/commit'
import { nobleHasher } from '@onus/protocol/hash'
import { headerHash } from '@onus/protocol/header'
import { addressOf, nobleCurve, publicKeyOf, randomPrivateKey } from '@onus/protocol/signature'
import { type ValidatorSet, validatorSetOf, validatorsHash } from '@onus/protocol/validatorSet'

export interface DecidedBlock {
  readonly height: number
  readonly hash: Uint8Array
  readonly items: readonly Uint8Array[]
}

/** Packs the mempool into blocks; keeps what it decided. `rejects` makes it disagree with chosen blocks. */
export class TestApplication implements Application {
  readonly executed: ExecutedBlocks = new ExecutedBlocks()
  readonly decided: DecidedBlock[] = []
  rejects: (items: readonly Uint8Array[]) => boolean = () => false
  /** Items of the block that was proposed last. */
  lastProposed: readonly Uint8Array[] = []
  #pending: { height: number; appHash: Uint8Array } | null = null
  #height = 0
  #appHash: Uint8Array = new Uint8Array(32)
  readonly #seen = new Set<string>()

  get height(): number {
    return this.#height
  }

  async info(): Promise<InfoResponse> {
    return { lastBlockHeight: this.#height, lastBlockAppHash: this.#height === 0 ? new Uint8Array(0) : this.#appHash }
  }

  async initChain(_request: InitChainRequest): Promise<InitChainResponse> {
    return { appHash: this.#appHash }
  }

  async query(request: QueryRequest): Promise<QueryResponse> {
    return { code: 1, log: `no query ${request.path}`, value: new Uint8Array(0), height: this.#height }
  }

  async checkTx(request: CheckTxRequest): Promise<CheckTxResponse> {
    return this.#seen.has(toHex(request.transaction)) ? { code: 1, log: 'decided' } : { code: 0, log: '' }
  }

  async prepareProposal(request: PrepareProposalRequest): Promise<readonly Uint8Array[]> {
    this.executed.compose(request.height)
    return request.mempool.filter((item) => !this.rejects([item]))
  }

  async processProposal(request: BlockRequest): Promise<boolean> {
    this.lastProposed = request.items
    if (this.rejects(request.items)) return false
    this.executed.allow(request.height, request.hash)
    return true
  }

  async finalizeBlock(request: BlockRequest): Promise<FinalizeBlockResponse> {
    const hash = createHash('sha256').update(this.#appHash)
    for (const item of request.items) {
      hash.update(item)
      this.#seen.add(toHex(item))
    }
    // Empty blocks keep the hash, else each would call for another (S13).
    const appHash = request.items.length === 0 ? this.#appHash : new Uint8Array(hash.digest())
    this.#pending = { height: request.height, appHash }
    this.decided.push({
      height: request.height,
      hash: request.hash.slice(),
      items: request.items.map((item) => item.slice()),
    })
    return { appHash, validatorUpdates: [] }
  }

  async commit(): Promise<CommitResponse> {
    if (this.#pending === null) throw new Error('commit without finalizeBlock')
    this.#height = this.#pending.height
    this.#appHash = this.#pending.appHash
    this.executed.forgetBelow(this.#height + 1)
    return { retainHeight: 0 }
  }
}

/** Checks header hash, validators and signatures of a decided block as a client does; returns how many signed it. */
export function verifySignedHeader(signed: SignedHeader, validators: ValidatorSet, chainId: string): number {
  const { header, commit } = signed
  assert.equal(toHex(headerHash(nobleHasher, header)), toHex(commit.blockId.hash))
  assert.equal(toHex(header.validatorsHash), toHex(validatorsHash(nobleHasher, validators)))
  assert.equal(header.chainId, chainId)
  assert.equal(commit.signatures.length, validators.validators.length)
  let power = 0
  let count = 0
  commit.signatures.forEach((signature, index) => {
    const validator = validators.validators[index]
    if (signature.flag === blockIdFlag.absent || validator === undefined) return
    const { height, round } = commit
    const blockId = signature.flag === blockIdFlag.commit ? commit.blockId : null
    const { timestamp } = signature
    const bytes = voteSignBytes({ type: voteType.precommit, height, round, blockId, timestamp, chainId })
    const key = nobleCurve.recover(nobleHasher.keccak256(bytes), signature.signature)
    assert(key !== null && toHex(addressOf(key)) === toHex(validator.address), `signature ${index}`)
    assert.equal(toHex(signature.address), toHex(validator.address))
    if (blockId === null) return
    power += validator.power
    count++
  })
  assert(3 * power > 2 * validators.totalPower, `power ${power} of ${validators.totalPower}`)
  return count
}

/** Who signed a prevote or precommit for `hash`, or proposed it, among all signatures that left `signatures`. */
export function signaturesFor(signatures: readonly { request: SignRequest }[], hash: Uint8Array): SignRequest[] {
  return signatures.flatMap(({ request }) =>
    request.blockId !== null && toHex(request.blockId.hash) === toHex(hash) ? [request] : [],
  )
}

export interface TestNode {
  readonly index: number
  readonly folder: string
  readonly privateKey: Uint8Array
  readonly nodeKey: NodeKey
  readonly rpcPort: number
  readonly p2pPort: number
  readonly failures: EngineFailure[]
  readonly badInput: Error[]
  /** Every signature that left. */
  readonly signatures: { request: SignRequest; answer: SignedAnswer }[]
  application: TestApplication
  signer: Signer
  engine: CometbftEngine
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject()))
    })
  })
}

/** The binary for tests, or null with a printed reason. */
export async function testBinary(): Promise<string | null> {
  const sourceFolder = join(import.meta.dirname, '../../../../tools/cometbft')
  const result = await cometbftBinary({
    sourceFolder,
    onProgress: (seconds) => {
      if (seconds % 15 === 0) console.log(`building CometBFT, ${seconds} s`)
    },
  })
  if (result.kind === 'binary') return result.path
  console.log(`NOT RUN: tests with the real CometBFT. No cached binary and no Go: ${result.remedy}`)
  return null
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'onus-'))
}

/** A local chain of the keys, each with the same power. */
export function testGenesis(privateKeys: readonly Uint8Array[]): CometbftGenesis {
  const clusterId = new Uint8Array(32)
  clusterId.set(publicKeyOf(privateKeys[0] as Uint8Array).subarray(1, 21), 5)
  return {
    chainId: chainIdOf(clusterId, 1),
    time: { seconds: Math.floor(Date.now() / 1000) - 1, nanoseconds: 5 },
    initialHeight: 1,
    validators: validatorSetOf(privateKeys.map((key) => ({ publicKey: publicKeyOf(key), power: memberPower }))),
    maximumBlockBytes: 4 * 1024 * 1024,
  }
}

/** Waits until the node takes part in consensus. */
export async function caughtUp({ engine }: TestNode, patience = 20_000): Promise<void> {
  for (const end = Date.now() + patience; (await engine.rpc.status()).catchingUp; ) {
    if (Date.now() > end) throw new Error(`still catching up after ${patience} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export class TestNet {
  readonly folder: string
  readonly genesis: CometbftGenesis
  readonly nodes: TestNode[] = []
  readonly #binary: string

  private constructor(folder: string, genesis: CometbftGenesis, binary: string) {
    this.folder = folder
    this.genesis = genesis
    this.#binary = binary
  }

  static async create(binary: string, size: number): Promise<TestNet> {
    const folder = await temporaryFolder()
    const privateKeys = Array.from({ length: size }, () => randomPrivateKey())
    const genesis = testGenesis(privateKeys)
    const net = new TestNet(folder, genesis, binary)
    const ports = await Promise.all(Array.from({ length: 2 * size }, freePort))
    const nodeKeys = privateKeys.map(() => randomNodeKey())
    for (const [index, privateKey] of privateKeys.entries()) await net.#add(index, privateKey, nodeKeys, ports)
    return net
  }

  async #add(index: number, privateKey: Uint8Array, nodeKeys: NodeKey[], ports: number[]): Promise<void> {
    const parts = {
      index,
      folder: join(this.folder, `n${index}`),
      privateKey,
      nodeKey: nodeKeys[index] as NodeKey,
      rpcPort: ports[2 * index] as number,
      p2pPort: ports[2 * index + 1] as number,
      failures: [],
      badInput: [],
      signatures: [],
    }
    const peers = nodeKeys.flatMap(({ nodeId }, peer) =>
      peer === index ? [] : [{ nodeId, host: '127.0.0.1', port: ports[2 * peer + 1] as number }],
    )
    const node = await this.#assemble(parts, peers, true)
    this.nodes.push(node)
  }

  async #assemble(
    parts: Omit<TestNode, 'application' | 'signer' | 'engine'>,
    peers: { nodeId: string; host: string; port: number }[],
    create: boolean,
  ): Promise<TestNode> {
    const application = new TestApplication()
    const signer = await Signer.open({
      chainId: this.genesis.chainId,
      privateKey: parts.privateKey,
      policy: application.executed,
      statePath: join(this.folder, `sign-state-${parts.index}`),
      create,
      firstHeight: 1,
      onSigned: (request, answer) => parts.signatures.push({ request, answer }),
    })
    const engine = new CometbftEngine({
      binary: this.#binary,
      folder: parts.folder,
      genesis: this.genesis,
      nodeKey: parts.nodeKey,
      moniker: `n${parts.index}`,
      rpcPort: parts.rpcPort,
      p2pHost: '127.0.0.1',
      p2pPort: parts.p2pPort,
      peers,
      timeouts: timeoutsFor(this.genesis.validators.validators.length, 1),
      maximumTransactionBytes: 4096,
      application,
      signer,
      onFailure: (failure) => parts.failures.push(failure),
      onBadInput: (error) => parts.badInput.push(error),
    })
    return { ...parts, application, signer, engine }
  }

  node(index: number): TestNode {
    const node = this.nodes[index]
    if (node === undefined) throw new Error(`no node ${index}`)
    return node
  }

  /** Makes node `index` anew, as after the death of its process: a fresh application, the signer from its file. */
  async replace(index: number, rpcPort: number = this.node(index).rpcPort): Promise<TestNode> {
    const { application: _application, signer, engine: _engine, ...rest } = this.node(index)
    const parts = { ...rest, rpcPort }
    await signer.close()
    const peers = this.nodes.flatMap(({ nodeKey, p2pPort }, peer) =>
      peer === index ? [] : [{ nodeId: nodeKey.nodeId, host: '127.0.0.1', port: p2pPort }],
    )
    const node = await this.#assemble(parts, peers, false)
    this.nodes[index] = node
    return node
  }

  async start(): Promise<void> {
    await Promise.all(this.nodes.map(({ engine }) => engine.start()))
    await Promise.all(this.nodes.map((node) => caughtUp(node)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ engine }) => engine.stop()))
    await Promise.all(this.nodes.map(({ signer }) => signer.close()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Waits until `condition` holds; fails after `patience` milliseconds. */
export async function until(what: string, condition: () => boolean, patience = 20_000): Promise<void> {
  for (const end = Date.now() + patience; !condition(); ) {
    if (Date.now() > end) throw new Error(`waited ${patience} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
