/**
 * The ABCI socket server of a node: CometBFT dials four connections (consensus, mempool, query, snapshot) to one unix
 * socket. `consensus.md`, "ABCI from Node". It never ends the process: what goes wrong is told to `onFailure`.
 */
import { chmod } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { OnusError } from '@onus/protocol/errors'
import type { Application } from './application.js'
import { AbciConnection, type AbciFailure } from './connection.js'
import { removeSocketFile } from './unixSocket.js'

export interface AbciServerOptions {
  readonly socketPath: string
  readonly application: Application
  /** Longest request in bytes: the block size and some room. */
  readonly maximumFrameBytes: number
  /** A connection ended for a reason of its own; the others go on. */
  readonly onFailure: (failure: AbciFailure) => void
}

/** Four of CometBFT, and as many again of one that is just being replaced. */
const maximumConnections = 8

export class AbciServer {
  readonly #options: AbciServerOptions
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  constructor(options: AbciServerOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** Listens; afterwards CometBFT may be started. Rejects `socket-path`, or with the system's error. */
  async start(): Promise<void> {
    const { socketPath } = this.#options
    await removeSocketFile(socketPath)
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(socketPath, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    await chmod(socketPath, 0o600)
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Closes the connections and the socket. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(socket: Socket): void {
    // A reset by the peer also ends in 'close'; there is nobody left to tell.
    socket.on('error', () => socket.destroy())
    if (this.#sockets.size >= maximumConnections) {
      socket.destroy()
      this.#options.onFailure({
        cause: 'input',
        call: undefined,
        error: new OnusError('abci-connections', `expected at most ${maximumConnections} connections, got another`),
      })
      return
    }
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    new AbciConnection(socket, this.#options.application, this.#options.maximumFrameBytes, this.#options.onFailure)
  }
}
