/**
 * Checks of an envelope's results (`spec/client.md` 2), pure: each receipt stands under a verified certificate and is
 * of the transaction that was sent. There is no way around it: only what comes out of here becomes a value.
 */
import { equalBytes, toHex } from '@onus/protocol/bytes'
import type { Certificate } from '@onus/protocol/certificate'
import { OnusError } from '@onus/protocol/errors'
import { decodeResults } from '@onus/protocol/gatewayMessages'
import { decodeReceiptProof, maximumOutputLength } from '@onus/protocol/receipt'
import type { VerifiedReceipt } from './reports.js'

/** Bytes of a certificate are far below this (16 signatures, 1,024 bytes of manifest). */
export const maximumCertificateLength: number = 16 * 1024
const receiptOverhead = 1024
const mostAnswerBytes = 64 * 1024 * 1024

/** Most bytes of honest results for `count` transactions. */
export function resultsLimit(count: number): number {
  return Math.min(mostAnswerBytes, 1024 + count * (maximumCertificateLength + receiptOverhead + maximumOutputLength))
}

/**
 * The receipts of the transactions `ids` (32 bytes each), in order. `admit` gives a verified certificate or rejects.
 * Rejects `results-form`, `missing-certificate`, `wrong-transaction`, `wrong-receipt`, and what the decoders and
 * `admit` reject.
 */
export function verifyResults(
  admit: (bytes: Uint8Array) => Certificate,
  bytes: Uint8Array,
  ids: readonly Uint8Array[],
): VerifiedReceipt[] {
  const results = decodeResults(bytes)
  if (results.receipts.length !== ids.length || results.certificates.length > ids.length)
    throw new OnusError(
      'results-form',
      `expected ${ids.length} receipts, got ${results.receipts.length} and ${results.certificates.length} certificates`,
    )
  const certificates = new Map<number, Certificate>()
  for (const encoded of results.certificates) {
    const certificate = admit(encoded)
    certificates.set(certificate.manifest.height, certificate)
  }
  const hints = new Map((results.hints ?? []).map(({ receipt, text }) => [receipt, text]))
  return results.receipts.map((encoded, index) => ({
    ...verifyReceipt(certificates, encoded, ids[index] as Uint8Array),
    hint: hints.get(index) ?? null,
  }))
}

function verifyReceipt(
  certificates: ReadonlyMap<number, Certificate>,
  encoded: Uint8Array,
  id: Uint8Array,
): Omit<VerifiedReceipt, 'hint'> {
  const proof = decodeReceiptProof(encoded)
  const certificate = certificates.get(proof.height)
  if (certificate === undefined)
    throw new OnusError('missing-certificate', `no certificate of block ${proof.height} came with its receipt`)
  const receipt = certificate.verifyReceipt(proof)
  if (!equalBytes(receipt.transactionId, id))
    throw new OnusError(
      'wrong-transaction',
      `expected the receipt of ${toHex(id)}, got that of ${toHex(receipt.transactionId)}`,
    )
  return { receipt, certificate }
}
