/** Growing byte string with the integer encodings of WebAssembly; always the shortest LEB128. */

export class ByteWriter {
  private buffer: Uint8Array
  length = 0

  constructor(capacity = 256) {
    this.buffer = new Uint8Array(capacity)
  }

  private reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(2 * this.buffer.length, needed))
    larger.set(this.buffer.subarray(0, this.length))
    this.buffer = larger
  }

  u8(value: number): this {
    this.reserve(1)
    this.buffer[this.length++] = value
    return this
  }

  /** Unsigned LEB128; `value` is an integer below 2^53. */
  u32(value: number): this {
    this.reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.buffer[this.length++] = rest
    return this
  }

  /** Signed LEB128 of the 32 low bits of `value`. */
  s32(value: number): this {
    this.reserve(5)
    let rest = value | 0
    for (;;) {
      const low = rest & 0x7f
      rest >>= 7
      if ((rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)) return this.u8(low)
      this.buffer[this.length++] = low | 0x80
    }
  }

  /** Signed LEB128 of the 64 low bits of `value`. */
  s64(value: bigint): this {
    this.reserve(10)
    let rest = BigInt.asIntN(64, value)
    for (;;) {
      const low = Number(rest & 0x7fn)
      rest >>= 7n
      if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) return this.u8(low)
      this.buffer[this.length++] = low | 0x80
    }
  }

  append(bytes: Uint8Array): this {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
    return this
  }

  lengthPrefixed(bytes: Uint8Array): this {
    return this.u32(bytes.length).append(bytes)
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.buffer.slice(0, this.length)
  }
}
