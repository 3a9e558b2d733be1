/**
 * Swarm addresses (`spec/block-data.md` 3, Book of Swarm 2.2): a chunk is up to 4,096 bytes; its address is
 * keccak256(span as 8 bytes little-endian ‖ root of the binary Keccak tree over its 128 zero-padded segments).
 * Longer data is a tree of chunks with 128 references each; a lone last chunk of a level is carried up unwrapped.
 * This is the portable form; nodes use the SIMD module of `vm/keccak`, checked against the same vectors.
 */
import { wordLength } from './bytes.js'
import { assert } from './errors.js'
import type { Hasher } from './hash.js'

export const chunkLength = 4096
export const segmentsPerChunk = 128
const treeDepth = 7

/** `zeroSegments[d]` is the Keccak root over 2^d zero segments. */
const zeroRoots = new WeakMap<Hasher, Uint8Array[]>()

function zeroSegments(hasher: Hasher): Uint8Array[] {
  let roots = zeroRoots.get(hasher)
  if (roots === undefined) {
    roots = [new Uint8Array(wordLength)]
    for (let depth = 0; depth < treeDepth; depth++) {
      const pair = new Uint8Array(2 * wordLength)
      pair.set(roots[depth] as Uint8Array)
      pair.set(roots[depth] as Uint8Array, wordLength)
      roots.push(hasher.keccak256(pair))
    }
    zeroRoots.set(hasher, roots)
  }
  return roots
}

/** The levels of the tree over the segments of `payload`, from the segments up; the last has one node. */
function segmentLevels(hasher: Hasher, payload: Uint8Array): Uint8Array[][] {
  assert(payload.length <= chunkLength, 'a chunk holds at most 4,096 bytes')
  const zeros = zeroSegments(hasher)
  let level: Uint8Array[] = []
  for (let at = 0; at < payload.length; at += wordLength) {
    const segment = new Uint8Array(wordLength)
    segment.set(payload.subarray(at, at + wordLength))
    level.push(segment)
  }
  const levels = [level]
  for (let depth = 0; depth < treeDepth; depth++) {
    const above: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const pair = new Uint8Array(2 * wordLength)
      pair.set(level[i] as Uint8Array)
      pair.set(level[i + 1] ?? (zeros[depth] as Uint8Array), wordLength)
      above.push(hasher.keccak256(pair))
    }
    levels.push(above)
    level = above
  }
  return levels
}

function spanBytes(span: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(span), true)
  return bytes
}

/** Address of one chunk, 32 bytes; `span` is the number of data bytes under it. */
export function chunkAddress(hasher: Hasher, payload: Uint8Array, span: number = payload.length): Uint8Array {
  const root = segmentLevels(hasher, payload)[treeDepth]?.[0] ?? (zeroSegments(hasher)[treeDepth] as Uint8Array)
  const message = new Uint8Array(8 + wordLength)
  message.set(spanBytes(span))
  message.set(root, 8)
  return hasher.keccak256(message)
}

/** The 7 siblings of segment `index` (0 to 127) in a chunk, from the bottom up: 224 bytes. */
export function segmentProof(hasher: Hasher, payload: Uint8Array, index: number): Uint8Array {
  assert(index >= 0 && index < segmentsPerChunk, 'a chunk has 128 segments')
  const levels = segmentLevels(hasher, payload)
  const proof = new Uint8Array(treeDepth * wordLength)
  for (let depth = 0; depth < treeDepth; depth++)
    proof.set(levels[depth]?.[(index >> depth) ^ 1] ?? (zeroSegments(hasher)[depth] as Uint8Array), depth * wordLength)
  return proof
}

/** The chunk address that `segment` at `index` has under a proof of 7 siblings and the span. */
export function addressOfSegmentProof(
  hasher: Hasher,
  segment: Uint8Array,
  index: number,
  proof: Uint8Array,
  span: number,
): Uint8Array {
  assert(proof.length === treeDepth * wordLength && segment.length === wordLength, 'segment and proof are words')
  // Only 7 bits of the index choose a side: without this, 128 would prove what 0 proves.
  assert(Number.isInteger(index) && index >= 0 && index < segmentsPerChunk, 'a chunk has 128 segments')
  const pair = new Uint8Array(2 * wordLength)
  let node = segment
  for (let depth = 0; depth < treeDepth; depth++) {
    const isRight = ((index >> depth) & 1) === 1
    pair.set(node, isRight ? wordLength : 0)
    pair.set(proof.subarray(depth * wordLength, (depth + 1) * wordLength), isRight ? 0 : wordLength)
    node = hasher.keccak256(pair)
  }
  const message = new Uint8Array(8 + wordLength)
  message.set(spanBytes(span))
  message.set(node, 8)
  return hasher.keccak256(message)
}

/** Swarm reference (32 bytes) of `data`, as Bee's `POST /bytes` gives it at redundancy level 0. */
export function swarmReference(hasher: Hasher, data: Uint8Array): Uint8Array {
  let level: { address: Uint8Array; span: number }[] = []
  for (let at = 0; at < data.length || at === 0; at += chunkLength) {
    const payload = data.subarray(at, at + chunkLength)
    level.push({ address: chunkAddress(hasher, payload), span: payload.length })
  }
  while (level.length > 1) {
    const above: { address: Uint8Array; span: number }[] = []
    for (let at = 0; at < level.length; at += segmentsPerChunk) {
      const children = level.slice(at, at + segmentsPerChunk)
      const only = children.length === 1 ? children[0] : undefined
      if (only !== undefined) above.push(only)
      else {
        const payload = new Uint8Array(children.length * wordLength)
        children.forEach((child, index) => {
          payload.set(child.address, index * wordLength)
        })
        const span = children.reduce((sum, child) => sum + child.span, 0)
        above.push({ address: chunkAddress(hasher, payload, span), span })
      }
    }
    level = above
  }
  return (level[0] as { address: Uint8Array }).address
}
