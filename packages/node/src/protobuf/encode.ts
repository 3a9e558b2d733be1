/**
 * Protobuf encoding over the tables of `messages.ts`, byte for byte as Go's gogoproto writes: fields in the order of
 * their numbers, default values left out, required nested messages always there. Values are our own, so what does not
 * fit its kind is a bug and an assertion.
 */
import { assert } from '@onus/protocol/errors'
import { type Field, type Layout, layoutOf } from './layout.js'
import type { MessageInit, MessageName, UnionField, UnionInit, UnionName } from './types.js'

type Source = Readonly<Record<string, unknown>>

/** Output that grows by doubling; nested messages are written first and measured after, by moving them. */
interface Sink {
  bytes: Uint8Array
  length: number
}

const textEncoder = new TextEncoder()
/** A varint of 64 bits takes at most this many bytes. */
const longestVarint = 10

function reserve(sink: Sink, count: number): void {
  if (sink.length + count <= sink.bytes.length) return
  const grown = new Uint8Array(Math.max(2 * sink.bytes.length, sink.length + count))
  grown.set(sink.bytes.subarray(0, sink.length))
  sink.bytes = grown
}

function writeVarint(sink: Sink, value: number): void {
  assert(Number.isSafeInteger(value), `a varint is a safe integer, got ${value}`)
  reserve(sink, longestVarint)
  if (value < 0) {
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest >= 0x80n; rest >>= 7n) sink.bytes[sink.length++] = Number(rest & 0x7fn) | 0x80
    sink.bytes[sink.length++] = Number(rest)
    return
  }
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) sink.bytes[sink.length++] = (rest % 0x80) | 0x80
  sink.bytes[sink.length++] = rest
}

function writeBytes(sink: Sink, bytes: Uint8Array): void {
  writeVarint(sink, bytes.length)
  reserve(sink, bytes.length)
  sink.bytes.set(bytes, sink.length)
  sink.length += bytes.length
}

function writeSfixed64(sink: Sink, value: number): void {
  reserve(sink, 8)
  new DataView(sink.bytes.buffer, sink.length, 8).setBigInt64(0, BigInt(value), true)
  sink.length += 8
}

/** Whether proto3 leaves the scalar out. */
function isDefault(value: unknown): boolean {
  return value === 0 || value === false || value === '' || (value instanceof Uint8Array && value.length === 0)
}

function writeScalar(sink: Sink, field: Field, value: unknown): void {
  if (field.kind === 'bytes' && value instanceof Uint8Array) writeBytes(sink, value)
  else if (field.kind === 'string' && typeof value === 'string') writeBytes(sink, textEncoder.encode(value))
  else if (field.kind === 'bool' && typeof value === 'boolean') writeVarint(sink, value ? 1 : 0)
  else if (field.kind === 'sfixed64' && typeof value === 'number') writeSfixed64(sink, value)
  else if (typeof value === 'number') writeVarint(sink, value)
  else assert(false, `field ${field.name} takes ${field.kind}, got ${typeof value}`)
}

/** A length-delimited part: `write` fills it behind room for its length, then it moves up to the length's true size. */
function writeDelimited(sink: Sink, write: () => void): void {
  reserve(sink, longestVarint)
  const start = sink.length
  sink.length += longestVarint
  write()
  const from = start + longestVarint
  const to = sink.length
  sink.length = start
  writeVarint(sink, to - from)
  sink.bytes.copyWithin(sink.length, from, to)
  sink.length += to - from
}

function writeValue(sink: Sink, field: Field, value: unknown): void {
  writeVarint(sink, field.tag)
  const { layout } = field
  if (layout === undefined) {
    writeScalar(sink, field, value)
    return
  }
  assert(typeof value === 'object' && value !== null, `field ${field.name} takes a message`)
  writeDelimited(sink, () => writeMessage(sink, layout, value as Source))
}

/** Repeated numbers go packed, as proto3 has it. */
function writePacked(sink: Sink, field: Field, values: readonly unknown[]): void {
  writeVarint(sink, field.number * 8 + 2)
  writeDelimited(sink, () => {
    for (const value of values) writeScalar(sink, field, value)
  })
}

function writeField(sink: Sink, field: Field, value: unknown): void {
  if (field.rule === 'repeated') {
    assert(value === undefined || Array.isArray(value), `field ${field.name} takes a list`)
    const values: readonly unknown[] = value ?? []
    if (values.length > 0 && field.wire !== 2) writePacked(sink, field, values)
    else for (const one of values) writeValue(sink, field, one)
    return
  }
  assert(value !== undefined || field.rule !== 'required', `field ${field.name} is required`)
  if (value !== undefined && !(field.rule === 'single' && isDefault(value))) writeValue(sink, field, value)
}

function writeMessage(sink: Sink, layout: Layout, source: Source): void {
  for (const field of layout.fields) writeField(sink, field, source[field.name])
}

function written(sink: Sink): Uint8Array {
  return sink.bytes.subarray(0, sink.length)
}

/** Bytes of message `name`. */
export function encodeMessage<Name extends MessageName>(name: Name, message: MessageInit<Name>): Uint8Array {
  const sink = { bytes: new Uint8Array(256), length: 0 }
  writeMessage(sink, layoutOf(name), message as Source)
  return written(sink)
}

/** Message `name` behind the varint of its length: CometBFT's sign bytes. */
export function encodeDelimited<Name extends MessageName>(name: Name, message: MessageInit<Name>): Uint8Array {
  const sink = { bytes: new Uint8Array(256), length: 0 }
  writeDelimited(sink, () => writeMessage(sink, layoutOf(name), message as Source))
  return written(sink)
}

/** One frame of a socket: the `oneof` message `name` with its member `kind`, behind the varint of its length. */
export function encodeUnionFrame<Name extends UnionName, Kind extends UnionField<Name>>(
  name: Name,
  kind: Kind,
  value: UnionInit<Name, Kind>,
): Uint8Array {
  const sink = { bytes: new Uint8Array(256), length: 0 }
  writeDelimited(sink, () => writeMessage(sink, layoutOf(name), { [kind]: value } as Source))
  return written(sink)
}
