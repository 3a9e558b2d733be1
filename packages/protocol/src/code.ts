/**
 * Code reference of a backend (`spec/manifest.md` 4): what the manifest names as the code that ran. Every party recomputes
 * it from the original module by the named lowering version (S14).
 */
import { wordOfInteger } from './bytes.js'
import { type Hasher, recordHash } from './hash.js'

export interface CodeParts {
  /** Swarm reference of the module as its developer built it. */
  readonly moduleReference: Uint8Array
  /** SHA-256 of M1, the metered module that is hashed, stepped and disputed. */
  readonly meteredHash: Uint8Array
  readonly loweringVersion: number
  /** Of 64 KiB each. */
  readonly maximumMemoryPages: number
}

export function codeReference(hasher: Hasher, parts: CodeParts): Uint8Array {
  return recordHash(hasher, 'onus/code/1', [
    parts.moduleReference,
    parts.meteredHash,
    wordOfInteger(parts.loweringVersion),
    wordOfInteger(parts.maximumMemoryPages),
  ])
}
