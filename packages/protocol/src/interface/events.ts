/**
 * The events behind the result in the output of a call (`spec/interface.md` 2.4): nothing if there are none, else their
 * count, and of each its selector, its length and its fields as those of a record.
 */
import { concatBytes } from '../bytes.js'
import { OnusError } from '../errors.js'
import { decodeFields } from './decodeValue.js'
import type { Interface } from './description.js'
import { encodeFields } from './encodeValue.js'
import { selectorLength, selectorNumber, selectorTable } from './selector.js'

/** An event with the values of its fields by their names. */
export interface DecodedEvent {
  readonly name: string
  readonly value: Record<string, unknown>
}

/** Bytes of a count or length. */
const lengthBytes = 4
const headBytes = selectorLength + lengthBytes

/** The events in `bytes` from `offset` to the end. Rejects `decode-events`, `decode-event` and what `decodeValue` rejects. */
export function decodeEvents(description: Interface, bytes: Uint8Array, offset: number): readonly DecodedEvent[] {
  if (offset === bytes.length) return []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const left = bytes.length - offset - lengthBytes
  // An entry without events ends with its result.
  if (description.events === undefined) throw refusal('trailing', `${bytes.length - offset} bytes too many`)
  if (left < 0) throw refusal('short', 'expected a count of events')
  const count = view.getUint32(offset, true)
  if (count === 0) throw refusal('events', 'expected no count where there are no events')
  if (count > left / headBytes) throw refusal('short', `expected ${count} events, got ${left} bytes`)
  const events: DecodedEvent[] = []
  let position = offset + lengthBytes
  for (let i = 0; i < count; i++) {
    if (position + headBytes > bytes.length) throw refusal('short', `expected ${count} events, got ${i}`)
    const end = position + headBytes + view.getUint32(position + selectorLength, true)
    if (end > bytes.length) throw refusal('short', `event ${i} ends ${end - bytes.length} bytes behind the output`)
    events.push(decodeEvent(description, bytes.subarray(position, end), i))
    position = end
  }
  if (position !== bytes.length) throw refusal('trailing', `${bytes.length - position} bytes too many`)
  return events
}

function decodeEvent(description: Interface, bytes: Uint8Array, index: number): DecodedEvent {
  const event = selectorTable(description).events.get(selectorNumber(bytes, 0))
  if (event === undefined) throw refusal('event', `event ${index} is none of the interface`)
  const values = decodeFields(description, event.fields, bytes, headBytes)
  return { name: event.name, value: Object.fromEntries(event.fields.map(([name], at) => [name, values[at]])) }
}

function refusal(code: string, message: string): OnusError {
  return new OnusError(`decode-${code}`, message, { path: 'events' })
}

/** Bytes of `events`, none if there are none. Rejects `argument-event` and what `encodeValue` rejects. */
export function encodeEvents(description: Interface, events: readonly DecodedEvent[]): Uint8Array {
  if (events.length === 0) return new Uint8Array()
  return concatBytes(lengthOf(events.length), ...events.flatMap((event) => encodeEvent(description, event)))
}

function encodeEvent(description: Interface, { name, value }: DecodedEvent): Uint8Array[] {
  const event = description.events?.find((candidate) => candidate.name === name)
  const selector = selectorTable(description).eventSelectors.get(name)
  if (event === undefined || selector === undefined)
    throw new OnusError('argument-event', `no event ${name.slice(0, 80)}`)
  const values = event.fields.map(([field]) => value[field])
  const payload = encodeFields(description, event.fields, values, new Uint8Array())
  return [selector, lengthOf(payload.length), payload]
}

function lengthOf(length: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes)
  new DataView(bytes.buffer).setUint32(0, length, true)
  return bytes
}
