/**
 * Direct links between the gateways (`consensus.md`, Idle chain 2): every envelope that a gateway takes goes to all
 * members at once, so that whoever proposes next has it. Nothing depends on them but speed: what a broken link loses is
 * proposed by its own gateway. An envelope is not passed on by its receiver.
 */
import type { Socket } from 'node:net'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { OnusError } from '@onus/protocol/errors'
import { FrameReader, frameOf } from './linkFrames.js'
import { linkCiphers, sharedLinkKey } from './linkKey.js'

export interface LinkPeer {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Compressed link key, 33 bytes. */
  readonly publicKey: Uint8Array
}

export interface LinksOptions {
  readonly chainId: string
  readonly host: string
  readonly port: number
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
  readonly peers: readonly LinkPeer[]
  readonly maximumEnvelopeBytes: number
  /** `peer` is the place of the sender in `peers`. */
  readonly onEnvelopes: (envelopes: readonly Uint8Array[], peer: number) => void
}

const redialMilliseconds = 500
/** A peer that reads slower than this much behind gets no more until it caught up: it can do without. */
const maximumBufferedBytes = 8 * 1024 * 1024

/** Errors of a socket are ends of connections; both ends redial. */
const ignoreError = (): void => {}

export class Links {
  readonly #options: LinksOptions
  readonly #identity: string
  readonly #outgoing = new Map<string, TLSSocket>()
  /** Every open connection, also before its handshake is done. */
  readonly #sockets = new Set<Socket>()
  readonly #timers = new Set<NodeJS.Timeout>()
  /** What each accepted connection was keyed for. */
  readonly #identities = new WeakMap<TLSSocket, string>()
  #server: Server | null = null
  #stopped = false
  #frames: Buffer[] = []

  constructor(options: LinksOptions) {
    this.#options = options
    this.#identity = Buffer.from(options.publicKey).toString('hex')
  }

  /** Names of the peers that envelopes are sent to now. */
  get connected(): string[] {
    return [...this.#outgoing.keys()]
  }

  async start(): Promise<void> {
    const { chainId, privateKey, peers, host, port } = this.#options
    const keys = new Map(
      peers.map(({ publicKey }) => [
        Buffer.from(publicKey).toString('hex'),
        sharedLinkKey(chainId, privateKey, publicKey),
      ]),
    )
    const server = createServer(
      {
        ciphers: linkCiphers,
        maxVersion: 'TLSv1.2',
        pskCallback: (socket, identity) => {
          this.#identities.set(socket, identity)
          return keys.get(identity) ?? null
        },
      },
      (socket) => this.#accept(socket, [...keys.keys()].indexOf(this.#identities.get(socket) ?? '')),
    )
    server.on('tlsClientError', ignoreError)
    server.on('connection', (socket: Socket) => this.#keep(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(
          new OnusError('link-port', `links cannot listen on ${host}:${port}: ${cause.message}`, {
            remedy: 'choose another port',
          }),
        ),
      )
      server.listen(port, host, resolve)
    })
    for (const peer of peers) this.#dial(peer)
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #accept(socket: TLSSocket, peer: number): void {
    const reader = new FrameReader(this.#options.maximumEnvelopeBytes)
    socket.on('error', ignoreError)
    socket.on('data', (chunk: Buffer) => {
      try {
        const envelopes = reader.push(chunk)
        if (envelopes.length > 0) this.#options.onEnvelopes(envelopes, peer)
      } catch {
        socket.destroy()
      }
    })
  }

  #dial(peer: LinkPeer): void {
    if (this.#stopped) return
    const psk = sharedLinkKey(this.#options.chainId, this.#options.privateKey, peer.publicKey)
    const socket = connect({
      host: peer.host,
      port: peer.port,
      ciphers: linkCiphers,
      maxVersion: 'TLSv1.2',
      pskCallback: () => ({ psk, identity: this.#identity }),
      // The pre-shared key names the peer; there is no certificate to check.
      checkServerIdentity: () => undefined,
    })
    this.#keep(socket)
    socket.setNoDelay(true)
    socket.on('error', ignoreError)
    socket.once('secureConnect', () => this.#outgoing.set(peer.name, socket))
    // A peer sends nothing on the connection that it accepted; what comes is read away.
    socket.resume()
    socket.once('close', () => {
      if (this.#outgoing.get(peer.name) === socket) this.#outgoing.delete(peer.name)
      if (this.#stopped) return
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        this.#dial(peer)
      }, redialMilliseconds)
      this.#timers.add(timer)
    })
  }

  /**
   * Sends an envelope to all peers, together with the others of this turn of the event loop: a record of TLS costs more
   * than what is in it.
   */
  send(envelope: Uint8Array): void {
    this.#frames.push(frameOf(envelope))
    if (this.#frames.length === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const frames = Buffer.concat(this.#frames)
    this.#frames = []
    for (const socket of this.#outgoing.values()) if (socket.writableLength < maximumBufferedBytes) socket.write(frames)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const socket of this.#sockets) socket.destroy()
    const server = this.#server
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()))
  }
}
