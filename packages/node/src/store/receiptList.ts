/** The receipts of a block in one byte string, so that they cross threads and disk without an object for each. */
import { BinaryReader, BinaryWriter } from '@onus/protocol/binary'
import { wordLength } from '@onus/protocol/bytes'
import {
  encodeReceiptProof,
  type Receipt,
  readReceipt,
  receiptStatus,
  rejectionCode,
  writeReceipt,
} from '@onus/protocol/receipt'
import type { ReceiptsTree } from '@onus/state-transition/receiptsTree'

export interface ReceiptList {
  readonly receipts: Uint8Array
  /** Where each receipt begins, and the end of the last. */
  readonly offsets: Uint32Array
}

export function encodeReceiptList(receipts: readonly Receipt[]): ReceiptList {
  const writer = new BinaryWriter(4096)
  const offsets = new Uint32Array(receipts.length + 1)
  receipts.forEach((receipt, index) => {
    offsets[index] = writer.length
    writeReceipt(writer, receipt)
  })
  offsets[receipts.length] = writer.length
  return { receipts: writer.finish(), offsets }
}

/** Id of receipt `index`: its first 32 bytes. */
export function idOfReceipt(list: ReceiptList, index: number): Uint8Array {
  const at = list.offsets[index] as number
  return list.receipts.subarray(at, at + wordLength)
}

/**
 * Whether receipt `index` is the last word on its transaction: executed, or proved to have expired. Other rejections are
 * of one copy. Read in place: status and rejection are the two bytes behind the id.
 */
export function isFinalReceipt(list: ReceiptList, index: number): boolean {
  const at = (list.offsets[index] as number) + wordLength
  return list.receipts[at] !== receiptStatus.rejected || list.receipts[at + 1] === rejectionCode.expired
}

export function receiptAt(list: ReceiptList, index: number): Receipt {
  const bytes = list.receipts.subarray(list.offsets[index], list.offsets[index + 1])
  return readReceipt(new BinaryReader(bytes, 'stored receipt'))
}

/** The receipt file of receipt `index` of block `height`. */
export function receiptProofAt(list: ReceiptList, tree: ReceiptsTree, height: number, index: number): Uint8Array {
  return encodeReceiptProof({ height, index, receipt: receiptAt(list, index), siblings: tree.proof(index) })
}
