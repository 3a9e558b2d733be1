/**
 * Byte strings: hexadecimal, comparison, fixed-width big-endian integers and 32-byte words.
 * `spec/encoding.md` 1: every integer in a hashed record is big-endian and every field of a record is a 32-byte word.
 */
import { assert, OnusError } from './errors.js'

const hexDigits = '0123456789abcdef'

/** Lower-case hexadecimal without prefix. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15)
  return text
}

/** Bytes of a hexadecimal text, with or without `0x`. Rejects `hex` on an odd length or another character. */
export function fromHex(text: string): Uint8Array {
  const digits = text.startsWith('0x') ? text.slice(2) : text
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits))
    throw new OnusError('hex', `expected hexadecimal digits in pairs, got ${JSON.stringify(text.slice(0, 80))}`)
  const bytes = new Uint8Array(digits.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Lexicographic order of unsigned bytes: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const result = new Uint8Array(length)
  let position = 0
  for (const part of parts) {
    result.set(part, position)
    position += part.length
  }
  return result
}

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function utf8Bytes(text: string): Uint8Array {
  return utf8Encoder.encode(text)
}

/** Text of UTF-8 bytes. Rejects `utf-8` on malformed input; a byte order mark is kept. */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return utf8Decoder.decode(bytes)
  } catch (cause) {
    throw new OnusError('utf-8', 'expected well-formed UTF-8', { cause })
  }
}

/** A 32-byte word. */
export const wordLength = 32

export function isZero(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false
  return true
}

/** 32-byte big-endian word of an unsigned integer below 2^64 (`number`: below 2^53). */
export function wordOfInteger(value: number | bigint): Uint8Array {
  const word = new Uint8Array(wordLength)
  if (typeof value === 'number') {
    putInteger(word, 0, value)
    return word
  }
  assert(value >= 0n && value < 1n << 64n, 'a word integer is below 2^64')
  new DataView(word.buffer).setBigUint64(24, value)
  return word
}

/**
 * Writes an unsigned integer below 2^53 into the last 8 bytes of the word at `at`; the 24 bytes before are left. Plain
 * arithmetic: through bigints this took a fifteenth of a block's execution.
 */
export function putInteger(target: Uint8Array, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'an integer below 2^53')
  const high = Math.floor(value / 2 ** 32)
  const low = value >>> 0
  const end = at + wordLength
  target[end - 8] = high >>> 24
  target[end - 7] = high >>> 16
  target[end - 6] = high >>> 8
  target[end - 5] = high
  target[end - 4] = low >>> 24
  target[end - 3] = low >>> 16
  target[end - 2] = low >>> 8
  target[end - 1] = low
}

/** 32-byte word with `bytes` (at most 32) at its right end, zeros before: addresses and hashes. */
export function wordOfBytes(bytes: Uint8Array): Uint8Array {
  assert(bytes.length <= wordLength, 'a word holds at most 32 bytes')
  if (bytes.length === wordLength) return bytes
  const word = new Uint8Array(wordLength)
  word.set(bytes, wordLength - bytes.length)
  return word
}

/** 32-byte word with ASCII `text` (at most 32 characters) at its left end, zeros behind: domain tags, versions. */
export function wordOfText(text: string): Uint8Array {
  assert(text.length <= wordLength && /^[\x20-\x7e]*$/.test(text), 'a text word is at most 32 ASCII characters')
  const word = new Uint8Array(wordLength)
  word.set(utf8Bytes(text))
  return word
}
