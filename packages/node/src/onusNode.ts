/**
 * One node of a cluster: workers, store, gateway, links, signer and engine, with one lifetime. Everything that can fail
 * for good ends in `onFailure`, once; the process around it decides what then (`main.ts` ends, its supervisor restarts).
 */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { chainIdOfGenesis, checkLocalClusterId, decodeGenesis, type Genesis } from '@onus/protocol/genesis'
import { parseInterface } from '@onus/protocol/interface/parseInterface'
import { addressOf } from '@onus/protocol/signature'
import type { Hashing } from '@onus/state-transition/clusterState'
import type { FastifyInstance } from 'fastify'
import type { Application } from './abci/application.js'
import { BlockArchive } from './blockArchive.js'
import { Certifier } from './certifier.js'
import type { Engine } from './engines/engine.js'
import type { NodeMeasures } from './gateway/gatewayMetrics.js'
import { defaultLogSettings, defaultSettings, type GatewaySettings, type LogSettings } from './gateway/settings.js'
import { createHashing } from './hashing.js'
import { Intake } from './intake.js'
import { interfaceSection } from './interfaceSection.js'
import { Links, type LinksOptions } from './links/links.js'
import type { Log } from './log.js'
import { NodeApplication, type WrongBlock } from './nodeApplication.js'
import { NodeBackend } from './nodeBackend.js'
import { NodeGateway } from './nodeGateway.js'
import { type NodeWorkers, startWorkers, storeFolder } from './nodeWorkers.js'
import { PendingResults } from './pendingResults.js'
import { openPowers } from './powers/openPowers.js'
import type { PowerDecision, PowerState } from './powers/powerPolicy.js'
import { nativeCurve } from './signer/nativeCurve.js'
import { Signer } from './signer/signer.js'
import { ExecutedBlocks } from './signer/signingPolicy.js'
import { idOfReceipt } from './store/receiptList.js'
import { Store } from './store/store.js'
import { Wakes } from './wakes.js'
import type { DecidedBlock } from './worker/execution.js'

export interface NodeOptions {
  readonly name: string
  /** Folder of everything that the node writes. */
  readonly home: string
  readonly genesis: Uint8Array
  /** The backend as its developer built it. */
  readonly module: Uint8Array
  readonly validatorKey: Uint8Array
  readonly gateway: { readonly host: string; readonly port: number; readonly settings?: GatewaySettings }
  readonly logSettings?: LogSettings
  readonly links: Pick<LinksOptions, 'host' | 'port' | 'privateKey' | 'publicKey' | 'peers'>
  /** Test switch: a deliberately wrong machine. */
  readonly lie: boolean
  readonly engineName: string
  readonly createEngine: (parts: EngineParts) => Engine
  readonly log: Log
  /** The node cannot go on; nothing was stopped yet. */
  readonly onFailure: (error: OnusError) => void
}

export interface EngineParts {
  readonly application: Application
  readonly signer: Signer
  readonly genesis: Genesis
  readonly onFailure: (failure: { readonly code: string; readonly message: string; readonly log: string }) => void
  readonly onBadInput: (error: Error) => void
}

/** A pool that waits this long without a block wakes the chain, whoever's envelopes they are. */
const wakePatience = 400

const oversizedError = new OnusError('too-large', 'executing this envelope passes a limit that a whole block has', {
  remedy: 'sign fewer calls together, or split the work of the call',
})

export type NodeState = 'starting' | 'validating' | 'dissenting'

export class OnusNode {
  readonly genesis: Genesis
  readonly chainId: string
  readonly #options: NodeOptions
  readonly #hashing: Hashing = createHashing()
  readonly #executed = new ExecutedBlocks()
  readonly #pending = new PendingResults()
  #state: NodeState = 'starting'
  #height = 0
  #milliseconds = 0
  #poolSize = 0
  /** Blocks without content since the last one with content or the last new envelope. */
  #emptyInRow = 0
  #decidedAt = 0
  readonly #decisionListeners = new Set<() => void>()
  #failed = false
  #workers: NodeWorkers | null = null
  #intake: Intake | null = null
  #store: Store | null = null
  #archive: BlockArchive | null = null
  #signer: Signer | null = null
  #engine: Engine | null = null
  #certifier: Certifier | null = null
  #application: NodeApplication | null = null
  /** As status tells them. */
  #powers: PowerState | null = null
  /** Hashes of blocks that were executed after the engine asked to sign them. */
  readonly #late = new Set<string>()
  #links: Links | null = null
  #gateway: FastifyInstance | null = null
  #wakes: Wakes | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(options: NodeOptions) {
    this.#options = options
    this.genesis = decodeGenesis(options.genesis)
    checkLocalClusterId(this.#hashing, this.genesis)
    this.chainId = chainIdOfGenesis(this.genesis)
  }

  get state(): NodeState {
    return this.#state
  }

  get height(): number {
    return this.#height
  }

  /** What the key was asked to sign and did or did not; for tests and status. */
  get signer(): Signer | null {
    return this.#signer
  }

  /** Port on which the gateway listens. */
  get gatewayPort(): number {
    const address = this.#gateway?.server.address()
    return typeof address === 'object' && address !== null ? address.port : this.#options.gateway.port
  }

  /** Resolves when the node takes part and answers. When it rejects, nothing of the node runs. */
  async start(): Promise<void> {
    try {
      await this.#startAll()
    } catch (error) {
      await this.stop().catch(() => undefined)
      throw error
    }
  }

  async #startAll(): Promise<void> {
    const { home, genesis: genesisBytes, module, lie, log } = this.#options
    await mkdir(home, { recursive: true })
    this.#workers = await startWorkers({
      home,
      genesis: this.genesis,
      genesisBytes,
      module,
      lie,
      onDeath: (error) => this.#fail(error),
    })
    this.#intake = new Intake({
      signatures: this.#workers.signatures,
      execution: this.#workers.execution,
      onPool: (size) => {
        this.#poolSize = size
        this.#emptyInRow = 0
      },
    })
    const position = await this.#workers.execution.call('position', null)
    this.#height = position.height
    this.#milliseconds = position.milliseconds
    // The embedded engine has a rotation of its own, by number of members: powers stay as they are.
    this.#powers = this.#options.engineName === 'embedded' ? null : openPowers(this.genesis, position)
    const store = new Store(join(home, storeFolder))
    this.#store = store
    this.#archive = new BlockArchive(this.#hashing, store)
    this.#signer = await this.#openSigner()
    const descriptionBytes = interfaceSection(module)
    await this.#startGateway(descriptionBytes)
    if (store.dissent !== null) {
      this.#state = 'dissenting'
      log.warn('this node dissents from the cluster and only answers reads', {
        height: store.dissent.height,
        reason: store.dissent.reason,
      })
      return
    }
    await this.#startLinks()
    await this.#startEngine()
    this.#state = 'validating'
    this.#timer = setInterval(() => this.#wakeIfStuck(), 250)
    for (const height of store.uncertified(Math.max(0, this.#height - 10_000))) {
      const block = store.block(height)
      if (block !== null) void this.#certifier?.certify(height, block)
    }
  }

  async #openSigner(): Promise<Signer> {
    const { home, validatorKey } = this.#options
    const statePath = join(home, 'sign-state')
    // Only a node that decided nothing yet may make it. Later a lost file means that what was signed is not known.
    const create = required(this.#store).position === null && !existsSync(statePath)
    return Signer.open({
      chainId: this.chainId,
      privateKey: validatorKey,
      policy: this.#executed,
      statePath,
      create,
      firstHeight: 1,
      onRefusal: ({ code, message, request }) => {
        this.#options.log.warn('refused to sign', {
          code,
          message,
          kind: request.kind,
          height: request.height,
          round: request.round,
        })
        if (code === 'signer-not-executed' && request.kind === 'vote' && request.blockId !== null)
          void this.#executeLate(request.height, request.blockId.hash.slice())
      },
    })
  }

  async #startGateway(descriptionBytes: Uint8Array): Promise<void> {
    const { log, gateway, genesis } = this.#options
    const intake = required(this.#intake)
    const description = parseInterface(descriptionBytes)
    const front = new NodeGateway({
      settings: gateway.settings ?? defaultSettings,
      log,
      logSettings: this.#options.logSettings ?? defaultLogSettings,
      hasher: this.#hashing,
      description,
      members: this.genesis.validators.validators.map(({ address }) => address),
      archive: required(this.#archive),
      height: () => this.#height,
      nextDecision: (timeout) => this.#nextDecision(timeout),
      measures: () => this.#measures(),
      readiness: () => ({
        state: this.#state,
        certifiedHeight: this.#archive?.newestCertified ?? 0,
        sinceDecision: performance.now() - this.#decidedAt,
        pool: this.#poolSize,
        reached: (this.#links?.connected.length ?? 0) + 1,
      }),
    })
    const backend = new NodeBackend({
      genesis: this.genesis,
      genesisBytes: genesis,
      description,
      descriptionBytes,
      hasher: this.#hashing,
      execution: required(this.#workers).execution,
      queries: required(this.#workers).queries,
      archive: required(this.#archive),
      pending: this.#pending,
      take: (envelope) => front.takeEnvelope(envelope, (bytes) => intake.take(bytes)),
      spread: (envelope) => {
        this.#links?.send(envelope)
        this.#wakes?.wake()
      },
      nextDecision: (timeout) => this.#nextDecision(timeout),
      checkReady: () => this.#checkReady(),
      status: () => this.status(),
      envelopesInFlight: (gateway.settings ?? defaultSettings).envelopesInFlight,
      moment: () => ({ height: this.#height, milliseconds: this.#milliseconds }),
    })
    this.#gateway = front.create(backend)
    try {
      await this.#gateway.listen({ host: gateway.host, port: gateway.port })
    } catch (cause) {
      throw new OnusError(
        'gateway-port',
        `the gateway cannot listen on ${gateway.host}:${gateway.port}: ${String(cause)}`,
        {
          remedy: 'choose another port',
          cause,
        },
      )
    }
  }

  async #startLinks(): Promise<void> {
    const { links } = this.#options
    const intake = required(this.#intake)
    this.#links = new Links({
      ...links,
      chainId: this.chainId,
      maximumEnvelopeBytes: this.genesis.limits.envelopeBytes,
      // What a peer passes on may be used, late or full here; its own gateway answers its client.
      onEnvelopes: (envelopes, peer) => {
        for (const bytes of envelopes) intake.take(bytes, peer + 1).catch(() => {})
      },
    })
    await this.#links.start()
  }

  async #startEngine(): Promise<void> {
    const { createEngine, validatorKey, log, genesis } = this.#options
    const signer = required(this.#signer)
    this.#wakes = new Wakes({
      hasher: this.#hashing,
      curve: nativeCurve,
      chainId: this.chainId,
      privateKey: validatorKey,
      address: signer.address,
      members: this.genesis.validators.validators,
      broadcast: (wake) => required(this.#engine).broadcast(wake),
    })
    const application = new NodeApplication({
      chainId: this.chainId,
      address: signer.address,
      genesisHash: this.#hashing.sha256(genesis),
      members: this.genesis.validators,
      powers: this.#powers,
      execution: required(this.#workers).execution,
      executed: this.#executed,
      wakes: this.#wakes,
      onDeciding: (height) => this.#certifier?.expect(height),
      onDecided: (height, milliseconds, block, poolSize) => this.#decided(height, milliseconds, block, poolSize),
      onDissent: (wrong) => this.#dissent(wrong),
      onOversized: (ids) => this.#pending.refuse(ids, oversizedError),
      onRefused: (height, reason) => log.warn('refused a proposal', { height, reason }),
      onPowers: (height, decision) => this.#powersChanged(height, decision),
    })
    this.#application = application
    this.#engine = createEngine({
      application,
      signer,
      genesis: this.genesis,
      onFailure: ({ code, message, log: tail }) => {
        if (this.#state !== 'dissenting') this.#fail(new OnusError(code, `${message}\n${tail}`))
      },
      onBadInput: (error) => log.warn('bad input on an engine socket', { error: error.message }),
    })
    this.#certifier = new Certifier({
      hasher: this.#hashing,
      members: this.genesis.validators.validators.map(({ address }) => address),
      engine: this.#engine,
      archive: required(this.#archive),
      pending: this.#pending,
      log,
      isStopped: () => this.#failed,
    })
    await this.#engine.start()
  }

  /**
   * CometBFT locked a block on the others' prevotes that came too late to be executed here, and does not ask again in the
   * round. The block is executed; if its result is right and the height is still undecided, the engine is started again,
   * which makes it ask (`spec/consensus.md` 7). Without this a late node and a dead one would stop four.
   */
  async #executeLate(height: number, hash: Uint8Array): Promise<void> {
    const engine = this.#engine
    const application = this.#application
    const key = toHex(hash)
    if (engine === null || application === null || application.hasRejected(hash) || this.#late.has(key)) return
    this.#late.add(key)
    try {
      const block = await engine.undecidedBlock(hash)
      if (block === null || !(await application.processProposal(block)) || this.#height >= height) return
      this.#options.log.warn('the engine is started again to vote for a block that came late', { height, hash: key })
      await engine.stop()
      await engine.start()
    } catch (error) {
      if (!this.#failed) this.#fail(error instanceof OnusError ? error : new OnusError('engine-restart', String(error)))
    }
  }

  #decided(height: number, milliseconds: number, block: DecidedBlock | null, poolSize: number): void {
    this.#height = height
    this.#milliseconds = milliseconds
    this.#poolSize = poolSize
    this.#decidedAt = performance.now()
    if (block !== null) {
      this.#archive?.add(height, block)
      for (const [index, texts] of block.logs)
        for (const text of texts)
          this.#options.log.info(text, { guest: true, height, transaction: toHex(idOfReceipt(block, index)) })
      void this.#certifier?.certify(height, block)
    }
    this.#emptyInRow = block === null ? this.#emptyInRow + 1 : 0
    // Once each member has had its turn, what is left waits for earlier calls, and a block now and then (`wakePatience`) keeps its time.
    if (poolSize > 0 && this.#emptyInRow <= this.genesis.validators.validators.length) this.#wakes?.wake()
    for (const listener of this.#decisionListeners) listener()
  }

  #powersChanged(height: number, { state, updates, isInStep }: PowerDecision): void {
    const { log } = this.#options
    this.#powers = state
    if (!isInStep) log.error('the maker of a block had no turn in its height', { height: height - 1 })
    for (const { publicKey, power } of updates)
      log.warn('a member has another power', { height, address: toHex(addressOf(publicKey)), power })
  }

  #nextDecision(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#decisionListeners.delete(end)
        resolve()
      }
      const timer = setTimeout(end, timeout)
      this.#decisionListeners.add(end)
    })
  }

  /** Keeps what shows that a quorum signed a wrong block, before anything else happens (S1). */
  async #dissent(wrong: WrongBlock): Promise<void> {
    this.#state = 'dissenting'
    const { request, reason, ownManifest } = wrong
    // What was decided before is on disk before the evidence is: the parent state of the wrong block.
    await required(this.#workers).execution.call('position', null)
    const { height, hash, items } = request
    const certificate = await required(this.#certifier).evidence(height, items)
    await required(this.#store).writeDissent({
      height,
      blockHash: hash.slice(),
      items,
      certificate,
      ownManifest,
      reason,
    })
    this.#options.log.error('dissent: a quorum decided a block that this node finds wrong', {
      height,
      hash: toHex(hash),
      reason,
    })
  }

  #wakeIfStuck(): void {
    if (this.#poolSize > 0 && performance.now() - this.#decidedAt > wakePatience) this.#wakes?.wake()
  }

  #checkReady(): void {
    if (this.#state === 'dissenting')
      throw new OnusError('dissenting', 'this node dissents from the cluster and takes no transactions', {
        remedy: 'ask another node',
      })
    if (this.#state !== 'validating')
      throw new OnusError('not-ready', 'this node is starting', { remedy: 'ask another node' })
  }

  status(): Record<string, unknown> {
    const { genesis } = this
    return {
      name: this.#options.name,
      clusterId: toHex(genesis.clusterId),
      chainId: this.chainId,
      epoch: genesis.epoch,
      engine: this.#options.engineName,
      state: this.#state,
      height: this.#height,
      certifiedHeight: this.#archive?.newestCertified ?? 0,
      time: this.#milliseconds,
      pool: this.#poolSize,
      waiting: this.#pending.size,
      links: this.#links?.connected ?? [],
      signed: this.#signer?.counters ?? null,
      nodeVersion: process.version,
      members: genesis.validators.validators.map(({ address, power }, place) => ({
        address: toHex(address),
        power: this.#powers?.rotations[2].powers[place] ?? power,
      })),
      dissent: this.#store?.dissent?.height ?? null,
    }
  }

  #measures(): Omit<NodeMeasures, 'certifiedTransactions'> {
    const signed = this.#signer?.counters
    return {
      height: this.#height,
      certifiedHeight: this.#archive?.newestCertified ?? 0,
      blockTime: this.#milliseconds / 1000,
      state: this.#state,
      pool: this.#poolSize,
      waiting: this.#pending.size,
      links: this.#links?.connected.length ?? 0,
      dissents: this.#state === 'dissenting' ? 1 : 0,
      votesSigned: signed?.signed ?? 0,
      votesRefused: signed?.refused ?? {},
      workerQueues: {
        execution: this.#workers?.execution.pending ?? 0,
        queries: this.#workers?.queries.pending ?? 0,
        signatures: this.#workers?.signatures.pending ?? 0,
      },
    }
  }

  #fail(error: OnusError): void {
    if (this.#failed) return
    this.#failed = true
    this.#options.onFailure(error)
  }

  /** Stops everything in order; harmless when called twice. */
  async stop(): Promise<void> {
    this.#failed = true
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#gateway?.close()
    await this.#engine?.stop()
    await this.#links?.stop()
    await this.#workers?.stop()
    await this.#signer?.close()
    await this.#store?.close()
  }
}

function required<Value>(value: Value | null): Value {
  if (value === null) throw new OnusError('not-ready', 'this node is starting or stopping')
  return value
}
