/**
 * Strict reading and growing writing of the binary forms of `spec/`: big-endian integers, fixed and counted bytes.
 * A reader never reads past its end and `finish` refuses what is left over, so every value has one encoding.
 */
import { compareBytes, utf8Bytes, utf8Text } from './bytes.js'
import { assert, OnusError } from './errors.js'

/** Reads `bytes` from the start; every method rejects `truncated` when too few are left. `what` names the object. */
export class BinaryReader {
  readonly bytes: Uint8Array
  readonly what: string
  position = 0
  readonly #view: DataView

  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes
    this.what = what
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.bytes.length - this.position
  }

  #take(length: number, field: string): number {
    if (length > this.remaining)
      throw new OnusError(
        'truncated',
        `${this.what} ends in ${field}: ${length} bytes expected, ${this.remaining} left`,
      )
    const at = this.position
    this.position += length
    return at
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field))
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#take(2, field))
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#take(4, field))
  }

  /** A 64-bit integer that must be below 2^53. Rejects `integer-range`. */
  u64(field: string): number {
    const at = this.#take(8, field)
    // Two halves, not a bigint: block data is made of these, and bigints took half of the time of its decoding.
    const value = this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4)
    if (value > Number.MAX_SAFE_INTEGER)
      throw new OnusError('integer-range', `${field} of ${this.what} must be below 2^53, got about ${value}`)
    return value
  }

  bigU64(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field))
  }

  /** The next `length` bytes as a view into the input. */
  take(length: number, field: string): Uint8Array {
    const at = this.#take(length, field)
    return this.bytes.subarray(at, at + length)
  }

  /** Bytes behind a one-byte length. */
  shortBytes(field: string): Uint8Array {
    return this.take(this.u8(field), field)
  }

  shortText(field: string): string {
    return utf8Text(this.shortBytes(field))
  }

  /** Rejects `bad-tag` unless the next bytes are the ASCII `tag`. */
  tag(tag: string): void {
    const expected = utf8Bytes(tag)
    if (this.remaining < expected.length || compareBytes(this.take(expected.length, 'tag'), expected) !== 0)
      throw new OnusError('bad-tag', `${this.what} must begin with ${JSON.stringify(tag)}`)
  }

  /** Rejects `trailing-bytes` unless everything was read. */
  finish(): void {
    if (this.remaining !== 0)
      throw new OnusError('trailing-bytes', `${this.what} has ${this.remaining} bytes behind its end`)
  }
}

/** Writes into a buffer that doubles as needed. Ranges are invariants here: what is written was checked before. */
export class BinaryWriter {
  #bytes: Uint8Array
  #view: DataView
  length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Makes room and gives its place. Replaces the buffer, so it must run before the buffer or its view is named. */
  #grow(length: number): number {
    const at = this.length
    this.length += length
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return at
  }

  u8(value: number): this {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xff, 'an 8-bit integer')
    const at = this.#grow(1)
    this.#view.setUint8(at, value)
    return this
  }

  u16(value: number): this {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xffff, 'a 16-bit integer')
    const at = this.#grow(2)
    this.#view.setUint16(at, value)
    return this
  }

  u32(value: number): this {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xffffffff, 'a 32-bit integer')
    const at = this.#grow(4)
    this.#view.setUint32(at, value)
    return this
  }

  u64(value: number | bigint): this {
    if (typeof value === 'number') {
      assert(Number.isSafeInteger(value) && value >= 0, 'a number below 2^53')
      const at = this.#grow(8)
      this.#view.setUint32(at, Math.floor(value / 2 ** 32))
      this.#view.setUint32(at + 4, value % 2 ** 32)
      return this
    }
    assert(value >= 0n && value < 1n << 64n, 'a 64-bit integer')
    const at = this.#grow(8)
    this.#view.setBigUint64(at, value)
    return this
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  shortBytes(bytes: Uint8Array): this {
    return this.u8(bytes.length).bytes(bytes)
  }

  shortText(text: string): this {
    return this.shortBytes(utf8Bytes(text))
  }

  tag(tag: string): this {
    return this.bytes(utf8Bytes(tag))
  }

  /** What was written; nothing may be written after it. Never a view into a larger buffer. */
  finish(): Uint8Array {
    return this.length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.length)
  }
}
