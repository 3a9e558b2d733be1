/**
 * The Merkle tree that one signature over many calls covers (`spec/transaction.md` 3): the shape of RFC 6962 over
 * Keccak-256, whose leaves are transaction ids (already hashed with prefix 00) and whose nodes have prefix 01.
 */
import { wordLength } from './bytes.js'
import type { Hasher } from './hash.js'

export function keccakNode(hasher: Hasher, left: Uint8Array, right: Uint8Array): Uint8Array {
  const message = new Uint8Array(1 + 2 * wordLength)
  message[0] = 1
  message.set(left, 1)
  message.set(right, 1 + wordLength)
  return hasher.keccak256(message)
}

/**
 * Root over at least one id. Level by level with an odd last node carried up, which gives the same tree as splitting
 * at the largest power of two.
 */
export function keccakTreeRoot(hasher: Hasher, ids: readonly Uint8Array[]): Uint8Array {
  let level = ids
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array
      const right = level[i + 1]
      above.push(right === undefined ? left : keccakNode(hasher, left, right))
    }
    level = above
  }
  return level[0] as Uint8Array
}
