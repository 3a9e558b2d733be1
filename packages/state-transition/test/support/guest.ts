/**
 * A small backend for the real machine, hand-made in text form. Request (after the header of 256 bytes): 4 bytes of
 * selector, the operation, two integers (little-endian) — 0 adds `a` to a total in a global and in page `b`, 1 traps
 * after writing, 2 loops for ever, 3 writes `a` pages, 4 grows the memory by `a` pages, 5 puts out `a` bytes.
 */
import { Machine } from '@onus/vm/engine/machine'
import { type LoweredModule, lowerModule } from '@onus/vm/lower/lowerModule'
import binaryen from 'binaryen'
import { hashing } from './testCluster.js'

const text = `(module
  (import "onus" "input_size" (func $input_size (result i32)))
  (import "onus" "input_read" (func $input_read (param i32 i32 i32)))
  (import "onus" "output_write" (func $output_write (param i32 i32)))
  (memory (export "memory") 2 8)
  (global $total (mut i64) (i64.const 7))
  (func (export "invoke") (local $op i32) (local $a i32) (local $b i32) (local $at i32)
    (call $input_read (i32.const 0) (i32.const 0) (call $input_size))
    (local.set $op (i32.load8_u (i32.const 260)))
    (local.set $a (i32.load (i32.const 261)))
    (local.set $b (i32.load (i32.const 265)))
    (global.set $total (i64.add (global.get $total) (i64.extend_i32_u (local.get $a))))
    (local.set $at (i32.add (i32.const 4096) (i32.mul (i32.const 4096) (i32.and (local.get $b) (i32.const 15)))))
    (i64.store (local.get $at) (global.get $total))
    (i64.store offset=8 (local.get $at) (i64.load (i32.const 120)))
    (if (i32.eq (local.get $op) (i32.const 1)) (then (unreachable)))
    (if (i32.eq (local.get $op) (i32.const 2)) (then (loop $for (br $for))))
    (if (i32.eq (local.get $op) (i32.const 3)) (then
      (loop $pages
        (i32.store (i32.mul (local.get $a) (i32.const 4096)) (local.get $b))
        (local.set $a (i32.sub (local.get $a) (i32.const 1)))
        (br_if $pages (i32.gt_s (local.get $a) (i32.const 0))))))
    (if (i32.eq (local.get $op) (i32.const 4)) (then (drop (memory.grow (local.get $a)))))
    (if (i32.eq (local.get $op) (i32.const 5))
      (then (call $output_write (i32.const 4096) (local.get $a)))
      (else (call $output_write (local.get $at) (i32.const 8))))))`

export const guestOperation = { add: 0, trap: 1, loop: 2, dirty: 3, grow: 4, output: 5 } as const

export function guestRequest(code: number, a = 0, b = 0): Uint8Array {
  const bytes = new Uint8Array(13)
  const view = new DataView(bytes.buffer)
  bytes[4] = code
  view.setUint32(5, a, true)
  view.setUint32(9, b, true)
  return bytes
}

let lowered: LoweredModule | undefined

export function guestMachine(): Machine {
  if (lowered === undefined) {
    const module = binaryen.parseText(text)
    lowered = lowerModule(module.emitBinary(), { maximumMemoryPages: 8 })
    module.dispose()
  }
  return Machine.create(lowered, hashing)
}
