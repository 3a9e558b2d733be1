/**
 * Requests and outputs of a backend (`spec/interface.md` 2.3, 2.4): a request is selector ‖ parameters in order, an
 * output is one value or nothing, and then the events that the call emitted. The client encodes, the gateway decodes strictly before anything is spent, the client
 * decodes the result. The 256-byte header of a call is put before the request by the node, not here.
 */
import { concatBytes } from '../bytes.js'
import { OnusError } from '../errors.js'
import { decodeFields, decodeValueAt } from './decodeValue.js'
import type { Entry, Interface } from './description.js'
import { encodeFields, encodeValue } from './encodeValue.js'
import { decodeEvents, encodeEvents } from './events.js'
import { selectorLength, selectorNumber, selectorTable } from './selector.js'
import type { CallArguments, CallOutput, CallResult, EmittedEvent, EntryName } from './types.js'

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
  return encodeFields(description, entry.params, values, selector, entry.limits)
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
  return { entry, args: decodeFields(description, entry.params, bytes, selectorLength, entry.limits) }
}

/**
 * Value and events of the output of a call that returned; the value is `undefined` for an entry that returns nothing.
 * Rejects what `decodeValue` rejects, `decode-event` for an unknown event and `decode-events` for an empty list of them.
 */
export function decodeOutput<const I extends Interface, N extends EntryName<I>>(
  description: I,
  name: N,
  bytes: Uint8Array,
): CallOutput<I, N> {
  const entry = entryNamed(description, name)
  const { value, end } =
    entry.result === null ? { value: undefined, end: 0 } : decodeValueAt(description, entry.result, bytes, 0, 'result')
  if (entry.kind === 'query' && end !== bytes.length)
    throw new OnusError('decode-trailing', `${bytes.length - end} bytes too many`, { path: 'result' })
  const events = decodeEvents(description, bytes, end)
  return { value, events } as CallOutput<I, N>
}

/** The value alone of what `decodeOutput` decodes, as strictly. */
export function decodeResult<const I extends Interface, N extends EntryName<I>>(
  description: I,
  name: N,
  bytes: Uint8Array,
): CallResult<I, N> {
  return decodeOutput(description, name, bytes).value
}

/** Output bytes of a value and events, for backends written in TypeScript and for tests. Rejects as `encodeCall`. */
export function encodeOutput<const I extends Interface, N extends EntryName<I>>(
  description: I,
  name: N,
  value: CallResult<I, N>,
  events: readonly EmittedEvent<I>[] = [],
): Uint8Array {
  const entry = entryNamed(description, name)
  const result = entry.result === null ? new Uint8Array() : encodeValue(description, entry.result, value, 'result')
  return concatBytes(result, encodeEvents(description, events))
}

/** As `encodeOutput`, without events. */
export function encodeResult<const I extends Interface, N extends EntryName<I>>(
  description: I,
  name: N,
  value: CallResult<I, N>,
): Uint8Array {
  return encodeOutput(description, name, value)
}
