/**
 * Decided blocks as the gateway serves them: the newest in memory, older ones from the store. A block is served from
 * here as soon as it is decided; its certificate follows when the engine has given the commit.
 */
import type { Hasher } from '@onus/protocol/hash'
import { receiptStatus } from '@onus/protocol/receipt'
import { type ReceiptsTree, receiptsTree } from '@onus/state-transition/receiptsTree'
import type { CertifiedPlace } from './pendingResults.js'
import { idOfReceipt, receiptAt, receiptProofAt } from './store/receiptList.js'
import type { Store, StoredBlock } from './store/store.js'

const blocksInMemory = 64

const keyOf = (id: Uint8Array): string => Buffer.from(id).toString('latin1')

interface HeldBlock {
  readonly block: StoredBlock
  tree: ReceiptsTree | null
  certificate: Uint8Array | null
}

export class BlockArchive {
  readonly #hasher: Hasher
  readonly #store: Store
  readonly #held = new Map<number, HeldBlock>()
  /** Places of the executed transactions of the blocks in memory, by id. */
  readonly #places = new Map<string, CertifiedPlace>()
  #newestCertified: number

  constructor(hasher: Hasher, store: Store) {
    this.#hasher = hasher
    this.#store = store
    this.#newestCertified = store.newestCertificate
  }

  /** Height of the newest certified block with content; 0 before. */
  get newestCertified(): number {
    return this.#newestCertified
  }

  add(height: number, block: StoredBlock): void {
    this.#held.set(height, { block, tree: null, certificate: null })
    for (let index = 0; index + 1 < block.offsets.length; index++)
      if (receiptAt(block, index).status !== receiptStatus.rejected)
        this.#places.set(keyOf(idOfReceipt(block, index)), { height, index })
    for (const [old, held] of this.#held) {
      if (this.#held.size <= blocksInMemory) break
      this.#held.delete(old)
      for (let index = 0; index + 1 < held.block.offsets.length; index++)
        this.#places.delete(keyOf(idOfReceipt(held.block, index)))
    }
  }

  /** Where a transaction was executed, or null. */
  placeOf(id: Uint8Array): CertifiedPlace | null {
    return this.#places.get(keyOf(id)) ?? this.#store.placeOf(id)
  }

  async certify(height: number, certificate: Uint8Array): Promise<void> {
    const held = this.#held.get(height)
    if (held !== undefined) held.certificate = certificate
    this.#newestCertified = Math.max(this.#newestCertified, height)
    await this.#store.writeCertificate(height, certificate)
  }

  certificate(height: number): Uint8Array | null {
    return this.#held.get(height)?.certificate ?? this.#store.certificate(height)
  }

  /** Height of the newest block with content at or below `height`, or null. */
  contentHeight(height: number): number | null {
    const held = [...this.#held.keys()].filter((other) => other <= height)
    return held.length > 0 ? Math.max(...held) : this.#store.contentHeight(height)
  }

  block(height: number): StoredBlock | null {
    return this.#held.get(height)?.block ?? this.#store.block(height)
  }

  /** Encoded receipt proof of transaction `index` of block `height`, or null when the block is unknown. */
  receiptProof(height: number, index: number): Uint8Array | null {
    const held = this.#held.get(height) ?? this.#load(height)
    if (held === null || index + 1 >= held.block.offsets.length) return null
    held.tree ??= receiptsTree(this.#hasher, held.block.leaves)
    return receiptProofAt(held.block, held.tree, height, index)
  }

  #load(height: number): HeldBlock | null {
    const block = this.#store.block(height)
    return block === null ? null : { block, tree: null, certificate: null }
  }
}
