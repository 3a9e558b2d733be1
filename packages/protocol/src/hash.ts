/**
 * Hash functions of the protocol and the records they are taken over (`spec/encoding.md` 2).
 * SHA-256 for state, receipts and consensus; Keccak-256 for signed objects and Swarm. A party with a faster
 * implementation (native, SIMD) passes its own `Hasher`; `nobleHasher` runs everywhere and is the reference.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { putInteger, wordLength, wordOfText } from './bytes.js'
import { assert } from './errors.js'

export interface Hasher {
  /** SHA-256 of each 64-byte block of `input` (n x 64 bytes) into `output` (n x 32 bytes); no overlap allowed. */
  hashPairs(input: Uint8Array, output: Uint8Array): void
  /** SHA-256, 32 bytes. */
  sha256(data: Uint8Array): Uint8Array
  /** Keccak-256 (the original padding, as Ethereum and Swarm use it), 32 bytes. */
  keccak256(data: Uint8Array): Uint8Array
}

export const nobleHasher: Hasher = {
  hashPairs(input, output) {
    assert(input.length === 2 * output.length && input.length % 64 === 0, 'hashPairs takes n x 64 and n x 32 bytes')
    for (let i = 0; i < output.length; i += wordLength) output.set(sha256(input.subarray(2 * i, 2 * i + 64)), i)
  },
  sha256: (data) => sha256(data),
  keccak256: (data) => keccak_256(data),
}

const tagWords = new Map<string, Uint8Array>()

function tagWord(tag: string): Uint8Array {
  let word = tagWords.get(tag)
  if (word === undefined) {
    word = wordOfText(tag)
    tagWords.set(tag, word)
  }
  return word
}

/** A field of a record: a word, at most 32 bytes (right-aligned, zeros before), or an integer below 2^53. */
export type RecordField = Uint8Array | number

function putRecord(target: Uint8Array, tag: string, fields: readonly RecordField[]): void {
  target.set(tagWord(tag))
  let at = wordLength
  for (const field of fields) {
    if (typeof field === 'number') {
      target.fill(0, at, at + wordLength)
      putInteger(target, at, field)
    } else {
      assert(field.length <= wordLength, `a field of record ${tag} has ${field.length} bytes`)
      if (field.length < wordLength) target.fill(0, at, at + wordLength)
      target.set(field, at + wordLength - field.length)
    }
    at += wordLength
  }
}

/** `tag` as a text word, then the fields, a word each, in one byte string. */
export function recordBytes(tag: string, fields: readonly RecordField[]): Uint8Array {
  const bytes = new Uint8Array((fields.length + 1) * wordLength)
  putRecord(bytes, tag, fields)
  return bytes
}

/** Where records are put together to be hashed at once; the longest has 9 words. */
const scratch = new Uint8Array(16 * wordLength)

/** SHA-256 of a record: `sha256(tag word ‖ words)`, 32 bytes. Fixed width, so no two records share an encoding. */
export function recordHash(hasher: Hasher, tag: string, fields: readonly RecordField[]): Uint8Array {
  const length = (fields.length + 1) * wordLength
  assert(length <= scratch.length, 'a record has at most 16 words')
  putRecord(scratch, tag, fields)
  return hasher.sha256(scratch.subarray(0, length))
}
