/**
 * Envelopes waiting for a block, in order of arrival, bounded in bytes and number. Their signers are known. Lives in the
 * execution worker, which alone knows which of them can execute. A stranger is an envelope whose session is not open
 * (yet): anyone can make those for nothing, so they get a small part of the room.
 */
import { createHash } from 'node:crypto'
import type { SignedEnvelope } from '@onus/state-transition/blockExecution'

export interface Candidate extends SignedEnvelope {
  /** SHA-256 of the bytes as a Latin-1 string. */
  readonly key: string
}

export function envelopeKey(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('binary')
}

/** A proposer looks at every waiting envelope (2 us each), so their number is bounded as if each had this many bytes. */
const leastBytes = 1024
/** Strangers get this part of the room. */
const strangerShare = 64

/** Why an envelope is not taken. */
export type PoolRefusal = 'full' | 'strangers'

export class TransactionPool {
  readonly #candidates = new Map<string, Candidate>()
  readonly #strangers = new Set<string>()
  readonly #maximumBytes: number
  #bytes = 0
  #strangerBytes = 0

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#candidates.size
  }

  has(key: string): boolean {
    return this.#candidates.has(key)
  }

  /** Takes an envelope; null when it is in the pool. */
  add(candidate: Candidate, isStranger: boolean): PoolRefusal | null {
    const { key, bytes } = candidate
    if (this.#candidates.has(key)) return null
    if (this.#bytes + bytes.length > this.#maximumBytes || this.size * leastBytes >= this.#maximumBytes) return 'full'
    if (isStranger) {
      if (this.#strangerBytes + bytes.length > this.#maximumBytes / strangerShare) return 'strangers'
      this.#strangers.add(key)
      this.#strangerBytes += bytes.length
    }
    this.#candidates.set(key, candidate)
    this.#bytes += bytes.length
    return null
  }

  remove(key: string): void {
    const candidate = this.#candidates.get(key)
    if (candidate === undefined) return
    this.#candidates.delete(key)
    this.#bytes -= candidate.bytes.length
    if (this.#strangers.delete(key)) this.#strangerBytes -= candidate.bytes.length
  }

  values(): IterableIterator<Candidate> {
    return this.#candidates.values()
  }
}
