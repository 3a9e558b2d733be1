/**
 * Who signed an envelope: ids, digest and one native recovery (about 65 us for a single call). Runs in workers only.
 */
import { createRequire } from 'node:module'
import type { ClusterDomain } from '@onus/protocol/chainId'
import type { Hasher } from '@onus/protocol/hash'
import { type Envelope, envelopeDigest, transactionIds } from '@onus/protocol/transaction'

interface Secp256k1 {
  ecdsaRecover(
    signature: Uint8Array,
    recoveryId: number,
    digest: Uint8Array,
    compressed: boolean,
    output: Uint8Array,
  ): Uint8Array
}

const secp256k1 = createRequire(import.meta.url)('secp256k1') as Secp256k1

/** The uncompressed key last recovered. */
const recovered = new Uint8Array(65)

export interface RecoveredEnvelope {
  /** 20 bytes. */
  readonly signer: Uint8Array
  /** Of its transactions, 32 bytes each. */
  readonly ids: readonly Uint8Array[]
}

/** Who signed a decoded envelope, or null where its signature recovers to no key. */
export function recoverEnvelope(hasher: Hasher, domain: ClusterDomain, envelope: Envelope): RecoveredEnvelope | null {
  const ids = transactionIds(hasher, domain, envelope)
  const digest = envelopeDigest(hasher, domain, envelope, ids)
  const { signature } = envelope
  try {
    const key = secp256k1.ecdsaRecover(signature.subarray(0, 64), signature[64] as number, digest, false, recovered)
    return { signer: hasher.keccak256(key.subarray(1)).slice(12), ids }
  } catch {
    return null
  }
}
