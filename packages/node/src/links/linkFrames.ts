/** Frames of a link: u32 length and one envelope. A frame over the limit ends the connection. */
import { OnusError } from '@onus/protocol/errors'

export function frameOf(envelope: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(4 + envelope.length)
  frame.writeUInt32BE(envelope.length)
  frame.set(envelope, 4)
  return frame
}

export class FrameReader {
  readonly #maximumBytes: number
  #rest: Buffer = Buffer.alloc(0)

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes
  }

  /** The envelopes completed by `chunk`, as copies. Rejects `link-frame` on an empty or oversized one. */
  push(chunk: Buffer): Uint8Array[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const envelopes: Uint8Array[] = []
    let at = 0
    while (bytes.length - at >= 4) {
      const length = bytes.readUInt32BE(at)
      if (length === 0 || length > this.#maximumBytes)
        throw new OnusError('link-frame', `expected an envelope of 1 to ${this.#maximumBytes} bytes, got ${length}`)
      if (bytes.length - at - 4 < length) break
      envelopes.push(new Uint8Array(bytes.subarray(at + 4, at + 4 + length)))
      at += 4 + length
    }
    this.#rest = Buffer.from(bytes.subarray(at))
    return envelopes
  }
}
