/**
 * Splits a byte stream into frames (varint length, then that many bytes), the form of both sockets of CometBFT (ABCI
 * and `privval`). A frame above the limit or an ill-formed length is an `OnusError` and the stream is lost.
 */
import { OnusError } from '@onus/protocol/errors'

/** Length and number of bytes of the varint at `at`, or null if more bytes are needed. */
function readLength(bytes: Uint8Array, at: number, limit: number): { length: number; size: number } | null {
  let length = 0
  for (let size = 0; at + size < bytes.length; ) {
    const byte = bytes[at + size] as number
    length += (byte & 0x7f) * 128 ** size
    size++
    if (length > limit) throw new OnusError('frame-too-long', `expected a frame of at most ${limit} bytes, got more`)
    if (byte < 0x80) {
      if (byte === 0 && size > 1) throw new OnusError('frame-length', 'expected a frame length in its shortest form')
      return { length, size }
    }
    if (size === 5) throw new OnusError('frame-length', 'expected a frame length of at most 5 bytes')
  }
  return null
}

/** Takes chunks as they come and gives whole frames; chunks are joined only when the awaited frame is complete. */
export class FrameSplitter {
  readonly #limit: number
  #chunks: Uint8Array[] = []
  #buffered = 0
  /** Bytes that must be there before splitting is worth another try. */
  #awaited = 1

  /** `limit`: longest frame in bytes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Frames that `chunk` completes, as views. Throws `frame-too-long` or `frame-length`. */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    if (this.#buffered < this.#awaited) return []
    const bytes = this.#join()
    const frames: Uint8Array[] = []
    let at = 0
    this.#awaited = 1
    while (at < bytes.length) {
      const head = readLength(bytes, at, this.#limit)
      if (head === null) {
        this.#awaited = bytes.length - at + 1
        break
      }
      const end = at + head.size + head.length
      if (end > bytes.length) {
        this.#awaited = end - at
        break
      }
      frames.push(bytes.subarray(at + head.size, end))
      at = end
    }
    const rest = bytes.subarray(at)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#buffered = rest.length
    return frames
  }

  #join(): Uint8Array {
    const [first] = this.#chunks
    if (first !== undefined && this.#chunks.length === 1)
      return new Uint8Array(first.buffer, first.byteOffset, first.byteLength)
    const joined = new Uint8Array(this.#buffered)
    let at = 0
    for (const chunk of this.#chunks) {
      joined.set(chunk, at)
      at += chunk.length
    }
    return joined
  }
}
