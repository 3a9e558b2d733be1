/**
 * Items of a block (`spec/consensus.md` 5): seal and block data, or neither, then wake transactions. A seal counts only
 * as item 0, and nothing else may begin with its tag (S7).
 */
import { equalBytes, utf8Bytes } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { manifestOfSeal } from '@onus/protocol/manifest'
import { addressLength, signatureLength } from '@onus/protocol/signature'

const sealTag = utf8Bytes('onus/seal/')
export const wakeTag: Uint8Array = utf8Bytes('onus/wake/1\0')
/** Tag, address of the member, nonce (u64), signature. */
export const wakeLength: number = wakeTag.length + addressLength + 8 + signatureLength
/** More wakes than one for each member that could send one, and some that crossed. */
export const maximumWakes = 64

export interface BlockContent {
  /** 1,024 bytes. */
  readonly manifest: Uint8Array
  readonly blockData: Uint8Array
}

/** Whether an item has the form of a wake; who signed it does not matter in a block. */
export function isWake(item: Uint8Array): boolean {
  return item.length === wakeLength && equalBytes(item.subarray(0, wakeTag.length), wakeTag)
}

function beginsWithSealTag(item: Uint8Array): boolean {
  return equalBytes(item.subarray(0, sealTag.length), sealTag)
}

/** The content of a block, or null when it has none. Rejects `block-items`, `seal-form`. */
export function contentOf(items: readonly Uint8Array[]): BlockContent | null {
  const [seal, blockData] = items
  const hasContent = seal !== undefined && beginsWithSealTag(seal)
  const wakes = hasContent ? items.slice(2) : items
  if (wakes.length > maximumWakes || !wakes.every(isWake))
    throw new OnusError('block-items', 'behind seal and block data a block holds wake transactions only')
  if (!hasContent) return null
  if (blockData === undefined) throw new OnusError('block-items', 'a seal stands without block data')
  return { manifest: manifestOfSeal(seal), blockData }
}
