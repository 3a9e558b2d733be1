/**
 * Admission tokens (`spec/session.md` 5, S10): a cluster whose genesis names an admission key opens sessions only to
 * owners for whom that key, the developer's, signed. 73 bytes in an opening's `admission`: until when (u64 milliseconds
 * since 1970, by block time) and the signature (65 bytes).
 */
import { BinaryReader, BinaryWriter } from './binary.js'
import { equalBytes, isZero } from './bytes.js'
import { type Hasher, recordBytes } from './hash.js'
import type { Opening } from './opening.js'
import { addressOf, type Curve, isCanonicalSignature, signatureLength } from './signature.js'

export const admissionTokenLength: number = 8 + signatureLength

const tag = 'onus/admission/1'

/** What the signature is over, 32 bytes: keccak256 of a record of cluster id, owner and time. All epochs share it. */
function admissionDigest(hasher: Hasher, clusterId: Uint8Array, owner: Uint8Array, notAfter: number): Uint8Array {
  return hasher.keccak256(recordBytes(tag, [clusterId, owner, notAfter]))
}

/** The token that lets `owner` (20 bytes) open sessions in blocks up to `notAfter`, milliseconds since 1970. */
export function admissionToken(
  hasher: Hasher,
  curve: Curve,
  clusterId: Uint8Array,
  owner: Uint8Array,
  notAfter: number,
  privateKey: Uint8Array,
): Uint8Array {
  const signature = curve.sign(admissionDigest(hasher, clusterId, owner, notAfter), privateKey)
  return new BinaryWriter(admissionTokenLength).u64(notAfter).bytes(signature).finish()
}

/** What `isAdmitted` asks of a genesis. */
export interface AdmissionRule {
  readonly clusterId: Uint8Array
  /** Address whose tokens open sessions, 20 bytes; zero: anybody opens sessions, and admissions are not read. */
  readonly admissionKey: Uint8Array
}

/** Whether an opening may stand in a block with this time. False, never an exception, on any bytes. */
export function isAdmitted(
  hasher: Hasher,
  curve: Curve,
  { clusterId, admissionKey }: AdmissionRule,
  { owner, admission }: Pick<Opening, 'owner' | 'admission'>,
  milliseconds: number,
): boolean {
  if (isZero(admissionKey)) return true
  if (admission.length !== admissionTokenLength) return false
  const signature = admission.subarray(8)
  const high = new BinaryReader(admission, 'admission').bigU64('time')
  if (high > BigInt(Number.MAX_SAFE_INTEGER) || !isCanonicalSignature(signature)) return false
  const notAfter = Number(high)
  if (milliseconds > notAfter) return false
  const key = curve.recover(admissionDigest(hasher, clusterId, owner, notAfter), signature)
  return key !== null && equalBytes(addressOf(key), admissionKey)
}
