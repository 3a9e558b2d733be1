/**
 * Receipt of a transaction (`spec/receipt.md`): its outcome, hashed as one leaf of the block's receipts tree of depth
 * 16, and the proof that carries it to a client.
 */
import { BinaryReader, BinaryWriter } from './binary.js'
import { wordLength } from './bytes.js'
import { OnusError } from './errors.js'
import { fixedTreeRoot } from './fixedTree.js'
import { type Hasher, recordHash } from './hash.js'

export const receiptsTreeDepth = 16
/** Output bytes are leaves of 32 in a tree of this depth: at most 1 MiB. */
export const outputTreeDepth = 15
export const maximumOutputLength: number = wordLength * 2 ** outputTreeDepth

export const receiptStatus = {
  /** Executed; output and writes stand. */
  executed: 0,
  /** Trapped, out of gas or out of stack: no writes, no output, the whole gas limit charged. One bit only (`vm.md`). */
  trapped: 1,
  /** Not executed; `rejection` says why. The session did not advance. */
  rejected: 2,
} as const
export type ReceiptStatus = (typeof receiptStatus)[keyof typeof receiptStatus]

/** Why a transaction in a block was not executed; each is decided by the block and one session leaf alone. */
export const rejectionCode = {
  none: 0,
  /** The slot is empty, has another generation, or its session is closed. */
  sessionUnknown: 1,
  /** The signer is not the session's key, or the kind of the envelope is not the session's. */
  sessionKey: 2,
  /** The counter was used before. */
  counterUsed: 3,
  /** An earlier counter is missing. */
  counterGap: 4,
  expired: 5,
  /** The expiry lies further ahead than the cluster remembers. */
  expiryTooFar: 6,
  /** The gas limit is 0 or above the cluster's limit for a call. */
  gasLimit: 7,
  /** The slot holds an open session, or the generation is not the next one. */
  slotTaken: 8,
  /** The slot is beyond the cluster's capacity, or the closing lies beyond its limit. */
  openingLimits: 9,
  /** The cluster opens sessions only with a token, and this opening's is none, past, or of another owner. */
  admission: 10,
} as const
export type RejectionCode = (typeof rejectionCode)[keyof typeof rejectionCode]

export interface Receipt {
  readonly transactionId: Uint8Array
  readonly status: ReceiptStatus
  readonly rejection: RejectionCode
  readonly gasUsed: number
  /** At most 1 MiB; empty unless executed. */
  readonly output: Uint8Array
}

/** Root of the tree over the output bytes, the last leaf padded with zeros. */
export function outputRoot(hasher: Hasher, output: Uint8Array): Uint8Array {
  const leaves = new Uint8Array(Math.ceil(output.length / wordLength) * wordLength)
  leaves.set(output)
  return fixedTreeRoot(hasher, leaves, outputTreeDepth)
}

const zeroWord = new Uint8Array(wordLength)

/** Leaf of the receipts tree for a receipt whose output has `root`; the last word is kept and is zero. */
export function receiptLeafWith(hasher: Hasher, receipt: Receipt, root: Uint8Array): Uint8Array {
  return recordHash(hasher, 'onus/receipt/1', [
    receipt.transactionId,
    receipt.status,
    receipt.rejection,
    receipt.gasUsed,
    root,
    receipt.output.length,
    zeroWord,
  ])
}

/** Leaf of the receipts tree. */
export function receiptLeaf(hasher: Hasher, receipt: Receipt): Uint8Array {
  return receiptLeafWith(hasher, receipt, outputRoot(hasher, receipt.output))
}

const maximumRejection = Math.max(...Object.values(rejectionCode))

export function writeReceipt(writer: BinaryWriter, receipt: Receipt): void {
  writer.bytes(receipt.transactionId).u8(receipt.status).u8(receipt.rejection).u64(receipt.gasUsed)
  writer.u32(receipt.output.length).bytes(receipt.output)
}

/** Rejects `receipt-form` on an unknown status or rejection, or one that does not go with the other fields. */
export function readReceipt(reader: BinaryReader): Receipt {
  const transactionId = reader.take(wordLength, 'transaction id')
  const status = reader.u8('status')
  const rejection = reader.u8('rejection')
  const gasUsed = reader.u64('gas used')
  const length = reader.u32('output length')
  if (length > maximumOutputLength)
    throw new OnusError('receipt-form', `an output has at most ${maximumOutputLength} bytes`)
  const output = reader.take(length, 'output')
  if (status > receiptStatus.rejected || rejection > maximumRejection)
    throw new OnusError('receipt-form', `unknown status ${status} or rejection ${rejection}`)
  if ((status === receiptStatus.rejected) !== (rejection !== rejectionCode.none) || (status !== 0 && length !== 0))
    throw new OnusError('receipt-form', 'status, rejection and output do not go together')
  return {
    transactionId,
    status: status as ReceiptStatus,
    rejection: rejection as RejectionCode,
    gasUsed,
    output,
  }
}

/** A receipt, its place in the block and the 16 siblings (512 bytes) to the receipts root. */
export interface ReceiptProof {
  readonly height: number
  readonly index: number
  readonly receipt: Receipt
  readonly siblings: Uint8Array
}

const receiptTag = 'onus/receipt/1\0\0'

/** The receipt file: tag (16 bytes), height u64, index u16, siblings (512 bytes), receipt. */
export function encodeReceiptProof(proof: ReceiptProof): Uint8Array {
  const writer = new BinaryWriter(700).tag(receiptTag).u64(proof.height).u16(proof.index).bytes(proof.siblings)
  writeReceipt(writer, proof.receipt)
  return writer.finish()
}

export function decodeReceiptProof(bytes: Uint8Array): ReceiptProof {
  const reader = new BinaryReader(bytes, 'receipt proof')
  reader.tag(receiptTag)
  const height = reader.u64('height')
  const index = reader.u16('index')
  const siblings = reader.take(receiptsTreeDepth * wordLength, 'siblings')
  const receipt = readReceipt(reader)
  reader.finish()
  return { height, index, receipt, siblings }
}
