/**
 * A backend in text form with every kind of answer that a gateway shows: `add` puts out a total and an event, `fail`
 * traps with words and a place, `total` reads, `echo` gives its argument back.
 */
import { concatBytes, toHex, utf8Bytes } from '@onus/protocol/bytes'
import type { Interface } from '@onus/protocol/interface/description'
import { formatInterface } from '@onus/protocol/interface/parseInterface'
import { selectorTable } from '@onus/protocol/interface/selector'
import binaryen from 'binaryen'

export const counter = {
  version: 1,
  types: {
    Color: { enum: ['red', 'green'] },
    Rights: { flags: ['read', 'write'] },
    Shape: {
      variant: [
        ['circle', 'f64'],
        ['none', null],
      ],
    },
    All: {
      record: [
        ['small', 'i8'],
        ['large', 'u256'],
        ['text', 'string'],
        ['bytes', 'bytes'],
        ['owner', 'address'],
        ['color', 'Color'],
        ['rights', 'Rights'],
        ['shapes', { list: 'Shape' }],
        ['scores', { map: ['string', 'u64'] }],
        ['outcome', { result: ['bool', null] }],
        ['note', { option: 'string' }],
      ],
    },
  },
  entries: [
    { name: 'add', kind: 'entry', doc: 'Adds to the total.', params: [['amount', 'u32']], result: 'u64' },
    { name: 'fail', kind: 'entry', params: [], result: null },
    { name: 'total', kind: 'query', params: [], result: 'u64' },
    { name: 'echo', kind: 'query', params: [['value', 'All']], result: 'All' },
    { name: 'flood', kind: 'query', params: [], result: 'bytes' },
    { name: 'wrong', kind: 'query', params: [], result: 'bool' },
    { name: 'trap', kind: 'query', params: [], result: 'bool' },
  ],
  events: [
    {
      name: 'added',
      fields: [
        ['amount', 'u32'],
        ['total', 'u64'],
      ],
    },
    { name: 'removed', fields: [['amount', 'u32']] },
  ],
} as const satisfies Interface

const words = 'no such note\\n    at remove (assembly/backend.ts:12:5)'
const floodBytes = 100_000

/** The four bytes as an i32 constant of the text form. */
function constant(bytes: Uint8Array | undefined): string {
  return `(i32.const 0x${toHex((bytes as Uint8Array).slice().reverse())})`
}

function source(): string {
  const { selectors, eventSelectors } = selectorTable(counter)
  const is = (name: string): string => `(i32.eq (local.get $selector) ${constant(selectors.get(name))})`
  return `(module
  (import "onus" "input_size" (func $input_size (result i32)))
  (import "onus" "input_read" (func $input_read (param i32 i32 i32)))
  (import "onus" "output_write" (func $output_write (param i32 i32)))
  (memory (export "memory") 4 16)
  (data (i32.const 200000) "${words}")
  (global $total (mut i64) (i64.const 0))
  (func (export "invoke") (local $selector i32) (local $amount i32)
    (call $input_read (i32.const 0) (i32.const 0) (call $input_size))
    (local.set $selector (i32.load (i32.const 256)))
    (if ${is('add')} (then
      (local.set $amount (i32.load (i32.const 260)))
      (global.set $total (i64.add (global.get $total) (i64.extend_i32_u (local.get $amount))))
      (i64.store (i32.const 8192) (global.get $total))
      (i32.store (i32.const 8200) (i32.const 1))
      (i32.store (i32.const 8204) ${constant(eventSelectors.get('added'))})
      (i32.store (i32.const 8208) (i32.const 12))
      (i32.store (i32.const 8212) (local.get $amount))
      (i64.store (i32.const 8216) (global.get $total))
      (call $output_write (i32.const 8192) (i32.const 32))
      (return)))
    (if (i32.or ${is('fail')} ${is('trap')}) (then
      (call $output_write (i32.const 200000) (i32.const ${words.length - 1}))
      (unreachable)))
    (if ${is('total')} (then
      (i64.store (i32.const 8192) (global.get $total))
      (call $output_write (i32.const 8192) (i32.const 8))
      (return)))
    (if ${is('flood')} (then
      (i32.store (i32.const 8192) (i32.const ${floodBytes}))
      (call $output_write (i32.const 8192) (i32.const ${floodBytes + 4}))
      (return)))
    (call $output_write (i32.const 260) (i32.sub (call $input_size) (i32.const 260)))))`
}

/** The module with its interface in a custom section, as an SDK would put it there. */
export function counterModule(): Uint8Array {
  const parsed = binaryen.parseText(source())
  const code = parsed.emitBinary()
  parsed.dispose()
  const name = utf8Bytes('onus:interface')
  const content = concatBytes(Uint8Array.of(name.length), name, formatInterface(counter))
  const length = Uint8Array.of((content.length & 0x7f) | 0x80, content.length >> 7)
  return concatBytes(code, Uint8Array.of(0), length, content)
}
