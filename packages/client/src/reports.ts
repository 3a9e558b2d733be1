/** What a caller learns beside a value: who certified it, where, and where the time went (`spec/client.md` 4). */
import { toHex } from '@onus/protocol/bytes'
import type { Certificate } from '@onus/protocol/certificate'
import type { Receipt } from '@onus/protocol/receipt'

/** Milliseconds of this machine's monotonic clock. */
export interface Latency {
  /** From the call to the sending of its envelope: opening of the session, batching, signing. */
  readonly queued: number
  /** From sending to the last byte of the answer, other nodes that were tried included. */
  readonly answered: number
  /** Checking certificate and receipt. */
  readonly verified: number
  readonly total: number
}

export interface CallReport {
  /** 64 hexadecimal digits. */
  readonly transactionId: string
  readonly height: number
  /** Addresses (`0x`, 40 digits) of the validators whose signatures were checked. */
  readonly certifiedBy: readonly string[]
  /** Consensus round in which the block was decided. */
  readonly round: number
  readonly gasUsed: number
  /** URL of the node that gave the answer. */
  readonly node: string
  readonly latency: Latency
}

export interface QueryReport {
  /** The state after this block was read. */
  readonly height: number
  /** URLs of the nodes that gave this same answer: f+1, or the one that the caller named. */
  readonly agreedBy: readonly string[]
  /** Total milliseconds. */
  readonly latency: number
}

/** A receipt whose place under a verified certificate was checked. */
export interface VerifiedReceipt {
  readonly receipt: Receipt
  readonly certificate: Certificate
  /** What the node says of a trap: the guest's words and where. Not certified; null where it says nothing. */
  readonly hint: string | null
}

/** A verified receipt, who gave it and when (`performance.now()`). */
export interface DeliveredReceipt extends VerifiedReceipt {
  readonly node: string
  /** When the envelope was first sent, and how long checking took. */
  readonly sentAt: number
  readonly verifyTime: number
}

export function hexAddress(address: Uint8Array): string {
  return `0x${toHex(address)}`
}

/** The report of a delivered receipt for a call that was issued at `issuedAt`. */
export function callReport(delivered: DeliveredReceipt, issuedAt: number, now: number): CallReport {
  const { receipt, certificate, sentAt, verifyTime } = delivered
  return {
    transactionId: toHex(receipt.transactionId),
    height: certificate.manifest.height,
    certifiedBy: certificate.signers.map(hexAddress),
    round: certificate.round,
    gasUsed: receipt.gasUsed,
    node: delivered.node,
    latency: {
      queued: sentAt - issuedAt,
      answered: Math.max(0, now - sentAt - verifyTime),
      verified: verifyTime,
      total: now - issuedAt,
    },
  }
}
