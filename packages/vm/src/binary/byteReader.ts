/**
 * Cursor over untrusted bytes of a WebAssembly module: integers in LEB128, byte strings, counts.
 * Every read is bounded by `end`, every count by the bytes that remain, so no input makes it hang or allocate more
 * than a small multiple of its own size. Rejections have the code `module-malformed`.
 */
import { OnusError } from '@onus/protocol/errors'

export function malformed(message: string, position: number): OnusError {
  return new OnusError('module-malformed', `${message} at byte ${position}`)
}

export class ByteReader {
  readonly bytes: Uint8Array
  position: number
  end: number

  constructor(bytes: Uint8Array, position = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  u8(): number {
    if (this.position >= this.end) throw malformed('unexpected end', this.position)
    return this.bytes[this.position++] as number
  }

  /** Unsigned LEB128 of at most 32 bits in at most 5 bytes. */
  u32(): number {
    let result = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8()
      if (shift === 28 && byte > 15) throw malformed('integer above 32 bits', this.position - 1)
      result += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return result
    }
  }

  /** Signed LEB128 of at most `bits` bits (33 or 64). */
  signed(bits: number): bigint {
    let result = 0n
    let shift = 0
    const last = 7 * Math.ceil(bits / 7) - 7
    for (;;) {
      const byte = this.u8()
      result |= BigInt(byte & 0x7f) << BigInt(shift)
      if (shift === last && byte >= 0x80) throw malformed(`integer above ${bits} bits`, this.position - 1)
      shift += 7
      if (byte < 0x80) break
    }
    const value = BigInt.asIntN(shift, result)
    if (BigInt.asIntN(bits, value) !== value) throw malformed(`integer above ${bits} bits`, this.position - 1)
    return value
  }

  /** Signed LEB128 of at most 32 bits. */
  s32(): number {
    let result = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8()
      if (shift === 28 && (byte & 0xf8) !== 0 && (byte & 0xf8) !== 0x78)
        throw malformed('integer above 32 bits', this.position - 1)
      result |= (byte & 0x7f) << shift
      if (byte < 0x80) return shift < 28 && (byte & 0x40) !== 0 ? result | (-1 << (shift + 7)) : result
    }
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    if (length > this.remaining) throw malformed(`${length} bytes announced, ${this.remaining} remain`, this.position)
    this.position += length
    return this.bytes.subarray(this.position - length, this.position)
  }

  /** A length and that many bytes: names, custom data. */
  lengthPrefixed(): Uint8Array {
    return this.take(this.u32())
  }

  /** A count of elements that take at least one byte each. */
  count(): number {
    const count = this.u32()
    if (count > this.remaining)
      throw malformed(`${count} elements announced, ${this.remaining} bytes remain`, this.position)
    return count
  }

  /** A vector: a count, then `element` that often. */
  vector<T>(element: () => T): T[] {
    const result: T[] = []
    for (let left = this.count(); left > 0; left--) result.push(element())
    return result
  }
}
