/** NaN bits: what arithmetic makes is canonical wherever it can be seen, what programs move is left alone. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nobleHasher } from '@onus/protocol/hash'
import { Machine } from '../src/engine/machine.js'
import { lowerModule } from '../src/lower/lowerModule.js'
import { nanCases, nanGuest } from './support/nanGuest.js'
import { invoking } from './support/wat.js'

const canonical64 = 0x7ff8_0000_0000_0000n
const canonical32 = 0x7fc0_0000n

function outputOf(module: Uint8Array): DataView {
  const outcome = Machine.create(lowerModule(module, { maximumMemoryPages: 64 }), nobleHasher).call(
    new Uint8Array(0),
    1e9,
  )
  assert.ok(outcome.ok, `${outcome.detail}`)
  return new DataView(outcome.output.buffer, outcome.output.byteOffset, outcome.output.length)
}

/** Bits of a float whose expression is `value`, shown through `show`. */
function bits64(value: string, fields = ''): bigint {
  const text = `(local $x f64) (local $y f64) (i64.store (i32.const 0) ${value}) (call $output_write (i32.const 0) (i32.const 8))`
  return outputOf(invoking(text, fields)).getBigUint64(0, true)
}

/** An arithmetic NaN that is not canonical on x86: infinity minus infinity, from memory. */
const made = '(f64.sub (f64.load (i32.const 64)) (f64.load (i32.const 64)))'
const infinity = '(data (i32.const 64) "\\00\\00\\00\\00\\00\\00\\f0\\7f")'
const payload = '(data (i32.const 64) "\\01\\00\\00\\00\\00\\00\\f4\\ff")'

describe('canonical NaN', () => {
  test('every operation on every kind of operand', () => {
    const view = outputOf(nanGuest())
    let nans = 0
    nanCases.forEach(({ width, operation, operands }, index) => {
      const bitOperation = ['copysign', 'neg', 'abs'].includes(operation)
      const bits = width === 64 ? view.getBigUint64(8 * index, true) : BigInt(view.getUint32(8 * index, true))
      const value = width === 64 ? view.getFloat64(8 * index, true) : view.getFloat32(8 * index, true)
      if (!Number.isNaN(value) || bitOperation) return
      nans++
      assert.equal(bits, width === 64 ? canonical64 : canonical32, `f${width}.${operation} ${operands.join(' ')}`)
    })
    assert.ok(nans > 500, `${nans} NaNs`)
  })

  test('bit operations keep payloads: load, store, neg, copysign, reinterpret, local, select', () => {
    const bits = 0xfff4_0000_0000_0001n
    const load = '(f64.load (i32.const 64))'
    const sign = 1n << 63n
    assert.equal(bits64(`(i64.reinterpret_f64 ${load})`, payload), bits)
    assert.equal(bits64(`(i64.reinterpret_f64 (f64.neg ${load}))`, payload), bits ^ sign)
    assert.equal(bits64(`(i64.reinterpret_f64 (f64.copysign ${load} (f64.const 1)))`, payload), bits ^ sign)
    assert.equal(bits64(`(i64.reinterpret_f64 (local.tee $x ${load}))`, payload), bits)
    assert.equal(bits64(`(i64.reinterpret_f64 (select ${load} (f64.const 1) (i32.const 1)))`, payload), bits)
  })

  test('an arithmetic NaN is canonical before its sign can be seen', () => {
    assert.equal(bits64(`(i64.reinterpret_f64 ${made})`, infinity), canonical64)
    assert.equal(bits64(`(i64.reinterpret_f64 (f64.neg ${made}))`, infinity), canonical64 | (1n << 63n))
    assert.equal(bits64(`(i64.reinterpret_f64 (f64.copysign (f64.const 1) ${made}))`, infinity), 0x3ff0_0000_0000_0000n)
    assert.equal(bits64(`(i64.reinterpret_f64 (select ${made} ${made} (i32.const 1)))`, infinity), canonical64)
    assert.equal(bits64(`(i64.reinterpret_f64 (block (result f64) ${made}))`, infinity), canonical64)
    assert.equal(bits64(`(i64.reinterpret_f64 (f64.add ${made} (f64.const 1)))`, infinity), canonical64)
  })

  test('through locals, chains of locals, calls, globals, promotion and demotion', () => {
    const through = (statements: string, result: string, fields = ''): bigint =>
      bits64(`(block (result i64) ${statements} (i64.reinterpret_f64 ${result}))`, `${infinity} ${fields}`)
    assert.equal(through(`(local.set $x ${made})`, '(local.get $x)'), canonical64)
    assert.equal(through(`(local.set $x ${made}) (local.set $y (local.get $x))`, '(local.get $y)'), canonical64)
    assert.equal(
      through(`(drop (local.tee $x ${made})) (local.set $y (local.get $x))`, '(local.tee $x (local.get $y))'),
      canonical64,
    )
    assert.equal(through('', `(call $id ${made})`, '(func $id (param f64) (result f64) (local.get 0))'), canonical64)
    assert.equal(
      through(`(global.set $g ${made})`, '(global.get $g)', '(global $g (mut f64) (f64.const 0))'),
      canonical64,
    )
    assert.equal(through('', `(f64.promote_f32 (f32.demote_f64 ${made}))`), canonical64)
    assert.equal(
      through(
        '',
        `(call $leaf ${made})`,
        '(func $leaf (param f64) (result f64) (f64.mul (local.get 0) (f64.const 2)))',
      ),
      canonical64,
    )
  })
})
