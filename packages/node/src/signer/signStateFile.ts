/**
 * The guard's state on disk, written and flushed before a signature leaves. One file of two 1,024-byte slots written in
 * turn: a write that tears leaves the other slot, whose successor's signature never left. Each slot names chain and key
 * and ends in its SHA-256. Strict: a file that is not exactly this is refused, never repaired, because signing without
 * knowing what was signed costs the deposit.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BinaryReader, BinaryWriter } from '@onus/protocol/binary'
import { equalBytes, toHex } from '@onus/protocol/bytes'
import { assert, OnusError } from '@onus/protocol/errors'
import { addressLength, signatureLength } from '@onus/protocol/signature'
import { type Step, step } from './signRequest.js'
import type { SignedState } from './signState.js'

const slotLength = 1024
const tagLength = 16
const slotTag = 'onus/signed/1\0\0\0'
/** Of every version. */
const slotFamily = 'onus/signed/'
const checksumLength = 32

/** Whose file it is. */
export interface SignStateOwner {
  readonly chainId: string
  /** Of the key, 20 bytes. */
  readonly address: Uint8Array
}

interface Slot {
  readonly sequence: number
  readonly state: SignedState | null
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

/** Slot: tag, chain id, address, sequence (u64), whether anything was signed (u8), the state, zeros, checksum. */
function encodeSlot(owner: SignStateOwner, { sequence, state }: Slot): Uint8Array {
  const writer = new BinaryWriter(slotLength).tag(slotTag).shortText(owner.chainId).bytes(owner.address).u64(sequence)
  if (state === null) writer.u8(0)
  else {
    writer.u8(1).u64(state.height).u32(state.round).u8(state.step)
    writer.u64(state.timestamp.seconds).u32(state.timestamp.nanoseconds)
    writer.u16(state.signBytes.length).bytes(state.signBytes).bytes(state.signature)
  }
  assert(writer.length <= slotLength - checksumLength, 'a signed state fits its slot')
  const slot = new Uint8Array(slotLength)
  slot.set(writer.finish())
  slot.set(sha256(slot.subarray(0, slotLength - checksumLength)), slotLength - checksumLength)
  return slot
}

function readStep(reader: BinaryReader): Step {
  const value = reader.u8('step')
  for (const known of Object.values(step)) if (value === known) return known
  throw new OnusError('sign-state-corrupt', `expected a step of 1 to 3, got ${value}`)
}

function readState(reader: BinaryReader): SignedState {
  const height = reader.u64('height')
  const round = reader.u32('round')
  const signedStep = readStep(reader)
  const timestamp = { seconds: reader.u64('seconds'), nanoseconds: reader.u32('nanoseconds') }
  const signBytes = reader.take(reader.u16('sign bytes'), 'sign bytes').slice()
  const signature = reader.take(signatureLength, 'signature').slice()
  return { height, round, step: signedStep, timestamp, signBytes, signature }
}

/** The slot's content, or null where its checksum is wrong (a torn write). Rejects `sign-state-owner`. */
function decodeSlot(owner: SignStateOwner, slot: Uint8Array): Slot | null {
  const content = slot.subarray(0, slotLength - checksumLength)
  if (!equalBytes(sha256(content), slot.subarray(slotLength - checksumLength))) return null
  const reader = new BinaryReader(content, 'sign state')
  reader.tag(slotTag)
  const chainId = reader.shortText('chain id')
  const address = reader.take(addressLength, 'address')
  if (chainId !== owner.chainId || !equalBytes(address, owner.address))
    throw new OnusError(
      'sign-state-owner',
      `expected the sign state of ${toHex(owner.address)} on ${owner.chainId}, got that of ${toHex(address)} on ${chainId}`,
      { remedy: 'Use the data directory that belongs to this key and epoch.' },
    )
  const sequence = reader.u64('sequence')
  const state = reader.u8('signed flag') === 1 ? readState(reader) : null
  if (reader.take(reader.remaining, 'padding').some((byte) => byte !== 0))
    throw new OnusError('sign-state-corrupt', 'expected zeros behind the state')
  return { sequence, state }
}

/** A later version may keep more, in another length: only its tag is looked at. */
function checkVersion(bytes: Uint8Array): void {
  const tag = Buffer.from(bytes.subarray(0, tagLength)).toString('latin1')
  if (tag.startsWith(slotFamily) && tag !== slotTag)
    throw new OnusError('sign-state-version', `the sign state is of another version: ${JSON.stringify(tag)}`, {
      remedy: 'Run the version of Onus that wrote it, or a later one.',
    })
}

/**
 * The newer of the slots in `bytes`, the whole file. Rejects `sign-state-corrupt`, `sign-state-owner` and
 * `sign-state-version`.
 */
export function decodeSignStateFile(owner: SignStateOwner, bytes: Uint8Array): Slot {
  checkVersion(bytes)
  const corrupt = (message: string, cause?: unknown): OnusError =>
    new OnusError('sign-state-corrupt', message, {
      cause,
      remedy:
        'Do not start with an empty state. Restore the node, which signs again above the heights it may have signed.',
    })
  if (bytes.length !== 2 * slotLength) throw corrupt(`expected ${2 * slotLength} bytes, got ${bytes.length}`)
  const slots: (Slot | null)[] = []
  try {
    for (const at of [0, slotLength]) slots.push(decodeSlot(owner, bytes.subarray(at, at + slotLength)))
  } catch (error) {
    if (error instanceof OnusError && error.code === 'sign-state-owner') throw error
    throw corrupt('expected two slots of a sign state', error)
  }
  const [even, odd] = slots
  if (even && even.sequence % 2 !== 0) throw corrupt('expected an even number in the first slot')
  if (odd && odd.sequence % 2 !== 1) throw corrupt('expected an odd number in the second slot')
  if (even && odd) {
    if (Math.abs(even.sequence - odd.sequence) !== 1) throw corrupt('expected two slots in sequence')
    return even.sequence > odd.sequence ? even : odd
  }
  const whole = even ?? odd
  if (!whole) throw corrupt('expected at least one slot with a right checksum')
  return whole
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function createFile(path: string, owner: SignStateOwner): Promise<void> {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  try {
    for (const sequence of [0, 1]) {
      await file.write(encodeSlot(owner, { sequence, state: null }), 0, slotLength, sequence * slotLength)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncDirectory(dirname(path))
}

/** The open file with the last state that is surely on disk. */
export class SignStateFile {
  readonly #file: FileHandle
  readonly #owner: SignStateOwner
  #slot: Slot

  private constructor(file: FileHandle, owner: SignStateOwner, slot: Slot) {
    this.#file = file
    this.#owner = owner
    this.#slot = slot
  }

  /** A file for a key that never signed on this chain. Rejects `sign-state-exists`. */
  static async create(path: string, owner: SignStateOwner): Promise<SignStateFile> {
    const existing = await open(path, 'r').catch(() => null)
    if (existing !== null) {
      await existing.close()
      throw new OnusError('sign-state-exists', `expected no sign state at ${path}, got one`, {
        remedy: 'Open it; an existing sign state must never be replaced.',
      })
    }
    await createFile(path, owner)
    return SignStateFile.open(path, owner)
  }

  /** Rejects `sign-state-missing`, `sign-state-corrupt`, `sign-state-owner` and `sign-state-version`. */
  static async open(path: string, owner: SignStateOwner): Promise<SignStateFile> {
    const file = await open(path, 'r+').catch((cause: unknown) => {
      throw new OnusError('sign-state-missing', `expected the sign state at ${path}, got none that opens`, {
        cause,
        remedy: 'If this key ever signed on this chain, restore the node instead of creating a new state.',
      })
    })
    try {
      const { size } = await file.stat()
      const bytes = new Uint8Array(Math.min(size, 2 * slotLength + 1))
      await file.read(bytes, 0, bytes.length, 0)
      return new SignStateFile(file, owner, decodeSignStateFile(owner, bytes))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  get last(): SignedState | null {
    return this.#slot.state
  }

  /** Makes `state` durable. When it rejects, the state before is still the last one. */
  async save(state: SignedState): Promise<void> {
    const slot = { sequence: this.#slot.sequence + 1, state }
    const { bytesWritten } = await this.#file.write(
      encodeSlot(this.#owner, slot),
      0,
      slotLength,
      (slot.sequence % 2) * slotLength,
    )
    assert(bytesWritten === slotLength, 'a slot is written whole or the write fails')
    await this.#file.datasync()
    this.#slot = slot
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}
