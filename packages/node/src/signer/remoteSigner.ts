/**
 * The node's end of `priv_validator_laddr`: CometBFT listens on a unix socket, this dials it and dials again whenever
 * the connection ends. CometBFT waits 3 s for the first connection when it starts, so the pause between attempts is
 * short. A malformed message closes the connection; nothing a peer sends ends the process.
 */
import { connect, type Socket } from 'node:net'
import { checkSocketPath } from '../abci/unixSocket.js'
import { decodeUnion } from '../protobuf/decode.js'
import { FrameSplitter } from '../protobuf/frames.js'
import type { Signer } from './signer.js'
import { answerSignerRequest } from './signerProtocol.js'

export interface RemoteSignerOptions {
  readonly signer: Signer
  /** Where CometBFT listens. */
  readonly socketPath: string
  /** A connection was closed because of what came over it. */
  readonly onBadInput: (error: Error) => void
}

/** The longest request is a vote or proposal of some 300 bytes. */
const maximumFrameBytes = 4096
/** Between attempts, in milliseconds: a connection attempt to a unix socket costs microseconds. */
const redialDelay = 50

export class RemoteSigner {
  readonly #options: RemoteSignerOptions
  #socket: Socket | null = null
  #timer: NodeJS.Timeout | null = null
  #stopped = true
  #connections = 0

  constructor(options: RemoteSignerOptions) {
    checkSocketPath(options.socketPath)
    this.#options = options
  }

  /** Begins to dial; CometBFT need not be there yet. */
  start(): void {
    this.#stopped = false
    this.#dial()
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#socket?.destroy()
  }

  /** Connections made since the start. */
  get connections(): number {
    return this.#connections
  }

  #dial(): void {
    const socket = connect(this.#options.socketPath)
    this.#socket = socket
    const splitter = new FrameSplitter(maximumFrameBytes)
    let turn: Promise<void> = Promise.resolve()
    socket.on('connect', () => {
      this.#connections++
    })
    socket.on('data', (chunk: Buffer) => {
      // One request at a time and in order; while one is signed, nothing more is read.
      socket.pause()
      turn = turn.then(() => this.#answer(socket, splitter, chunk))
    })
    // 'close' follows and dials again; a refused connection is the usual state before CometBFT listens.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (!this.#stopped) this.#timer = setTimeout(() => this.#dial(), redialDelay)
    })
  }

  /** Never rejects: bad input closes the socket. */
  async #answer(socket: Socket, splitter: FrameSplitter, chunk: Uint8Array): Promise<void> {
    try {
      for (const frame of splitter.push(chunk)) {
        const answer = await answerSignerRequest(this.#options.signer, decodeUnion('SignerMessage', frame))
        if (socket.destroyed) return
        socket.write(answer)
      }
      socket.resume()
    } catch (error) {
      socket.destroy()
      this.#options.onBadInput(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
