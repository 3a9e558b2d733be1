/**
 * The chain as nodes have it on disk, read from their stores after they stopped: whole, linked, the same on all nodes,
 * and no transaction executed twice.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { createHashing } from '@onus/node/hashing'
import { idOfReceipt, receiptAt } from '@onus/node/store/receiptList'
import { Store, type StoredBlock } from '@onus/node/store/store'
import { decodeBlockData, placedTransactions } from '@onus/protocol/blockData'
import { toHex } from '@onus/protocol/bytes'
import { decodeManifest, manifestHash } from '@onus/protocol/manifest'
import { type Receipt, receiptStatus } from '@onus/protocol/receipt'
import { receiptLeaves, receiptsTree } from '@onus/state-transition/receiptsTree'

const hashing = createHashing()

export interface StoredChain {
  /** Last height whose effects are on disk. */
  readonly height: number
  readonly stateRoot: string
  /** Manifest hash by height. */
  readonly manifests: ReadonlyMap<number, string>
  /** Height by id of each executed transaction. */
  readonly executed: ReadonlyMap<string, number>
}

function receiptsOf(block: StoredBlock): Receipt[] {
  return Array.from({ length: block.offsets.length - 1 }, (_, index) => receiptAt(block, index))
}

/** Checks one block against its own manifest; gives the hash of the manifest. */
function checkBlock(block: StoredBlock, height: number, index: number, previous: string): string {
  const manifest = decodeManifest(block.manifest)
  assert.equal(manifest.height, height)
  assert.equal(manifest.index, index, `the manifest of block ${height} does not follow`)
  assert.equal(toHex(manifest.previousManifest), previous, `block ${height} is not linked to the one before`)
  const data = decodeBlockData(block.blockData)
  assert.equal(toHex(data.begin.previousManifest), previous)
  assert.equal(toHex(hashing.swarmReference(block.blockData)), toHex(manifest.blockDataReference))
  const receipts = receiptsOf(block)
  assert.equal(receipts.length, placedTransactions(data).length)
  assert.equal(manifest.transactionCount, receipts.length)
  const { root } = receiptsTree(hashing, receiptLeaves(hashing, receipts))
  assert.equal(toHex(root), toHex(manifest.receiptsRoot), `receipts of block ${height}`)
  return toHex(manifestHash(hashing, block.manifest))
}

function heightsOf(store: Store, last: number): number[] {
  const heights: number[] = []
  for (let height = store.contentHeight(last); height !== null && height > 0; height = store.contentHeight(height - 1))
    heights.unshift(height)
  return heights
}

/** Reads and checks the chain below `home`. The node must not run. */
export async function readStoredChain(home: string): Promise<StoredChain> {
  const store = new Store(join(home, 'store'))
  try {
    const { position } = store
    assert.ok(position !== null, `${home} has a position`)
    const manifests = new Map<number, string>()
    const executed = new Map<string, number>()
    let previous = '0'.repeat(64)
    for (const [index, height] of heightsOf(store, position.height).entries()) {
      const block = store.block(height)
      assert.ok(block !== null)
      previous = checkBlock(block, height, index, previous)
      manifests.set(height, previous)
      receiptsOf(block).forEach((receipt, place) => {
        if (receipt.status === receiptStatus.rejected) return
        const id = toHex(idOfReceipt(block, place))
        assert.ok(!executed.has(id), `${id} executed in block ${executed.get(id)} and in block ${height}`)
        executed.set(id, height)
      })
    }
    assert.equal(toHex(position.chain.manifestHash), previous, `${home}: the position names the last manifest`)
    return { height: position.height, stateRoot: toHex(position.stateRoot), manifests, executed }
  } finally {
    await store.close()
  }
}

/** All chains agree on every height that they reached, and hold every transaction of `certified` (ids to heights). */
export function compareChains(chains: readonly StoredChain[], certified: ReadonlyMap<string, number>): void {
  const longest = chains.reduce((best, chain) => (chain.height > best.height ? chain : best))
  for (const chain of chains) {
    for (const [height, hash] of longest.manifests)
      if (height <= chain.height) assert.equal(chain.manifests.get(height), hash, `manifests of block ${height}`)
    for (const height of chain.manifests.keys())
      assert.ok(longest.manifests.has(height), `block ${height} is on one node only`)
  }
  for (const [id, height] of certified) assert.equal(longest.executed.get(id), height, `${id} is certified and gone`)
}
