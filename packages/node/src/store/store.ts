/**
 * What a node keeps on disk (`docs/adr/0006-lmdb-store.md`): state pages, sessions, blocks, receipts, certificates and
 * evidence in one LMDB environment. A block's effects are written in one atomic batch, so after a crash the store is
 * exactly at some height; `position` names it and is what `Info` reports (S18).
 */
import { OnusError } from '@onus/protocol/errors'
import type { Session } from '@onus/protocol/session'
import type { ChainPosition, StateChange } from '@onus/state-transition/clusterState'
import { type Database, open, type RootDatabase } from 'lmdb'

/** Where the durable state stands. */
export interface StoredPosition {
  /** Last decided height whose effects are in the store, with or without content. */
  readonly height: number
  /** Block time of that height. */
  readonly milliseconds: number
  readonly appHash: Uint8Array
  readonly chain: ChainPosition
  /** Of 64 KiB each. */
  readonly memoryPages: number
  readonly globals: Uint8Array
  /** Of the state after the last block with content. */
  readonly stateRoot: Uint8Array
  /** Rotation and powers behind that height (`powers/powerState.ts`); empty where the engine keeps powers fixed. */
  readonly powers: Uint8Array
}

/** A block with content. `receipts` is the receipts one after the other, `offsets` where each begins, and the end. */
export interface StoredBlock {
  readonly manifest: Uint8Array
  readonly blockData: Uint8Array
  readonly receipts: Uint8Array
  readonly offsets: Uint32Array
  readonly leaves: Uint8Array
  readonly itemCount: number
  readonly sealProof: readonly Uint8Array[]
}

export interface BlockWrite {
  readonly position: StoredPosition
  readonly change: StateChange
  readonly block: StoredBlock
  /** Id and place of each transaction that executed or was proved expired. */
  readonly ended: readonly (readonly [id: Uint8Array, index: number])[]
}

/** A block that a quorum decided and this node found wrong, with all that is needed to show it. */
export interface Dissent {
  readonly height: number
  readonly blockHash: Uint8Array
  readonly items: readonly Uint8Array[]
  /** Encoded as in `spec/certificate.md`, or null when the engine gave none. */
  readonly certificate: Uint8Array | null
  /** This node's own manifest of the block, or null when the block data is not executable at all. */
  readonly ownManifest: Uint8Array | null
  readonly reason: string
}

/** MessagePack has no arrays of 32-bit integers. */
type PackedBlock = Omit<StoredBlock, 'offsets'> & { readonly offsets: Uint8Array }

function packBlock(block: StoredBlock): PackedBlock {
  const { buffer, byteOffset, byteLength } = block.offsets
  return { ...block, offsets: new Uint8Array(buffer, byteOffset, byteLength) }
}

function unpackBlock(block: PackedBlock): StoredBlock {
  return { ...block, offsets: new Uint32Array(Uint8Array.from(block.offsets).buffer) }
}

/** `spec/compatibility.md`: of the tables, their keys and their records together. */
const formatKey = 'format'
const formatVersion = 1
const positionKey = 'position'
const dissentKey = 'dissent'
/** Place of a transaction: height x 65,536 + index. */
const indexSpan = 65536

export class Store {
  readonly #root: RootDatabase<unknown, string>
  readonly #pages: Database<Buffer, number>
  readonly #sessions: Database<Session, number>
  readonly #blocks: Database<PackedBlock, number>
  readonly #certificates: Database<Buffer, number>
  readonly #places: Database<number, Buffer>

  /** Opens or makes the environment in folder `path`. Rejects `store-open`, `store-version`. */
  constructor(path: string) {
    try {
      this.#root = open({ path, maxDbs: 8, noSubdir: false })
      this.#pages = this.#root.openDB({ name: 'pages', encoding: 'binary' })
      this.#sessions = this.#root.openDB({ name: 'sessions' })
      this.#blocks = this.#root.openDB({ name: 'blocks' })
      this.#certificates = this.#root.openDB({ name: 'certificates', encoding: 'binary' })
      this.#places = this.#root.openDB({ name: 'places', keyEncoding: 'binary' })
    } catch (cause) {
      throw new OnusError('store-open', `the store in ${path} cannot be opened: ${String(cause)}`, {
        remedy: 'check disk space and permissions of the folder',
        cause,
      })
    }
    this.#checkFormat(path)
  }

  #checkFormat(path: string): void {
    const format = this.#root.get(formatKey)
    if (format === formatVersion) return
    if (format === undefined) {
      this.#root.putSync(formatKey, formatVersion)
      return
    }
    void this.#root.close()
    throw new OnusError('store-version', `the store in ${path} has format ${String(format)}, this version knows 1`, {
      remedy: 'run the version of Onus that wrote it, or a later one',
    })
  }

  get position(): StoredPosition | null {
    return (this.#root.get(positionKey) as StoredPosition | undefined) ?? null
  }

  *pages(): IterableIterator<readonly [number, Uint8Array]> {
    for (const { key, value } of this.#pages.getRange()) yield [key, value]
  }

  *sessions(): IterableIterator<readonly [number, Session]> {
    for (const { key, value } of this.#sessions.getRange()) yield [key, value]
  }

  /** Writes a block's effects in one batch; resolves once they are durable. */
  async writeBlock(write: BlockWrite): Promise<void> {
    await this.#root.batch(() => {
      for (const [index, bytes] of write.change.machine.pages) this.#pages.put(index, Buffer.from(bytes))
      for (const [slot, session] of write.change.sessions)
        if (session === null) this.#sessions.remove(slot)
        else this.#sessions.put(slot, session)
      this.#blocks.put(write.position.height, packBlock(write.block))
      for (const [id, index] of write.ended)
        this.#places.put(Buffer.from(id), write.position.height * indexSpan + index)
      this.#root.put(positionKey, write.position)
    })
    await this.#root.flushed
  }

  /** Moves on over a block without content. */
  async writeEmptyBlock(position: StoredPosition): Promise<void> {
    await this.#root.put(positionKey, position)
  }

  /** Resolves when all that was written before is on disk. */
  async flush(): Promise<void> {
    await this.#root.flushed
  }

  block(height: number): StoredBlock | null {
    const block = this.#blocks.get(height)
    return block === undefined ? null : unpackBlock(block)
  }

  /** Height of the newest block with content at or below `height`, or null. */
  contentHeight(height: number): number | null {
    for (const key of this.#blocks.getKeys({ start: height, end: -1, reverse: true, limit: 1 })) return key
    return null
  }

  /** Heights with content from `from` on that have no certificate yet. */
  uncertified(from: number): number[] {
    return [...this.#blocks.getKeys({ start: from })].filter((height) => !this.#certificates.doesExist(height))
  }

  /** Height of the newest certificate; 0 before the first. */
  get newestCertificate(): number {
    for (const key of this.#certificates.getKeys({ reverse: true, limit: 1 })) return key
    return 0
  }

  certificate(height: number): Uint8Array | null {
    return this.#certificates.get(height) ?? null
  }

  async writeCertificate(height: number, certificate: Uint8Array): Promise<void> {
    await this.#certificates.put(height, Buffer.from(certificate))
  }

  /** Where a transaction was executed or proved expired, or null. */
  placeOf(id: Uint8Array): { height: number; index: number } | null {
    const place = this.#places.get(Buffer.from(id))
    return place === undefined ? null : { height: Math.floor(place / indexSpan), index: place % indexSpan }
  }

  get dissent(): Dissent | null {
    return (this.#root.get(dissentKey) as Dissent | undefined) ?? null
  }

  async writeDissent(dissent: Dissent): Promise<void> {
    await this.#root.put(dissentKey, dissent)
    await this.#root.flushed
  }

  async close(): Promise<void> {
    await this.#root.close()
  }
}
