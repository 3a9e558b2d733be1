/**
 * One ABCI connection: requests answered strictly in order, one at a time, responses written at `Flush` (CometBFT sends
 * one after each call and waits for it). A malformed frame closes this connection only; an error of the application
 * becomes an `exception` response, after which CometBFT gives the connection up.
 */
import type { Socket } from 'node:net'
import { OnusError } from '@onus/protocol/errors'
import { decodeUnion } from '../protobuf/decode.js'
import { encodeUnionFrame } from '../protobuf/encode.js'
import { FrameSplitter } from '../protobuf/frames.js'
import type { Union } from '../protobuf/types.js'
import type { Application } from './application.js'
import { dispatch } from './dispatch.js'

/** Why a connection ended: its input, or the application under the named call. */
export interface AbciFailure {
  readonly cause: 'input' | 'application'
  /** ABCI call, where one had been understood. */
  readonly call: string | undefined
  readonly error: Error
}

/** Frames read ahead of the application; above it the socket rests. CometBFT has at most 256 requests under way. */
const maximumQueued = 512

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

export class AbciConnection {
  readonly #socket: Socket
  readonly #application: Application
  readonly #onFailure: (failure: AbciFailure) => void
  readonly #splitter: FrameSplitter
  readonly #queue: Uint8Array[] = []
  #output: Uint8Array[] = []
  #running = false
  #ended = false

  constructor(
    socket: Socket,
    application: Application,
    maximumFrameBytes: number,
    onFailure: (failure: AbciFailure) => void,
  ) {
    this.#socket = socket
    this.#application = application
    this.#onFailure = onFailure
    this.#splitter = new FrameSplitter(maximumFrameBytes)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('close', () => {
      this.#ended = true
    })
  }

  #receive(chunk: Uint8Array): void {
    if (this.#ended) return
    try {
      this.#queue.push(...this.#splitter.push(chunk))
    } catch (error) {
      this.#fail('input', undefined, asError(error))
      return
    }
    if (this.#queue.length > maximumQueued) this.#socket.pause()
    if (!this.#running) void this.#run()
  }

  /** Answers what is queued. Never rejects: each failure ends the connection through `#fail`. */
  async #run(): Promise<void> {
    this.#running = true
    for (let frame = this.#queue.shift(); frame !== undefined && !this.#ended; frame = this.#queue.shift()) {
      const request = this.#decode(frame)
      if (request === null) break
      const response = await this.#answer(request)
      if (response === null || this.#ended) break
      this.#output.push(response)
      if (request.kind === 'flush' || this.#queue.length === 0) this.#flush()
      if (this.#queue.length === 0 && this.#socket.isPaused()) this.#socket.resume()
    }
    this.#running = false
  }

  #decode(frame: Uint8Array): Union<'Request'> | null {
    try {
      return decodeUnion('Request', frame)
    } catch (error) {
      this.#fail('input', undefined, asError(error))
      return null
    }
  }

  async #answer(request: Union<'Request'>): Promise<Uint8Array | null> {
    try {
      return await dispatch(this.#application, request)
    } catch (thrown) {
      const error = asError(thrown)
      const code = error instanceof OnusError ? `${error.code}: ` : ''
      this.#output.push(encodeUnionFrame('Response', 'exception', { error: `${code}${error.message}` }))
      this.#flush()
      this.#fail('application', request.kind, error)
      return null
    }
  }

  #flush(): void {
    if (this.#output.length === 0 || this.#socket.destroyed) return
    this.#socket.cork()
    for (const bytes of this.#output) this.#socket.write(bytes)
    this.#socket.uncork()
    this.#output = []
  }

  #fail(cause: AbciFailure['cause'], call: string | undefined, error: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#queue.length = 0
    this.#socket.end()
    this.#socket.destroySoon()
    this.#onFailure({ cause, call, error })
  }
}
