/**
 * The few protobuf encodings that CometBFT hashes and signs (`spec/consensus.md`): canonical, with default values left
 * out, as Go's gogoproto writes them. Writing only; parties that talk to CometBFT have a full codec in `node`.
 */
import { concatBytes, utf8Bytes } from './bytes.js'
import { assert } from './errors.js'
import type { Timestamp } from './timestamp.js'

const nothing = new Uint8Array(0)

/** Base-128 varint of an integer from 0 to 2^53-1. */
export function varint(value: number): Uint8Array {
  assert(Number.isSafeInteger(value) && value >= 0, 'a varint is a safe integer of at least 0')
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

/** Length-delimited field, present even when empty. */
export function messageField(number: number, content: Uint8Array): Uint8Array {
  return concatBytes(varint(number * 8 + 2), varint(content.length), content)
}

/** Length-delimited field, left out when empty. */
export function bytesField(number: number, content: Uint8Array): Uint8Array {
  return content.length === 0 ? nothing : messageField(number, content)
}

export function textField(number: number, text: string): Uint8Array {
  return bytesField(number, utf8Bytes(text))
}

/** Varint field, left out when 0. */
export function integerField(number: number, value: number): Uint8Array {
  return value === 0 ? nothing : concatBytes(varint(number * 8), varint(value))
}

/** Little-endian 64-bit field (`sfixed64`), left out when 0. */
export function fixed64Field(number: number, value: number): Uint8Array {
  if (value === 0) return nothing
  const content = new Uint8Array(8)
  new DataView(content.buffer).setBigInt64(0, BigInt(value), true)
  return concatBytes(varint(number * 8 + 1), content)
}

/** Content of a `google.protobuf.Timestamp`. */
export function timestampMessage(time: Timestamp): Uint8Array {
  return concatBytes(integerField(1, time.seconds), integerField(2, time.nanoseconds))
}
