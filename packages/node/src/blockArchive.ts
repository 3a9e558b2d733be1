/**
 * Decided blocks as the gateway serves them: the newest in memory, older ones from the store. A block is served from
 * here as soon as it is decided; its certificate follows when the engine has given the commit.
 */
import type { Hasher } from '@onus/protocol/hash'
import { type ReceiptsTree, receiptsTree } from '@onus/state-transition/receiptsTree'
import type { CertifiedPlace } from './pendingResults.js'
import { idOfReceipt, isFinalReceipt, receiptProofAt } from './store/receiptList.js'
import type { Store, StoredBlock } from './store/store.js'

const blocksInMemory = 64

const keyOf = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')
/** A place as one number: height x 65,536 + index. */
const indexSpan = 65536

/** A block as it is decided: `details` are what calls said before they trapped, by index. Kept in memory only. */
export type ArchivedBlock = StoredBlock & { readonly details?: ReadonlyMap<number, string> }

interface HeldBlock {
  readonly block: ArchivedBlock
  /** `keyOf` the id of each transaction that came to its end here, in order; null for the others. */
  readonly keys: readonly (string | null)[]
  tree: ReceiptsTree | null
  certificate: Uint8Array | null
}

export class BlockArchive {
  readonly #hasher: Hasher
  readonly #store: Store
  readonly #held = new Map<number, HeldBlock>()
  /** Places of the transactions that ended in the blocks in memory, by id. */
  readonly #places = new Map<string, number>()
  #newestCertified: number
  readonly #listeners = new Set<(transactions: number) => void>()
  #loaded: { readonly height: number; readonly held: HeldBlock } | null = null

  constructor(hasher: Hasher, store: Store) {
    this.#hasher = hasher
    this.#store = store
    this.#newestCertified = store.newestCertificate
  }

  /** Height of the newest certified block with content; 0 before. */
  get newestCertified(): number {
    return this.#newestCertified
  }

  add(height: number, block: ArchivedBlock): void {
    const keys = finalKeys(block)
    this.#held.set(height, { block, keys, tree: null, certificate: null })
    for (const [index, key] of keys.entries()) if (key !== null) this.#places.set(key, height * indexSpan + index)
    for (const [old, held] of this.#held) {
      if (this.#held.size <= blocksInMemory) break
      this.#held.delete(old)
      for (const key of held.keys) if (key !== null) this.#places.delete(key)
    }
  }

  /** Where a transaction was executed or proved expired, or null. */
  placeOf(id: Uint8Array): CertifiedPlace | null {
    return this.recentPlaceOf(id) ?? this.#store.placeOf(id)
  }

  /** The same for the newest blocks alone, which is cheaper. */
  recentPlaceOf(id: Uint8Array): CertifiedPlace | null {
    const place = this.#places.get(keyOf(id))
    return place === undefined ? null : { height: Math.floor(place / indexSpan), index: place % indexSpan }
  }

  async certify(height: number, certificate: Uint8Array): Promise<void> {
    const held = this.#held.get(height)
    if (held !== undefined) held.certificate = certificate
    this.#newestCertified = Math.max(this.#newestCertified, height)
    for (const listener of this.#listeners) listener(held === undefined ? 0 : held.block.offsets.length - 1)
    await this.#store.writeCertificate(height, certificate)
  }

  /** Tells `listener` of each new certificate the transactions under it. Gives the function that takes it back. */
  onCertified(listener: (transactions: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What a call of a recent block said before it trapped, or null. Not certified. */
  detail(height: number, index: number): string | null {
    return this.#held.get(height)?.block.details?.get(index) ?? null
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
    return (this.#held.get(height) ?? this.#load(height))?.block ?? null
  }

  /** Encoded receipt proof of transaction `index` of block `height`, or null when the block is unknown. */
  receiptProof(height: number, index: number): Uint8Array | null {
    const held = this.#held.get(height) ?? this.#load(height)
    if (held === null || index + 1 >= held.block.offsets.length) return null
    held.tree ??= receiptsTree(this.#hasher, held.block.leaves)
    return receiptProofAt(held.block, held.tree, height, index)
  }

  /** An older block; the last one is kept, for one who reads history asks for receipt after receipt. */
  #load(height: number): HeldBlock | null {
    if (this.#loaded?.height === height) return this.#loaded.held
    const block = this.#store.block(height)
    if (block === null) return null
    const held = { block, keys: [], tree: null, certificate: null }
    this.#loaded = { height, held }
    return held
  }
}

function finalKeys(block: StoredBlock): (string | null)[] {
  return Array.from({ length: block.offsets.length - 1 }, (_, index) =>
    isFinalReceipt(block, index) ? keyOf(idOfReceipt(block, index)) : null,
  )
}
