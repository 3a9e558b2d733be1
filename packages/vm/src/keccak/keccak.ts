/**
 * Keccak-256 and Swarm's chunk hashes, fast enough for every byte of a block (`spec/vm.md` 7): about 40 us a 4 KiB
 * chunk where plain JavaScript takes 700. Swarm: a chunk's address is keccak256(span ‖ root of a binary tree over its
 * 128 segments of 32 bytes); larger data is a tree of chunks with 128 references each.
 */
import { assert } from '@onus/protocol/errors'
import { blockBytes, freeAddress, keccakModuleBytes } from './keccakModule.js'

export const chunkBytes = 4_096
const hashBytes = 32
const referencesPerChunk = 128

export interface Keccak {
  /** 32 bytes. */
  keccak256(data: Uint8Array): Uint8Array
  /** Tree roots, without span, of n chunks of 4,096 bytes: n x 32 bytes. */
  bmtRoots(chunks: Uint8Array): Uint8Array
  /** Address (32 bytes) of a chunk with at most 4,096 bytes of payload; `span` counts the bytes below it. */
  chunkAddress(payload: Uint8Array, span: bigint): Uint8Array
  /** Address of the chunk tree over `data`, as Bee's /bytes makes it without redundancy. */
  swarmReference(data: Uint8Array): Uint8Array
}

const stateAddress = freeAddress
const stateBytes = 200
const chunkAddressInMemory = 1_024
/** Levels of the tree above the segments; the lowest takes half a chunk. */
const levelsAddress: number = chunkAddressInMemory + chunkBytes
const absorbAddress = 8_192
const absorbBlocks = 256

let compiled: WebAssembly.Module | undefined

type Kernel = (source: number, second: number, third: number) => void

/** Own memory and instance; not to be shared between callers that interleave. Needs SIMD (every engine since 2021). */
export function createKeccak(): Keccak {
  compiled ??= new WebAssembly.Module(keccakModuleBytes() as Uint8Array<ArrayBuffer>)
  const { memory, absorb, hashPairs } = new WebAssembly.Instance(compiled).exports
  assert(memory instanceof WebAssembly.Memory, 'the module exports its memory')
  const bytes = new Uint8Array(memory.buffer)
  return keccakOver(bytes, absorb as Kernel, hashPairs as Kernel)
}

function keccakOver(bytes: Uint8Array, absorb: Kernel, hashPairs: Kernel): Keccak {
  function keccak256(data: Uint8Array): Uint8Array {
    bytes.fill(0, stateAddress, stateAddress + stateBytes)
    const batch = absorbBlocks * blockBytes
    let at = 0
    for (; data.length - at >= batch; at += batch) {
      bytes.set(data.subarray(at, at + batch), absorbAddress)
      absorb(absorbAddress, absorbBlocks, stateAddress)
    }
    const rest = data.length - at
    const padded = (Math.floor(rest / blockBytes) + 1) * blockBytes
    bytes.fill(0, absorbAddress, absorbAddress + padded)
    bytes.set(data.subarray(at), absorbAddress)
    bytes[absorbAddress + rest] = 0x01
    bytes[absorbAddress + padded - 1] = (bytes[absorbAddress + padded - 1] as number) | 0x80
    absorb(absorbAddress, padded / blockBytes, stateAddress)
    return bytes.slice(stateAddress, stateAddress + hashBytes)
  }

  /** Leaves the root of the chunk that was put at `chunkAddressInMemory` at `levelsAddress`. */
  function hashChunk(): void {
    let source = chunkAddressInMemory
    for (let pairs = chunkBytes / 64; pairs >= 1; pairs /= 2) {
      hashPairs(source, levelsAddress, pairs)
      source = levelsAddress
    }
  }

  function bmtRoots(chunks: Uint8Array): Uint8Array {
    assert(chunks.length % chunkBytes === 0, 'chunks have 4,096 bytes each')
    const roots = new Uint8Array((chunks.length / chunkBytes) * hashBytes)
    for (let at = 0; at < chunks.length; at += chunkBytes) {
      bytes.set(chunks.subarray(at, at + chunkBytes), chunkAddressInMemory)
      hashChunk()
      roots.set(bytes.subarray(levelsAddress, levelsAddress + hashBytes), (at / chunkBytes) * hashBytes)
    }
    return roots
  }

  function chunkAddress(payload: Uint8Array, span: bigint): Uint8Array {
    assert(payload.length <= chunkBytes, 'a chunk has at most 4,096 bytes')
    bytes.set(payload, chunkAddressInMemory)
    bytes.fill(0, chunkAddressInMemory + payload.length, chunkAddressInMemory + chunkBytes)
    hashChunk()
    const preimage = new Uint8Array(8 + hashBytes)
    new DataView(preimage.buffer).setBigUint64(0, span, true)
    preimage.set(bytes.subarray(levelsAddress, levelsAddress + hashBytes), 8)
    return keccak256(preimage)
  }

  return { keccak256, bmtRoots, chunkAddress, swarmReference: (data) => referenceOf(data, chunkAddress) }
}

interface TreeNode {
  readonly address: Uint8Array
  readonly span: number
}

type ChunkHash = (payload: Uint8Array, span: bigint) => Uint8Array

function referenceOf(data: Uint8Array, chunkAddress: ChunkHash): Uint8Array {
  let nodes: TreeNode[] = []
  for (let at = 0; at === 0 || at < data.length; at += chunkBytes) {
    const payload = data.subarray(at, at + chunkBytes)
    nodes.push({ address: chunkAddress(payload, BigInt(payload.length)), span: payload.length })
  }
  while (nodes.length > 1) nodes = levelAbove(nodes, chunkAddress)
  return (nodes[0] as TreeNode).address
}

/** One chunk for every 128 nodes; a lone last node is not wrapped but carried up. */
function levelAbove(nodes: readonly TreeNode[], chunkAddress: ChunkHash): TreeNode[] {
  const parents: TreeNode[] = []
  for (let at = 0; at < nodes.length; at += referencesPerChunk) {
    const children = nodes.slice(at, at + referencesPerChunk)
    const [only] = children
    if (children.length === 1 && only !== undefined) {
      parents.push(only)
      continue
    }
    const payload = new Uint8Array(children.length * hashBytes)
    let span = 0
    children.forEach((child, index) => {
      payload.set(child.address, index * hashBytes)
      span += child.span
    })
    parents.push({ address: chunkAddress(payload, BigInt(span)), span })
  }
  return parents
}
