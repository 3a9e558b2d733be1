/**
 * CometBFT as an engine: ABCI server and remote signer first, then the process, then its RPC until it answers. A
 * failure of any of the three stops the others and is reported once. `consensus.md`; the binary comes from `build.ts`.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { OnusError } from '@onus/protocol/errors'
import type { Application, BlockRequest } from '../../abci/application.js'
import { AbciServer } from '../../abci/server.js'
import { removeSocketFile } from '../../abci/unixSocket.js'
import { RemoteSigner } from '../../signer/remoteSigner.js'
import type { Signer } from '../../signer/signer.js'
import type { Engine, EngineFailure, SignedHeader } from '../engine.js'
import type { CometbftPeer } from './config.js'
import type { CometbftGenesis } from './genesisFile.js'
import { writeHome } from './home.js'
import type { NodeKey } from './nodeKey.js'
import { CometbftProcess, type ProcessExit } from './process.js'
import { CometbftRpc } from './rpc.js'
import type { Timeouts } from './timeouts.js'

export interface CometbftEngineOptions {
  /** Path of the CometBFT binary. */
  readonly binary: string
  /** Folder of this engine; made if missing. Its path is short enough for a socket. */
  readonly folder: string
  readonly genesis: CometbftGenesis
  readonly nodeKey: NodeKey
  readonly moniker: string
  readonly rpcPort: number
  readonly p2pHost: string
  readonly p2pPort: number
  /** The other members. */
  readonly peers: readonly CometbftPeer[]
  readonly timeouts: Timeouts
  readonly maximumTransactionBytes: number
  readonly application: Application
  readonly signer: Signer
  /** The engine ended though nobody stopped it; nothing of it runs any more. */
  readonly onFailure: (failure: EngineFailure) => void
  /** Bad input over a socket, which ended that connection only. */
  readonly onBadInput: (error: Error) => void
}

/** Of each RPC call, in milliseconds: while consensus is busy answers take 2-3 ms. */
const rpcTimeout = 5000
/** Replay of many blocks may take long; an exit ends the wait at once. */
const startPatience = 600_000
/** Room in a frame beside the block's own bytes: last commit and protobuf framing. */
const frameSlack = 1024 * 1024

export class CometbftEngine implements Engine {
  readonly #options: CometbftEngineOptions
  #server: AbciServer | null = null
  #remoteSigner: RemoteSigner | null = null
  #process: CometbftProcess | null = null
  #rpc: CometbftRpc | null = null
  #failure: EngineFailure | null = null
  #running = false

  constructor(options: CometbftEngineOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#failure = null
    try {
      await this.#startParts()
    } catch (error) {
      await this.stop()
      throw error
    }
    this.#running = true
  }

  async stop(): Promise<void> {
    this.#running = false
    await this.#process?.stop()
    this.#remoteSigner?.stop()
    await this.#server?.stop()
    this.#rpc?.close()
    this.#process = null
    this.#remoteSigner = null
    this.#server = null
    this.#rpc = null
  }

  async broadcast(transaction: Uint8Array): Promise<void> {
    await this.rpc.broadcastTxAsync(transaction)
  }

  async commit(height: number): Promise<SignedHeader> {
    return this.rpc.commit(height)
  }

  async undecidedBlock(hash: Uint8Array): Promise<BlockRequest | null> {
    return this.rpc.undecidedBlock(hash)
  }

  /** For status and peers. Rejects `engine-stopped` where the engine is not running. */
  get rpc(): CometbftRpc {
    if (this.#rpc === null)
      throw new OnusError('engine-stopped', 'the engine is not running', { remedy: 'Start it first.' })
    return this.#rpc
  }

  /** Of CometBFT, while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  async #startParts(): Promise<void> {
    const { folder, application, signer, genesis, binary } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const home = join(folder, 'cometbft')
    const abciSocket = join(folder, 'abci.sock')
    const signerSocket = join(folder, 'signer.sock')
    await writeHome(home, { ...this.#options, abciSocket, signerSocket }, genesis, this.#options.nodeKey)
    const cometbft = new CometbftProcess({ binary, home, onExit: (exit) => this.#exited(exit) })
    // A CometBFT that an earlier node left behind would take the sockets that are made now.
    await cometbft.endStale()
    this.#server = new AbciServer({
      socketPath: abciSocket,
      application,
      maximumFrameBytes: genesis.maximumBlockBytes + frameSlack,
      onFailure: ({ cause, call, error }) => {
        if (cause === 'input') this.#options.onBadInput(error)
        else void this.#fail(error instanceof OnusError ? error.code : 'application', `${call}: ${error.message}`)
      },
    })
    await this.#server.start()
    await removeSocketFile(signerSocket)
    this.#remoteSigner = new RemoteSigner({
      signer,
      socketPath: signerSocket,
      onBadInput: (error) => this.#options.onBadInput(error),
    })
    this.#remoteSigner.start()
    this.#process = cometbft
    await cometbft.start()
    this.#rpc = new CometbftRpc(this.#options.rpcPort, rpcTimeout, genesis.maximumBlockBytes)
    await this.#awaitRpc(this.#rpc, cometbft)
  }

  async #awaitRpc(rpc: CometbftRpc, cometbft: CometbftProcess): Promise<void> {
    for (const end = Date.now() + startPatience; ; ) {
      if (this.#failure !== null)
        throw new OnusError(this.#failure.code, `${this.#failure.message}\n${this.#failure.log}`)
      if (!cometbft.running) throw new OnusError('engine-exit', `CometBFT ended\n${await cometbft.logTail()}`)
      try {
        const { nodeId } = await rpc.status()
        if (nodeId === this.#options.nodeKey.nodeId) return
        throw new OnusError('engine-port', `another node (${nodeId}) answers on port ${this.#options.rpcPort}`, {
          remedy: 'Choose another RPC port.',
        })
      } catch (error) {
        const waiting = error instanceof OnusError && ['rpc-unreachable', 'rpc-timeout'].includes(error.code)
        if (!waiting || Date.now() > end) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }

  #exited({ code, signal, log }: ProcessExit): void {
    void this.#fail('engine-exit', `CometBFT ended with ${signal ?? `code ${code}`}`, log)
  }

  /** Reports the first failure, once everything is stopped. During `start` the error goes to the caller instead. */
  async #fail(code: string, message: string, log?: string): Promise<void> {
    if (this.#failure !== null) return
    const failure = { code, message, log: log ?? (await this.#process?.logTail()) ?? '' }
    this.#failure ??= failure
    if (this.#failure !== failure || !this.#running) return
    await this.stop()
    this.#options.onFailure(failure)
  }
}
