/**
 * The body of a transaction of a stored block and the entry that it called, read from its segment in the table of the
 * block data (`spec/block-data.md`) without decoding the block, which may have 64 MiB.
 */
import { BinaryReader } from '@onus/protocol/binary'
import { wordLength } from '@onus/protocol/bytes'
import type { Entry, Interface } from '@onus/protocol/interface/description'
import { selectorLength, selectorNumber, selectorTable } from '@onus/protocol/interface/selector'
import { callHeaderLength, envelopeKind } from '@onus/protocol/transaction'

const tableStart = 8 * wordLength

/** null of an opening. `blockData` was decoded by its execution, `index` is in it. A view, not a copy. */
export function callBody(blockData: Uint8Array, index: number): Uint8Array | null {
  const at = tableStart + index * wordLength
  const segment = new BinaryReader(blockData.subarray(at, at + wordLength), 'segment')
  const envelopeAt = segment.u64('envelope')
  segment.u64('envelope length')
  const bodyAt = segment.u64('body')
  const bodyLength = segment.u64('body length')
  const kind = blockData[envelopeAt]
  if (kind === envelopeKind.accountOpening || kind === envelopeKind.typedOpening) return null
  return blockData.subarray(bodyAt, bodyAt + bodyLength)
}

/** null where the transaction is no call of a known entry. */
export function entryOfTransaction(description: Interface, blockData: Uint8Array, index: number): Entry | null {
  const body = callBody(blockData, index)
  if (body === null || body.length < callHeaderLength + selectorLength) return null
  return selectorTable(description).entries.get(selectorNumber(body, callHeaderLength)) ?? null
}
