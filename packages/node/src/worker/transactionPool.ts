/**
 * Envelopes waiting for a block, in order of arrival, bounded in bytes. Their signers are known. Lives in the execution
 * worker, which alone knows which of them can execute.
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

export class TransactionPool {
  readonly #candidates = new Map<string, Candidate>()
  readonly #maximumBytes: number
  #bytes = 0

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

  /** False when the pool is full. */
  add(candidate: Candidate): boolean {
    if (this.#candidates.has(candidate.key)) return true
    if (this.#bytes + candidate.bytes.length > this.#maximumBytes) return false
    this.#candidates.set(candidate.key, candidate)
    this.#bytes += candidate.bytes.length
    return true
  }

  remove(key: string): void {
    const candidate = this.#candidates.get(key)
    if (candidate === undefined) return
    this.#candidates.delete(key)
    this.#bytes -= candidate.bytes.length
  }

  values(): IterableIterator<Candidate> {
    return this.#candidates.values()
  }
}
