/**
 * A small backend in text form. Request (behind the header of 256 bytes): 4 bytes of selector, operation, two integers
 * (little-endian) — 0 adds `a` to a total in a global and in page `b` and puts the total out, 1 traps after writing and
 * saying "no", 2 puts out `a` bytes, 3 grows the memory by `a` pages, 4 calls itself `a` times deep, 5 writes `a` pages.
 * A query is operation 6: it puts out the total and the height.
 */
import binaryen from 'binaryen'

const source = (start: number): string => `(module
  (import "onus" "input_size" (func $input_size (result i32)))
  (import "onus" "input_read" (func $input_read (param i32 i32 i32)))
  (import "onus" "output_write" (func $output_write (param i32 i32)))
  (memory (export "memory") 2 16)
  (data (i32.const 3000) "no")
  (global $total (mut i64) (i64.const ${start}))
  (func $deep (param $left i32) (result i32)
    (if (result i32) (i32.eqz (local.get $left))
      (then (i32.const 1))
      (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get $left) (i32.const 1)))))))
  (func (export "invoke") (local $op i32) (local $a i32) (local $b i32) (local $at i32)
    (call $input_read (i32.const 0) (i32.const 0) (call $input_size))
    (local.set $op (i32.load8_u (i32.const 260)))
    (local.set $a (i32.load (i32.const 261)))
    (local.set $b (i32.load (i32.const 265)))
    (local.set $at (i32.add (i32.const 4096) (i32.mul (i32.const 4096) (i32.and (local.get $b) (i32.const 15)))))
    (if (i32.eq (local.get $op) (i32.const 6)) (then
      (i64.store (i32.const 2048) (global.get $total))
      (i64.store (i32.const 2056) (i64.load (i32.const 120)))
      (call $output_write (i32.const 2048) (i32.const 16))
      (return)))
    (global.set $total (i64.add (global.get $total) (i64.extend_i32_u (local.get $a))))
    (i64.store (local.get $at) (global.get $total))
    (if (i32.eq (local.get $op) (i32.const 1)) (then
      (call $output_write (i32.const 3000) (i32.const 2))
      (unreachable)))
    (if (i32.eq (local.get $op) (i32.const 2)) (then (call $output_write (i32.const 4096) (local.get $a)) (return)))
    (if (i32.eq (local.get $op) (i32.const 3)) (then (drop (memory.grow (local.get $a)))))
    (if (i32.eq (local.get $op) (i32.const 4)) (then (drop (call $deep (local.get $a)))))
    (if (i32.eq (local.get $op) (i32.const 5)) (then
      (loop $pages
        (i32.store (i32.mul (local.get $a) (i32.const 4096)) (local.get $b))
        (local.set $a (i32.sub (local.get $a) (i32.const 1)))
        (br_if $pages (i32.gt_s (local.get $a) (i32.const 0))))))
    (call $output_write (local.get $at) (i32.const 8))))`

export const operation = { add: 0, trap: 1, output: 2, grow: 3, deep: 4, dirty: 5, read: 6 } as const

export function request(code: number, a = 0, b = 0): Uint8Array {
  const bytes = new Uint8Array(13)
  const view = new DataView(bytes.buffer)
  bytes[4] = code
  view.setUint32(5, a, true)
  view.setUint32(9, b, true)
  return bytes
}

const modules = new Map<number, Uint8Array>()

/** The module; another `start` of the total makes another module. */
export function guestModule(start = 0): Uint8Array {
  const known = modules.get(start)
  if (known !== undefined) return known
  const module = binaryen.parseText(source(start))
  const bytes = module.emitBinary()
  module.dispose()
  modules.set(start, bytes)
  return bytes
}

/** Total and height that a read put out. */
export function totalOf(output: Uint8Array): bigint {
  return new DataView(output.buffer, output.byteOffset).getBigUint64(0, true)
}
