/**
 * A WebSocket client (RFC 6455) for texts, which Node 20 does not have: as much of it as CometBFT's RPC needs.
 * No extensions; a message in several frames is put together; pings are answered.
 */
import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { OnusError } from '@onus/protocol/errors'

const opcodes = { continuation: 0, text: 1, close: 8, ping: 9, pong: 10 } as const
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** Far above a block of the benchmark as JSON. */
const longestFrame = 256 * 1024 * 1024

interface Frame {
  readonly isLast: boolean
  readonly opcode: number
  readonly payload: Buffer
  readonly end: number
}

/** The frame at the start of `bytes`, or null while it is not whole. Servers do not mask. */
function frameAt(bytes: Buffer, at: number): Frame | null {
  if (bytes.length < at + 2) return null
  const short = (bytes[at + 1] as number) & 0x7f
  const headLength = short === 126 ? 4 : short === 127 ? 10 : 2
  if (bytes.length < at + headLength) return null
  const length =
    short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short
  if (length > longestFrame) throw new OnusError('websocket-form', `a frame of ${length} bytes`)
  const start = at + headLength
  if (bytes.length < start + length) return null
  const first = bytes[at] as number
  const payload = bytes.subarray(start, start + length)
  return { isLast: (first & 0x80) !== 0, opcode: first & 0x0f, payload, end: start + length }
}

/** A masked frame, as clients send it. */
function encodeFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10)
  head[0] = 0x80 | opcode
  if (head.length === 2) head[1] = 0x80 | length
  else if (head.length === 4) {
    head[1] = 0x80 | 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 0x80 | 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  // The mask protects proxies from scripts in browsers; on loopback a zero mask, which changes nothing, serves.
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

export class WebSocketConnection {
  readonly #socket: Socket
  readonly #onText: (text: string) => void
  readonly #onEnd: (error: Error) => void
  #rest: Buffer = Buffer.alloc(0)
  #parts: Buffer[] = []

  private constructor(socket: Socket, onText: (text: string) => void, onEnd: (error: Error) => void) {
    this.#socket = socket
    this.#onText = onText
    this.#onEnd = onEnd
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', onEnd)
    socket.on('close', () => onEnd(new OnusError('websocket-closed', 'the server closed the connection')))
  }

  /** `onEnd` is told when the connection ends against the will of this side. Rejects `websocket-form`. */
  static open(
    port: number,
    path: string,
    onText: (text: string) => void,
    onEnd: (error: Error) => void,
  ): Promise<WebSocketConnection> {
    const key = randomBytes(16).toString('base64')
    const accept = createHash('sha1')
      .update(key + acceptSuffix)
      .digest('base64')
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.setNoDelay(true)
        socket.write(
          `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n` +
            `sec-websocket-key: ${key}\r\nsec-websocket-version: 13\r\n\r\n`,
        )
      })
      socket.once('error', reject)
      let head = Buffer.alloc(0)
      const readHead = (chunk: Buffer): void => {
        head = Buffer.concat([head, chunk])
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        socket.off('data', readHead)
        socket.off('error', reject)
        const text = head.toString('latin1', 0, end)
        if (!text.startsWith('HTTP/1.1 101') || !text.includes(accept)) {
          socket.destroy()
          reject(new OnusError('websocket-form', `no WebSocket at ${path} of port ${port}: ${text.slice(0, 100)}`))
          return
        }
        const connection = new WebSocketConnection(socket, onText, onEnd)
        connection.#take(head.subarray(end + 4))
        resolve(connection)
      }
      socket.on('data', readHead)
    })
  }

  send(text: string): void {
    this.#socket.write(encodeFrame(opcodes.text, Buffer.from(text)))
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.removeAllListeners('error')
    this.#socket.on('error', () => undefined)
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    try {
      for (let frame = frameAt(bytes, at); frame !== null; frame = frameAt(bytes, at)) {
        at = frame.end
        this.#handle(frame)
      }
    } catch (error) {
      this.close()
      this.#onEnd(error as Error)
      return
    }
    this.#rest = bytes.subarray(at)
  }

  #handle({ opcode, payload, isLast }: Frame): void {
    if (opcode === opcodes.ping) this.#socket.write(encodeFrame(opcodes.pong, payload))
    if (opcode !== opcodes.text && opcode !== opcodes.continuation) return
    if (isLast && this.#parts.length === 0) {
      this.#onText(payload.toString('utf8'))
      return
    }
    this.#parts.push(Buffer.from(payload))
    if (!isLast) return
    const whole = Buffer.concat(this.#parts)
    this.#parts = []
    this.#onText(whole.toString('utf8'))
  }
}
