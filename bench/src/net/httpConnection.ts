/**
 * HTTP/1.1 over one kept connection, one request at a time, as little of it as gateways and CometBFT's RPC need: answers
 * with `content-length`. A tenth of the CPU of Node's own client, which would else be measured with the servers.
 */
import { connect, type Socket } from 'node:net'
import { OnusError } from '@onus/protocol/errors'

export interface HttpReply {
  readonly status: number
  readonly body: Uint8Array
}

interface Waiting {
  resolve(reply: HttpReply): void
  reject(error: unknown): void
}

const headEnd = Buffer.from('\r\n\r\n')

export class HttpConnection {
  readonly #socket: Socket
  readonly #host: string
  #chunks: Buffer[] = []
  #length = 0
  /** Of the answer under way, once its head is there. */
  #head: { status: number; bodyAt: number; end: number } | null = null
  #waiting: Waiting | null = null

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new OnusError('http-closed', `${host} closed the connection`)))
  }

  /** `url` is that of a server, without a path. Rejects with the system's error. */
  static open(url: string): Promise<HttpConnection> {
    const { hostname, port, host } = new URL(url)
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.off('error', reject)
        resolve(new HttpConnection(socket, host))
      })
      socket.once('error', reject)
    })
  }

  /** Rejects `http-form` on an answer that this client does not read, `http-closed` when the server hangs up. */
  send(method: 'GET' | 'POST', path: string, type: string, body: Uint8Array): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      const head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`
      this.#socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]))
    })
  }

  close(): void {
    this.#waiting = null
    this.#socket.destroy()
  }

  #fail(error: unknown): void {
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.reject(error)
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#head === null) this.#readHead()
    if (this.#head === null || this.#length < this.#head.end) return
    const { status, bodyAt, end } = this.#head
    const all = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#length = 0
    this.#head = null
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.resolve({ status, body: new Uint8Array(all.buffer, all.byteOffset + bodyAt, end - bodyAt) })
  }

  #readHead(): void {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    this.#chunks = [all]
    const at = all.indexOf(headEnd)
    if (at < 0) return
    const head = all.toString('latin1', 0, at)
    const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]
    const length = /\r\ncontent-length: *(\d{1,9})(?:\r\n|$)/i.exec(head)?.[1]
    if (status === undefined || length === undefined) {
      this.#fail(new OnusError('http-form', `expected an answer with content-length, got ${head.slice(0, 200)}`))
      this.#socket.destroy()
      return
    }
    const bodyAt = at + headEnd.length
    this.#head = { status: Number(status), bodyAt, end: bodyAt + Number(length) }
  }
}
