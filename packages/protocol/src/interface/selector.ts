/**
 * Selectors: the first 4 bytes of the Keccak-256 of an entry's or event's full signature (`spec/interface.md` 2.2).
 * A request is the selector and then the parameters in order.
 */
import { toHex, utf8Bytes } from '../bytes.js'
import { OnusError } from '../errors.js'
import { nobleHasher } from '../hash.js'
import type { Entry, EventDefinition, Interface } from './description.js'
import { eventSignatureOf, signatureOf } from './signature.js'

/** Bytes of a selector. */
export const selectorLength = 4

/** 4 bytes. Rejects what `signatureOf` rejects. */
export function selectorOf(description: Interface, entry: Entry): Uint8Array {
  return nobleHasher.keccak256(utf8Bytes(signatureOf(description, entry))).slice(0, selectorLength)
}

/** 4 bytes that an event begins with (`spec/interface.md` 2.4). Rejects what `eventSignatureOf` rejects. */
export function eventSelectorOf(description: Interface, event: EventDefinition): Uint8Array {
  return nobleHasher.keccak256(utf8Bytes(eventSignatureOf(description, event))).slice(0, selectorLength)
}

export interface SelectorTable {
  /** By the selector read as a big-endian integer. */
  readonly entries: ReadonlyMap<number, Entry>
  /** By the entry's name. */
  readonly selectors: ReadonlyMap<string, Uint8Array>
  /** As `entries`, of events: their selectors are apart from those of entries. */
  readonly events: ReadonlyMap<number, EventDefinition>
  readonly eventSelectors: ReadonlyMap<string, Uint8Array>
}

const tables = new WeakMap<Interface, SelectorTable>()

/** Both directions, computed once for each description object. Rejects `interface-selector` on a collision. */
export function selectorTable(description: Interface): SelectorTable {
  const known = tables.get(description)
  if (known !== undefined) return known
  const [entries, selectors] = directions(description.entries, (entry) => selectorOf(description, entry))
  const [events, eventSelectors] = directions(description.events ?? [], (event) => eventSelectorOf(description, event))
  const table: SelectorTable = { entries, selectors, events, eventSelectors }
  tables.set(description, table)
  return table
}

function directions<T extends { readonly name: string }>(
  items: readonly T[],
  selectorOfItem: (item: T) => Uint8Array,
): [ReadonlyMap<number, T>, ReadonlyMap<string, Uint8Array>] {
  const bySelector = new Map<number, T>()
  const byName = new Map<string, Uint8Array>()
  for (const item of items) {
    const selector = selectorOfItem(item)
    const other = bySelector.get(selectorNumber(selector, 0))
    if (other !== undefined)
      throw new OnusError('interface-selector', `${other.name} and ${item.name} both have ${toHex(selector)}`, {
        remedy: 'rename one of them',
      })
    bySelector.set(selectorNumber(selector, 0), item)
    byName.set(item.name, selector)
  }
  return [bySelector, byName]
}

/** The 4 bytes at `offset` (they must be there) as a big-endian integer. */
export function selectorNumber(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset)
}
