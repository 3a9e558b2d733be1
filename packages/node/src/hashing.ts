/**
 * The fast hash functions of a node: SHA-256 pairs by `@chainsafe/hashtree` (native, 35 ns a pair in batches), SHA-256
 * by OpenSSL, Keccak and Swarm addresses by the SIMD module of `vm/keccak`. Where hashtree has no prebuilt binary the
 * portable functions serve, some twenty times slower; `hashingNote` says so.
 */
import { createHash, hash } from 'node:crypto'
import { createRequire } from 'node:module'
import { nobleHasher } from '@onus/protocol/hash'
import type { Hashing } from '@onus/state-transition/clusterState'
import { createKeccak } from '@onus/vm/keccak/keccak'

interface Hashtree {
  hashInto(input: Uint8Array, output: Uint8Array): void
}

function loadHashtree(): Hashtree | null {
  try {
    return createRequire(import.meta.url)('@chainsafe/hashtree') as Hashtree
  } catch {
    return null
  }
}

const hashtree = loadHashtree()

/** What an operator should know of the hash functions in use, or null. */
export const hashingNote: string | null =
  hashtree === null ? 'no prebuilt @chainsafe/hashtree for this platform: state hashing is about 20 times slower' : null

/** One call where Node has it (20.12): a third less than with an object for each hash. */
function sha256(data: Uint8Array): Uint8Array {
  const digest =
    typeof hash === 'function' ? hash('sha256', data, 'buffer') : createHash('sha256').update(data).digest()
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.length)
}

export function createHashing(): Hashing {
  const keccak = createKeccak()
  return {
    hashPairs: hashtree === null ? nobleHasher.hashPairs : (input, output) => hashtree.hashInto(input, output),
    sha256,
    keccak256: (data) => keccak.keccak256(data),
    swarmReference: (data) => keccak.swarmReference(data),
  }
}
