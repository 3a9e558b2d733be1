/**
 * Requests and results of a backend (`spec/interface.md` 2.3): a request is selector ‖ parameters in order, a result
 * is one value or nothing. The client encodes, the gateway decodes strictly before anything is spent, the client
 * decodes the result. The 256-byte header of a call is put before the request by the node, not here.
 */
import { OnusError } from '../errors.js'
import { decodeFields, decodeValue } from './decodeValue.js'
import type { Entry, Interface } from './description.js'
import { encodeFields, encodeValue } from './encodeValue.js'
import { selectorLength, selectorNumber, selectorTable } from './selector.js'
import type { CallArguments, CallResult, EntryName } from './types.js'

function entryNamed(description: Interface, name: string): Entry {
  const entry = description.entries.find((candidate) => candidate.name === name)
  if (entry !== undefined) return entry
  const names = description.entries.map((candidate) => candidate.name).join(', ')
  throw new OnusError('argument-entry', `no entry ${name.slice(0, 80)}`, { remedy: `use one of ${names}` })
}

/**
 * Request bytes: selector ‖ parameters. Trailing parameters that are options may be left out. Rejects
 * `argument-entry` (no such entry), `argument-count`, `argument-type` and `argument-range`.
 */
export function encodeCall<const I extends Interface, N extends EntryName<I>>(
  description: I,
  name: N,
  args: CallArguments<I, N>,
): Uint8Array {
  const entry = entryNamed(description, name)
  const values: readonly unknown[] = args
  if (values.length > entry.params.length)
    throw new OnusError('argument-count', `${name} takes ${entry.params.length} arguments, got ${values.length}`)
  const selector = selectorTable(description).selectors.get(name) as Uint8Array
  return encodeFields(description, entry.params, values, selector)
}

export interface DecodedCall {
  readonly entry: Entry
  /** One value for each parameter, as `decodeValue` makes them. */
  readonly args: readonly unknown[]
}

/** What the gateway runs on untrusted bytes. Rejects `decode-selector` and what `decodeValue` rejects. */
export function decodeCall(description: Interface, bytes: Uint8Array): DecodedCall {
  const entry =
    bytes.length < selectorLength ? undefined : selectorTable(description).entries.get(selectorNumber(bytes, 0))
  if (entry === undefined)
    throw new OnusError('decode-selector', 'expected the selector of an entry', {
      remedy: 'generate the client again from the interface of the deployed backend',
    })
  return { entry, args: decodeFields(description, entry.params, bytes, selectorLength) }
}

/** The value of a result; `undefined` for an entry that returns nothing, whose output must be empty. */
export function decodeResult<const I extends Interface, N extends EntryName<I>>(
  description: I,
  name: N,
  bytes: Uint8Array,
): CallResult<I, N> {
  const entry = entryNamed(description, name)
  const value =
    entry.result === null
      ? decodeFields(description, [], bytes, 0)[0]
      : decodeValue(description, entry.result, bytes, 'result')
  return value as CallResult<I, N>
}

/** Result bytes of a value, for backends written in TypeScript and for tests. Rejects as `encodeCall`. */
export function encodeResult<const I extends Interface, N extends EntryName<I>>(
  description: I,
  name: N,
  value: CallResult<I, N>,
): Uint8Array {
  const entry = entryNamed(description, name)
  return entry.result === null ? new Uint8Array() : encodeValue(description, entry.result, value, 'result')
}
