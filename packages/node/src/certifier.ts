/**
 * Turns decided blocks into certificates: asks the engine for the commit, puts it together with seal and proof, keeps
 * it, and tells who waits. For a block that this node finds wrong, the quorum's certificate is evidence (S1).
 */
import { certificateOf, encodeCertificate } from '@onus/protocol/certificate'
import { commitOfMembers } from '@onus/protocol/commit'
import { OnusError } from '@onus/protocol/errors'
import type { Hasher } from '@onus/protocol/hash'
import { manifestOfSeal } from '@onus/protocol/manifest'
import { merkleLeaf, merkleProof } from '@onus/protocol/merkleTree'
import type { BlockArchive } from './blockArchive.js'
import type { Engine, SignedHeader } from './engines/engine.js'
import type { Log } from './log.js'
import type { PendingResults } from './pendingResults.js'
import { idOfReceipt, isFinalReceipt } from './store/receiptList.js'
import type { StoredBlock } from './store/store.js'

/** Commits are asked for again after so many milliseconds, so many times, until the engine has them. */
const commitRetry = 20
const commitAttempts = 500

export interface CertifierOptions {
  readonly hasher: Hasher
  /** Addresses (20 bytes) in the order of the genesis, by which certificates name signers. */
  readonly members: readonly Uint8Array[]
  readonly engine: Engine
  readonly archive: BlockArchive
  readonly pending: PendingResults
  readonly log: Log
  /** The node is stopping: nothing more is asked for. */
  readonly isStopped: () => boolean
}

export class Certifier {
  readonly #options: CertifierOptions
  #expected: { readonly height: number; readonly signed: Promise<SignedHeader | null> } | null = null

  constructor(options: CertifierOptions) {
    this.#options = options
  }

  /**
   * The block of `height` is decided and about to be executed: CometBFT has its commit by now, so it is fetched at the
   * same time. Harmless where it is not there yet.
   */
  expect(height: number): void {
    this.#expected = { height, signed: this.#ask(height).catch(() => null) }
  }

  /** Certifies a decided block with content; resolves when the certificate is kept. */
  async certify(height: number, block: StoredBlock): Promise<void> {
    const signed = await this.#commitOf(height)
    if (signed === null) return
    const { archive, pending } = this.#options
    const { manifest, itemCount, sealProof, offsets } = block
    const certificate = certificateOf(signed.header, signed.commit, manifest, itemCount, sealProof)
    const written = archive.certify(height, encodeCertificate(certificate))
    // A rejection that is not final may be of a copy that somebody else sent: who waits for the call waits on.
    for (let index = 0; index + 1 < offsets.length && pending.size > 0; index++)
      if (isFinalReceipt(block, index)) pending.certified(idOfReceipt(block, index), () => ({ height, index }))
    await written
  }

  /** The quorum's certificate of a block with `items`, or null where there is no commit or no well-formed seal. */
  async evidence(height: number, items: readonly Uint8Array[]): Promise<Uint8Array | null> {
    const signed = await this.#commitOf(height)
    if (signed === null) return null
    const { hasher } = this.#options
    const leaves = items.map((item) => merkleLeaf(hasher, hasher.sha256(item)))
    try {
      const manifest = manifestOfSeal(items[0] ?? new Uint8Array(0))
      const proof = merkleProof(hasher, leaves, 0)
      return encodeCertificate(certificateOf(signed.header, signed.commit, manifest, items.length, proof))
    } catch (error) {
      if (error instanceof OnusError) return null
      throw error
    }
  }

  async #ask(height: number): Promise<SignedHeader> {
    const { header, commit } = await this.#options.engine.commit(height)
    return { header, commit: commitOfMembers(commit, this.#options.members) }
  }

  async #commitOf(height: number): Promise<SignedHeader | null> {
    const { isStopped, log } = this.#options
    const expected = this.#expected
    const early = expected?.height === height ? await expected.signed : null
    if (early !== null) return early
    for (let attempt = 0; attempt < commitAttempts && !isStopped(); attempt++) {
      try {
        return await this.#ask(height)
      } catch (error) {
        if (attempt + 1 === commitAttempts) log.error('no commit', { height, error: String(error) })
        await new Promise((resolve) => setTimeout(resolve, commitRetry))
      }
    }
    return null
  }
}
