/** `log_write`: what people may read of a call; no result, state or gas depends on what is kept. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { equalBytes } from '@onus/protocol/bytes'
import { maximumLogBytes } from '../src/engine/hostPort.js'
import { type CallOutcome, Machine } from '../src/engine/machine.js'
import { hostCallCost } from '../src/lower/costs.js'
import { lowerModule } from '../src/lower/lowerModule.js'
import { nativeHasher } from './support/hasher.js'
import { wat } from './support/wat.js'

function machineOf(instructions: string): Machine {
  const module = wat(`(module
    (import "onus" "log_write" (func $log (param i32 i32)))
    (import "onus" "output_write" (func $output_write (param i32 i32)))
    (memory (export "memory") 3 4)
    (data (i32.const 16) "hello\\c3\\a9")
    (func (export "invoke") ${instructions}))`)
  return Machine.create(lowerModule(module, { maximumMemoryPages: 64 }), nativeHasher)
}

function outcomeOf(instructions: string): CallOutcome {
  return machineOf(instructions).query(new Uint8Array(), 10_000_000)
}

describe('logs', () => {
  test('texts come in order, with the call and not with the next', () => {
    const machine = machineOf('(call $log (i32.const 16) (i32.const 5)) (call $log (i32.const 16) (i32.const 7))')
    const first = machine.call(new Uint8Array(), 1_000)
    assert.deepEqual([first.ok, first.logs], [true, ['hello', 'helloé']])
    machine.accept()
    assert.deepEqual(machine.query(new Uint8Array(), 1_000).logs, ['hello', 'helloé'])
    assert.deepEqual(outcomeOf('').logs, [])
  })

  test('are kept of a call that traps', () => {
    const outcome = outcomeOf('(call $log (i32.const 16) (i32.const 5)) (unreachable)')
    assert.deepEqual([outcome.ok, outcome.logs], [false, ['hello']])
  })

  test('cost as output and change neither output nor state', () => {
    const silent = machineOf('(call $output_write (i32.const 16) (i32.const 5))')
    const machine = machineOf(
      '(call $output_write (i32.const 16) (i32.const 5)) (call $log (i32.const 0) (i32.const 100))',
    )
    const quiet = silent.call(new Uint8Array(), 1_000)
    const loud = machine.call(new Uint8Array(), 1_000)
    assert.equal(loud.gasUsed - quiet.gasUsed, 4 + 2 + hostCallCost + 3)
    assert.ok(equalBytes(loud.output, quiet.output))
    silent.accept()
    machine.accept()
    assert.ok(equalBytes(machine.endBlock().stateRoot, silent.endBlock().stateRoot))
  })

  test('outside of the memory: a trap', () => {
    for (const [source, length] of [
      [3 * 65_536, 1],
      [0, 3 * 65_536 + 1],
      [-1, 1],
      [1, -1],
    ])
      assert.equal(outcomeOf(`(call $log (i32.const ${source}) (i32.const ${length}))`).ok, false)
    assert.equal(outcomeOf(`(call $log (i32.const ${3 * 65_536}) (i32.const 0))`).ok, true)
  })

  test('beyond 64 KiB: dropped, said, and without effect on the call', () => {
    const { ok, logs } = outcomeOf(`(local $i i32)
      (call $log (i32.const 0) (i32.const 100000))
      (loop $again
        (call $log (i32.const 16) (i32.const 5))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10))))`)
    assert.equal(ok, true)
    assert.equal(logs.length, 2)
    assert.equal(Buffer.byteLength(logs[0] ?? ''), maximumLogBytes - 1)
    assert.equal(logs[1], `(${100_000 - maximumLogBytes + 1 + 10 * 6} bytes more were logged and dropped)`)
  })

  test('of no bytes are bounded too', () => {
    const { ok, logs } = outcomeOf(`(local $i i32)
      (loop $again
        (call $log (i32.const 16) (i32.const 0))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))`)
    assert.equal(ok, true)
    assert.equal(logs.length, maximumLogBytes + 1)
    assert.equal(logs.at(-1), `(${100_000 - maximumLogBytes} bytes more were logged and dropped)`)
  })
})
