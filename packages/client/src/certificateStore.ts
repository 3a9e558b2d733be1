/**
 * Verified certificates by height, bounded, so that the same bytes are not verified twice. A second certified
 * block at one height means that the cluster forked (S2), and from then on nothing is believed.
 */
import { equalBytes } from '@onus/protocol/bytes'
import { Certificate, decodeCertificate } from '@onus/protocol/certificate'
import { OnusError } from '@onus/protocol/errors'
import { headerHash } from '@onus/protocol/header'
import type { BlockMoment } from '@onus/protocol/session'
import { millisecondsOfTimestamp } from '@onus/protocol/timestamp'
import { genesisMoment, type TrustedCluster } from './trust.js'

interface Kept {
  readonly certificate: Certificate
  readonly bytes: Uint8Array
  readonly blockHash: Uint8Array
}

const maximumKept = 512

export class CertificateStore {
  readonly #trust: TrustedCluster
  readonly #byHeight = new Map<number, Kept>()
  #newest: BlockMoment
  #admittedAt = Number.NEGATIVE_INFINITY
  #fork: OnusError | null = null
  readonly #onFork: (first: Uint8Array, second: Uint8Array) => void

  /** `onFork` gets both certificates when two blocks of one height are certified. */
  constructor(trust: TrustedCluster, onFork: (first: Uint8Array, second: Uint8Array) => void) {
    this.#trust = trust
    this.#onFork = onFork
    this.#newest = genesisMoment(trust.genesis)
  }

  /** Height and time of the newest verified block; before the first, of the genesis. */
  get newest(): BlockMoment {
    return this.#newest
  }

  /** `performance.now()` when a certificate was last admitted. */
  get admittedAt(): number {
    return this.#admittedAt
  }

  /** Rejects `forked` once two certified blocks of one height were seen. */
  checkUnforked(): void {
    if (this.#fork !== null) throw this.#fork
  }

  /**
   * The verified certificate of these bytes. Rejects what `decodeCertificate` and `Certificate.verify` reject, and
   * `forked`.
   */
  admit(bytes: Uint8Array): Certificate {
    this.checkUnforked()
    const { certificate } = this.#sameBytes(bytes) ?? this.#verify(bytes.slice())
    this.#admittedAt = performance.now()
    return certificate
  }

  /** `bytes` belong to the store, so that what is kept does not hold on to a whole answer. */
  #verify(bytes: Uint8Array): Kept {
    const unverified = decodeCertificate(bytes)
    const { header } = unverified
    const kept = this.#byHeight.get(header.height)
    if (kept !== undefined && equalBytes(kept.bytes, bytes)) return kept
    // Also of a block that is known: signatures that fail are a lie, and evidence, whatever they are under.
    const { hasher, curve, members } = this.#trust
    const certificate = Certificate.verify(hasher, curve, unverified, members)
    const blockHash = headerHash(hasher, header)
    if (kept !== undefined && equalBytes(kept.blockHash, blockHash)) return { certificate, bytes, blockHash }
    if (kept !== undefined) {
      this.#fork = new OnusError('forked', `two blocks of height ${header.height} are certified`, {
        remedy: 'stop using this cluster and show the evidence to others',
      })
      this.#onFork(kept.bytes, bytes)
      throw this.#fork
    }
    const verified = { certificate, bytes, blockHash }
    this.#keep(verified)
    return verified
  }

  /** The newest one is the usual repetition: an answer for each of many envelopes of one block. */
  #sameBytes(bytes: Uint8Array): Kept | undefined {
    const kept = this.#byHeight.get(this.#newest.height)
    return kept !== undefined && equalBytes(kept.bytes, bytes) ? kept : undefined
  }

  #keep(kept: Kept): void {
    const { height, time } = kept.certificate.manifest
    this.#byHeight.set(height, kept)
    for (const oldest of this.#byHeight.keys()) {
      if (this.#byHeight.size <= maximumKept) break
      this.#byHeight.delete(oldest)
    }
    if (height > this.#newest.height) this.#newest = { height, milliseconds: millisecondsOfTimestamp(time) }
  }
}
