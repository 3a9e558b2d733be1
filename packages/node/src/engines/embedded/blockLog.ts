/**
 * The embedded engine's chain on disk: one append-only file of records, so that a node which missed blocks is given them
 * again. A record is length (u32), kind (u8), payload, SHA-256 of kind and payload. The tail of a write that a crash cut
 * off is dropped at the next start; damage before the end is refused.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { BinaryReader, BinaryWriter } from '@onus/protocol/binary'
import { concatBytes, equalBytes } from '@onus/protocol/bytes'
import type { Commit } from '@onus/protocol/commit'
import { assert, OnusError } from '@onus/protocol/errors'
import { publicKeyLength } from '@onus/protocol/signature'
import type { FinalizeBlockResponse } from '../../abci/application.js'
import { type Block, decodeBlock, decodeCommit, encodeBlock, encodeCommit } from '../records.js'

/** `opening`: chain id and the application hash before the first block. `result`: what finalizing a block gave. */
export type ChainRecord =
  | { readonly kind: 'opening'; readonly chainId: string; readonly appHash: Uint8Array }
  | { readonly kind: 'block'; readonly block: Block; readonly commit: Commit }
  | { readonly kind: 'result'; readonly height: number; readonly result: FinalizeBlockResponse }

const kindNumbers = { opening: 1, block: 2, result: 3 } as const
const lengthBytes = 4
const checksumBytes = 32
const maximumRecordBytes = 256 * 1024 * 1024

function checksum(record: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(record).digest())
}

function encodePayload(record: ChainRecord): Uint8Array {
  const writer = new BinaryWriter()
  switch (record.kind) {
    case 'opening':
      return writer.shortText(record.chainId).shortBytes(record.appHash).finish()
    case 'block': {
      const block = encodeBlock(record.block)
      return writer.u32(block.length).bytes(block).bytes(encodeCommit(record.commit)).finish()
    }
    case 'result': {
      const { appHash, validatorUpdates } = record.result
      writer.u64(record.height).shortBytes(appHash).u8(validatorUpdates.length)
      for (const { publicKey, power } of validatorUpdates) writer.bytes(publicKey).u64(power)
      return writer.finish()
    }
  }
}

function decodeResult(reader: BinaryReader): ChainRecord {
  const height = reader.u64('height')
  const appHash = reader.shortBytes('application hash').slice()
  const validatorUpdates = Array.from({ length: reader.u8('update count') }, () => ({
    publicKey: reader.take(publicKeyLength, 'key').slice(),
    power: reader.u64('power'),
  }))
  reader.finish()
  return { kind: 'result', height, result: { appHash, validatorUpdates } }
}

function decodeRecord(record: Uint8Array): ChainRecord {
  const reader = new BinaryReader(record, 'chain record')
  switch (reader.u8('kind')) {
    case kindNumbers.opening: {
      const opening = {
        kind: 'opening' as const,
        chainId: reader.shortText('chain id'),
        appHash: reader.shortBytes('application hash').slice(),
      }
      reader.finish()
      return opening
    }
    case kindNumbers.block: {
      const block = decodeBlock(reader.take(reader.u32('block length'), 'block'))
      return { kind: 'block', block, commit: decodeCommit(reader.take(reader.remaining, 'commit')) }
    }
    case kindNumbers.result:
      return decodeResult(reader)
    default:
      throw new OnusError('embedded-log', 'expected a record of a known kind')
  }
}

/** Where a record is in the file. */
interface Place {
  readonly position: number
  readonly length: number
}

export class BlockLog {
  readonly #file: FileHandle
  #end = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(path: string): Promise<BlockLog> {
    return new BlockLog(await open(path, 'a+', 0o600))
  }

  /** All records from the first on, with their places. Drops a record cut off at the end; rejects `embedded-log`. */
  async *records(): AsyncGenerator<{ record: ChainRecord; place: Place }> {
    const { size } = await this.#file.stat()
    this.#end = 0
    while (this.#end < size) {
      const place = await this.#nextPlace(size)
      if (place === null) {
        await this.#file.truncate(this.#end)
        return
      }
      yield { record: await this.read(place), place }
      this.#end = place.position + place.length + checksumBytes
    }
  }

  async append(record: ChainRecord): Promise<Place> {
    const bytes = concatBytes(Uint8Array.of(kindNumbers[record.kind]), encodePayload(record))
    assert(bytes.length <= maximumRecordBytes, 'a record has at most 256 MiB')
    const head = new BinaryWriter(lengthBytes).u32(bytes.length).finish()
    const place = { position: this.#end + lengthBytes, length: bytes.length }
    await this.#file.appendFile(concatBytes(head, bytes, checksum(bytes)))
    await this.#file.datasync()
    this.#end = place.position + place.length + checksumBytes
    return place
  }

  /** Rejects `embedded-log` where the record is damaged. */
  async read({ position, length }: Place): Promise<ChainRecord> {
    const bytes = await this.#readBytes(position, length + checksumBytes)
    const record = bytes.subarray(0, length)
    if (!equalBytes(checksum(record), bytes.subarray(length))) throw damaged(position)
    try {
      return decodeRecord(record)
    } catch (cause) {
      throw damaged(position, cause)
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  /** The record at the end read so far, or null where the file ends within it. */
  async #nextPlace(size: number): Promise<Place | null> {
    if (this.#end + lengthBytes > size) return null
    const length = new BinaryReader(await this.#readBytes(this.#end, lengthBytes), 'record length').u32('length')
    if (length === 0 || length > maximumRecordBytes) throw damaged(this.#end)
    const position = this.#end + lengthBytes
    return position + length + checksumBytes > size ? null : { position, length }
  }

  async #readBytes(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    const { bytesRead } = await this.#file.read(bytes, 0, length, position)
    if (bytesRead !== length) throw damaged(position)
    return bytes
  }
}

function damaged(position: number, cause?: unknown): OnusError {
  return new OnusError('embedded-log', `the chain file is damaged at byte ${position}`, {
    cause,
    remedy: 'Delete the data of this development cluster and start it anew.',
  })
}
