/** Every refusal of the profile by its code, and that the message names function and instruction. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OnusError } from '@onus/protocol/errors'
import { ByteWriter } from '../src/binary/byteWriter.js'
import { decodeModule } from '../src/binary/decodeModule.js'
import { encodeModule } from '../src/binary/encodeModule.js'
import { lowerModule } from '../src/lower/lowerModule.js'
import { operationsGuest } from './support/guests.js'
import { invoking, wat } from './support/wat.js'

const parameters = { maximumMemoryPages: 64 }

function refused(module: Uint8Array, code: string, message: RegExp): void {
  assert.throws(
    () => lowerModule(module, parameters),
    (error) => {
      assert.ok(error instanceof OnusError, String(error))
      assert.equal(error.code, code, error.message)
      assert.match(error.message, message)
      return true
    },
  )
}

const plain = '(memory (export "memory") 1 1) (func (export "invoke"))'

describe('profile', () => {
  test('an AssemblyScript module is in it', async () => {
    const lowered = lowerModule(await operationsGuest(), parameters)
    assert.ok(lowered.hasStart && lowered.globalTypes.length > 5)
  })
  test('not a module', () => {
    refused(Uint8Array.of(1, 2, 3), 'module-invalid', /not a valid/)
    refused(new Uint8Array(17_000_000), 'profile-limit', /bytes/)
  })
  test('SIMD in a body, a type, a local, a global', () => {
    refused(
      invoking('(drop (i32x4.extract_lane 0 (v128.const i32x4 1 2 3 4)))'),
      'profile-simd',
      /function 3.* SIMD instruction 0xfd 0xc/,
    )
    refused(wat(`(module ${plain} (func (param v128)))`), 'profile-simd', /type/)
    refused(invoking('(local v128) (nop)'), 'profile-simd', /local of function 3/)
    refused(invoking('(nop)', '(global v128 (v128.const i32x4 0 0 0 0))'), 'profile-simd', /global 0/)
  })
  test('threads', () => {
    refused(invoking('(nop)', '', '1 1 shared'), 'profile-threads', /shared/)
    refused(invoking('(drop (i32.atomic.load (i32.const 0)))'), 'profile-threads', /atomic instruction 0xfe 0x10/)
  })
  test('tail calls', () => {
    const module = invoking('(return_call $f)', '(func $f)')
    if (WebAssembly.validate(module as Uint8Array<ArrayBuffer>)) refused(module, 'profile-tail-call', /return_call/)
    else refused(module, 'module-invalid', /not a valid/)
  })
  test('exceptions', () => {
    refused(invoking('(nop)', '(tag $t (param i32))'), 'profile-exceptions', /tag/)
  })
  test('references', () => {
    refused(invoking('(drop (ref.null func))'), 'profile-reference', /function 3.*ref.null/)
    refused(invoking('(drop (ref.is_null (ref.null func)))'), 'profile-reference', /ref/)
    refused(wat(`(module ${plain} (func (param externref)))`), 'profile-reference', /not a number/)
  })
  test('tables', () => {
    const table = '(table $t 1 2 funcref)'
    refused(invoking('(table.set $t (i32.const 0) (table.get $t (i32.const 0)))', table), 'profile-table', /table.get/)
    refused(invoking('(drop (table.size $t))', table), 'profile-table', /table.size/)
    refused(invoking('(nop)', '(table 1 1 funcref) (table 1 1 funcref)'), 'profile-table', /2 tables/)
    refused(invoking('(nop)', '(table 1 1 externref)'), 'profile-table', /functions/)
    refused(invoking('(nop)', '(table 70000 funcref)'), 'profile-table', /70000/)
    refused(wat(`(module (import "onus" "t" (table 1 funcref)) ${plain})`), 'profile-table', /imported/)
  })
  test('memories', () => {
    refused(wat('(module (func (export "invoke")))'), 'profile-memory', /0 memories/)
    refused(invoking('(nop)', '', '1'), 'profile-memory', /no maximum/)
    refused(invoking('(nop)', '', '1 65'), 'profile-memory', /65 pages, at most 64/)
    refused(
      wat('(module (import "onus" "memory" (memory 1 1)) (func (export "invoke")))'),
      'profile-memory',
      /imported/,
    )
  })
  test('imports', () => {
    refused(
      wat(`(module (import "env" "abort" (func (param i32 i32 i32 i32))) ${plain})`),
      'profile-import',
      /"env" "abort"/,
    )
    refused(wat(`(module (import "onus" "clock" (func (result i64))) ${plain})`), 'profile-import', /"onus" "clock"/)
    refused(wat(`(module (import "env" "seed" (func (result f64))) ${plain})`), 'profile-float-import', /"env" "seed"/)
    refused(wat(`(module (import "onus" "input_size" (func (result f64))) ${plain})`), 'profile-float-import', /float/)
    refused(
      wat(`(module (import "onus" "input_size" (func (result i64))) ${plain})`),
      'profile-import-type',
      /input_size/,
    )
  })
  test('globals and constants', () => {
    refused(wat(`(module (import "onus" "g" (global i32)) ${plain})`), 'profile-global', /imported/)
    refused(wat(`(module ${plain} (global funcref (ref.null func)))`), 'profile-reference', /global 0/)
    refused(wat(`(module ${plain} ${'(global i32 (i32.const 0))'.repeat(1_025)})`), 'profile-global', /1025/)
    const extended = wat(`(module ${plain} (global i32 (i32.add (i32.const 1) (i32.const 2))))`)
    if (WebAssembly.validate(extended as Uint8Array<ArrayBuffer>)) refused(extended, 'profile-constant', /global 0/)
  })
  test('segments', () => {
    refused(invoking('(nop)', '(data "abc")'), 'profile-segment', /data segment 0 is not active/)
    refused(
      invoking('(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))', '(data "abc")'),
      'profile-segment',
      /active/,
    )
    refused(invoking('(nop)', '(data (i32.const 65534) "abc")'), 'profile-segment', /beyond/)
    refused(invoking('(nop)', '(func $f) (table 1 1 funcref) (elem (i32.const 1) $f)'), 'profile-segment', /beyond/)
    refused(invoking('(nop)', '(func $f) (elem func $f)'), 'profile-segment', /element segment 0/)
  })
  test('exports', () => {
    refused(wat('(module (memory 1 1) (func (export "invoke")))'), 'profile-export', /memory/)
    refused(wat('(module (memory (export "memory") 1 1))'), 'profile-export', /invoke/)
    refused(
      wat('(module (memory (export "memory") 1 1) (func (export "invoke") (param i32)))'),
      'profile-export',
      /without parameters/,
    )
  })
  test('limits', () => {
    const locals = '(local i64)'.repeat(17_000)
    refused(invoking(`${locals} (nop)`), 'profile-limit', /locals/)
    const parameters500 = '(param i32)'.repeat(501)
    refused(wat(`(module ${plain} (func ${parameters500}))`), 'profile-limit', /500/)
  })
  test('the message carries the name of the function', () => {
    const module = decodeModule(invoking('(drop (ref.null func))'))
    const names = new ByteWriter().u32(1).u32(3).lengthPrefixed(Buffer.from('transfer')).finish()
    const custom = {
      after: 13,
      name: Buffer.from('name'),
      bytes: new ByteWriter().u8(1).lengthPrefixed(names).finish(),
    }
    refused(
      encodeModule({ ...module, customs: [custom] }),
      'profile-reference',
      /function 3 \("transfer"\) uses ref.null/,
    )
  })
  test('active element segments with expressions are lowered', () => {
    const module = invoking(
      '(call_indirect $t (type $v) (i32.const 1))',
      '(type $v (func)) (table $t 2 2 funcref) (func $f) (elem (table $t) (i32.const 0) funcref (ref.null func) (ref.func $f))',
    )
    assert.ok(lowerModule(module, parameters).executable.length > 0)
  })
})
