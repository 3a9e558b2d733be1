/**
 * The trees of `spec/encoding.md` written a second time, straight from their definitions and with another hash
 * implementation where there is one (`node:crypto` for SHA-256). Slow on purpose: nothing here is shared with `src`.
 */
import { createHash } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'

type Bytes = Uint8Array

export function sha256(...parts: readonly Bytes[]): Bytes {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export function keccak(...parts: readonly Bytes[]): Bytes {
  return keccak_256(new Uint8Array(Buffer.concat(parts)))
}

/** Largest power of two below `n`, for n > 1. */
function split(n: number): number {
  return 2 ** (Math.ceil(Math.log2(n)) - 1)
}

/** RFC 6962 section 2.1, MTH(D[n]). */
export function merkleTreeHash(items: readonly Bytes[]): Bytes {
  if (items.length === 0) return sha256()
  if (items.length === 1) return sha256(Uint8Array.of(0), items[0] as Bytes)
  const k = split(items.length)
  return sha256(Uint8Array.of(1), merkleTreeHash(items.slice(0, k)), merkleTreeHash(items.slice(k)))
}

/** RFC 6962 section 2.1.1, PATH(m, D[n]). */
export function auditPath(m: number, items: readonly Bytes[]): Bytes[] {
  if (items.length <= 1) return []
  const k = split(items.length)
  return m < k
    ? [...auditPath(m, items.slice(0, k)), merkleTreeHash(items.slice(k))]
    : [...auditPath(m - k, items.slice(k)), merkleTreeHash(items.slice(0, k))]
}

/** RFC 9162 section 2.1.3.2: the root that an inclusion proof gives, or null where its steps say "fail". */
export function rootOfInclusionProof(leaf: Bytes, index: number, size: number, path: readonly Bytes[]): Bytes | null {
  if (index < 0 || index >= size) return null
  let fn = index
  let sn = size - 1
  let root = leaf
  for (const p of path) {
    if (sn === 0) return null
    if (fn % 2 === 1 || fn === sn) {
      root = sha256(Uint8Array.of(1), p, root)
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2)
        sn = Math.floor(sn / 2)
      }
    } else root = sha256(Uint8Array.of(1), root, p)
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 ? root : null
}

/** Fixed-depth tree: the node at `depth` over the leaves from `first`, all 2^depth of them visited unless all empty. */
export function fixedTreeNode(leaves: readonly Bytes[], depth: number, first = 0): Bytes {
  if (depth === 0) return leaves[first] ?? new Uint8Array(32)
  if (first >= leaves.length) {
    const empty = fixedTreeNode([], depth - 1)
    return sha256(empty, empty)
  }
  return sha256(fixedTreeNode(leaves, depth - 1, first), fixedTreeNode(leaves, depth - 1, first + 2 ** (depth - 1)))
}

/** The batch tree of `spec/transaction.md` 3 over ids, by splitting. */
export function keccakTreeHash(ids: readonly Bytes[]): Bytes {
  if (ids.length === 1) return ids[0] as Bytes
  const k = split(ids.length)
  return keccak(Uint8Array.of(1), keccakTreeHash(ids.slice(0, k)), keccakTreeHash(ids.slice(k)))
}

function binaryMerkle(segments: Bytes): Bytes {
  if (segments.length === 32) return segments
  const half = segments.length / 2
  return keccak(binaryMerkle(segments.subarray(0, half)), binaryMerkle(segments.subarray(half)))
}

/** Address of a chunk from the Book of Swarm: the payload is padded to 4,096 bytes and halved down to segments. */
export function naiveChunkAddress(payload: Bytes, span: number): Bytes {
  const padded = new Uint8Array(4096)
  padded.set(payload)
  const prefix = new Uint8Array(8)
  for (let i = 0, rest = span; i < 8; i++, rest = Math.floor(rest / 256)) prefix[i] = rest % 256
  return keccak(prefix, binaryMerkle(padded))
}

/** Swarm reference from the top down: each child but the last covers the largest 4,096 x 128^k bytes below the span. */
export function naiveSwarmReference(data: Bytes): Bytes {
  if (data.length <= 4096) return naiveChunkAddress(data, data.length)
  let childSpan = 4096
  while (childSpan * 128 < data.length) childSpan *= 128
  const children: Bytes[] = []
  for (let at = 0; at < data.length; at += childSpan)
    children.push(naiveSwarmReference(data.subarray(at, at + childSpan)))
  return naiveChunkAddress(new Uint8Array(Buffer.concat(children)), data.length)
}
