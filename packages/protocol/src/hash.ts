/**
 * Hash functions of the protocol and the records they are taken over (`spec/encoding.md` 2).
 * SHA-256 for state, receipts and consensus; Keccak-256 for signed objects and Swarm. A party with a faster
 * implementation (native, SIMD) passes its own `Hasher`; `nobleHasher` runs everywhere and is the reference.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { wordLength, wordOfText } from './bytes.js'
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

/** `tag` as a text word, then `words` (32 bytes each), in one byte string. */
export function recordBytes(tag: string, words: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array((words.length + 1) * wordLength)
  bytes.set(wordOfText(tag))
  words.forEach((word, index) => {
    assert(word.length === wordLength, `word ${index} of record ${tag} has ${word.length} bytes`)
    bytes.set(word, (index + 1) * wordLength)
  })
  return bytes
}

/** SHA-256 of a record: `sha256(tag word ‖ words)`, 32 bytes. Fixed width, so no two records share an encoding. */
export function recordHash(hasher: Hasher, tag: string, words: readonly Uint8Array[]): Uint8Array {
  return hasher.sha256(recordBytes(tag, words))
}
