/**
 * Certificates by their bytes, each verified once. Nodes give different sets of signatures of the same block, and each
 * set is verified.
 */
import { Certificate, decodeCertificate, type TrustedMembers } from '@onus/protocol/certificate'
import type { Hasher } from '@onus/protocol/hash'
import type { Curve } from '@onus/protocol/signature'

/** Blocks whose certificates may still come; older ones are dropped. */
const mostKept = 256

export class CertificateCache {
  readonly #hasher: Hasher
  readonly #curve: Curve
  readonly #members: TrustedMembers
  readonly #verified = new Map<string, Certificate>()

  constructor(hasher: Hasher, curve: Curve, members: TrustedMembers) {
    this.#hasher = hasher
    this.#curve = curve
    this.#members = members
  }

  /** The verified certificate of these bytes. Rejects as `decodeCertificate` and `Certificate.verify`. */
  admit(bytes: Uint8Array): Certificate {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    const known = this.#verified.get(key)
    if (known !== undefined) return known
    const certificate = Certificate.verify(this.#hasher, this.#curve, decodeCertificate(bytes.slice()), this.#members)
    this.#verified.set(key, certificate)
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size <= mostKept) break
      this.#verified.delete(oldest)
    }
    return certificate
  }
}
