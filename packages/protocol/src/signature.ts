/**
 * secp256k1 signatures of accounts, session keys and validators (`spec/encoding.md` 3): 65 bytes R ‖ S ‖ V over a
 * 32-byte digest, V in {0, 1}, S in the lower half of the order (one signature has one encoding). Addresses are
 * Ethereum's: the last 20 bytes of keccak256(x ‖ y).
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { equalBytes } from './bytes.js'
import { assert } from './errors.js'

export const signatureLength = 65
export const addressLength = 20
/** Compressed public key. */
export const publicKeyLength = 33

/** What a party needs of the curve; nodes pass a native implementation, `nobleCurve` runs everywhere. */
export interface Curve {
  /** Compressed public key (33 bytes) that made `signature` (65 bytes) over `digest` (32), or null if none did. */
  recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | null
  /**
   * Whether `signature` over `digest` recovers to `publicKey` (33 bytes). V counts as well, as in `ecrecover`: with the
   * other V the same R and S would pass a plain ECDSA check, and one signature would have two encodings.
   */
  verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
}

/** Half of the group order: a signature with a greater S is refused. */
const halfOrder = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n

/** Whether the 65 bytes have the one allowed form; says nothing of the signer. */
export function isCanonicalSignature(signature: Uint8Array): boolean {
  if (signature.length !== signatureLength || (signature[64] as number) > 1) return false
  const view = new DataView(signature.buffer, signature.byteOffset, signatureLength)
  let s = 0n
  for (let at = 32; at < 64; at += 8) s = (s << 64n) | view.getBigUint64(at)
  return s <= halfOrder
}

export const nobleCurve: Curve = {
  recover(digest, signature) {
    if (!isCanonicalSignature(signature) || digest.length !== 32) return null
    try {
      return secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
        .addRecoveryBit(signature[64] as number)
        .recoverPublicKey(digest)
        .toBytes(true)
    } catch {
      return null
    }
  },
  verify(digest, signature, publicKey) {
    const signer = nobleCurve.recover(digest, signature)
    return signer !== null && equalBytes(signer, publicKey)
  },
  sign(digest, privateKey) {
    const bytes = secp256k1.sign(digest, privateKey, { prehash: false, lowS: true, format: 'recovered' })
    const signature = new Uint8Array(signatureLength)
    signature.set(bytes.subarray(1))
    signature[64] = bytes[0] as number
    return signature
  },
}

/** Fresh random private key, 32 bytes, from the platform's secure source. */
export function randomPrivateKey(): Uint8Array {
  return secp256k1.utils.randomSecretKey()
}

/** Compressed public key (33 bytes) of a private key (32 bytes). */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return secp256k1.getPublicKey(privateKey, true)
}

/** Ethereum address, 20 bytes, of a compressed public key. The key must be a point of the curve. */
export function addressOf(publicKey: Uint8Array): Uint8Array {
  assert(publicKey.length === publicKeyLength, 'a compressed public key has 33 bytes')
  return keccak_256(secp256k1.Point.fromBytes(publicKey).toBytes(false).subarray(1)).subarray(12)
}

/** Whether the 33 bytes are a point of the curve. */
export function isPublicKey(bytes: Uint8Array): boolean {
  if (bytes.length !== publicKeyLength) return false
  try {
    secp256k1.Point.fromBytes(bytes)
    return true
  } catch {
    return false
  }
}
