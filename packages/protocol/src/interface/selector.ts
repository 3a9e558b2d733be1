/**
 * Selectors: the first 4 bytes of the Keccak-256 of an entry's full signature (`spec/interface.md` 2.2).
 * A request is the selector and then the parameters in order.
 */
import { toHex, utf8Bytes } from '../bytes.js'
import { OnusError } from '../errors.js'
import { nobleHasher } from '../hash.js'
import type { Entry, Interface } from './description.js'
import { signatureOf } from './signature.js'

/** Bytes of a selector. */
export const selectorLength = 4

/** 4 bytes. Rejects what `signatureOf` rejects. */
export function selectorOf(description: Interface, entry: Entry): Uint8Array {
  return nobleHasher.keccak256(utf8Bytes(signatureOf(description, entry))).slice(0, selectorLength)
}

export interface SelectorTable {
  /** By the selector read as a big-endian integer. */
  readonly entries: ReadonlyMap<number, Entry>
  /** By the entry's name. */
  readonly selectors: ReadonlyMap<string, Uint8Array>
}

const tables = new WeakMap<Interface, SelectorTable>()

/** Both directions, computed once for each description object. Rejects `interface-selector` on a collision. */
export function selectorTable(description: Interface): SelectorTable {
  const known = tables.get(description)
  if (known !== undefined) return known
  const entries = new Map<number, Entry>()
  const selectors = new Map<string, Uint8Array>()
  for (const entry of description.entries) {
    const selector = selectorOf(description, entry)
    const other = entries.get(selectorNumber(selector, 0))
    if (other !== undefined)
      throw new OnusError('interface-selector', `${other.name} and ${entry.name} both have ${toHex(selector)}`, {
        remedy: 'rename one of them',
      })
    entries.set(selectorNumber(selector, 0), entry)
    selectors.set(entry.name, selector)
  }
  const table: SelectorTable = { entries, selectors }
  tables.set(description, table)
  return table
}

/** The 4 bytes at `offset` (they must be there) as a big-endian integer. */
export function selectorNumber(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset)
}
