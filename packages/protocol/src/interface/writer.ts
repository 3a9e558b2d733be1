/** A growing byte buffer for the encoder; doubling keeps appending linear. */

export interface Writer {
  bytes: Uint8Array
  view: DataView
  length: number
}

const initialCapacity = 256

export function writerOf(): Writer {
  const bytes = new Uint8Array(initialCapacity)
  return { bytes, view: new DataView(bytes.buffer), length: 0 }
}

/** Position of `count` new bytes. `bytes` and `view` may be other objects afterwards. */
export function reserve(writer: Writer, count: number): number {
  const position = writer.length
  const needed = position + count
  if (needed > writer.bytes.length) {
    const grown = new Uint8Array(Math.max(needed, 2 * writer.bytes.length))
    grown.set(writer.bytes.subarray(0, position))
    writer.bytes = grown
    writer.view = new DataView(grown.buffer)
  }
  writer.length = needed
  return position
}

export function appendByte(writer: Writer, byte: number): void {
  const position = reserve(writer, 1)
  writer.bytes[position] = byte
}

/** A length or count: 4 bytes little-endian. */
export function writeLength(writer: Writer, length: number): void {
  const position = reserve(writer, 4)
  writer.view.setUint32(position, length, true)
}

export function appendBytes(writer: Writer, bytes: Uint8Array): void {
  const position = reserve(writer, bytes.length)
  writer.bytes.set(bytes, position)
}

/** A copy of what was written. */
export function writtenBytes(writer: Writer): Uint8Array {
  return writer.bytes.slice(0, writer.length)
}
