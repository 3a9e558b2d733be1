/** The hasher that a node uses: native SHA-256 in batches. */
import hashtree from '@chainsafe/hashtree'
import { type Hasher, nobleHasher } from '@onus/protocol/hash'

export const nativeHasher: Hasher = {
  ...nobleHasher,
  hashPairs: (input, output) => hashtree.hashInto(input, output),
}
