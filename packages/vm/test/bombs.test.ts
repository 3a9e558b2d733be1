/** Programs that attack the engine: stack, memory, output. Each must end as a plain trap, the same on every node. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { nobleHasher } from '@onus/protocol/hash'
import { Machine } from '../src/engine/machine.js'
import { lowerModule } from '../src/lower/lowerModule.js'
import { type Bomb, bombs } from './support/bombs.js'
import { callInWorker } from './support/stackWorker.js'
import { invoking } from './support/wat.js'

describe('recursion', () => {
  for (const { name, module } of bombs())
    test(name, async () => {
      // Forty calls are enough for V8 to move to its optimising compiler on the way.
      assert.deepEqual(new Set(await callInWorker(module, 40)), new Set(['call stack exhausted']))
    })

  test('the same with each compiler alone', () => {
    const script = new URL('./support/bombRun.js', import.meta.url).pathname
    for (const flags of [['--liftoff', '--no-wasm-tier-up'], ['--no-liftoff']]) {
      const output = execFileSync(process.execPath, [...flags, script], { encoding: 'utf8' })
      const expected = bombs().map(({ name }: Bomb) => `${name}: call stack exhausted`)
      assert.deepEqual(output.trim().split('\n'), expected, flags.join(' '))
    }
  })

  test('recursion within the limit goes through', async () => {
    const module = invoking(
      '(call $f (i32.const 3900))',
      '(func $f (param i32) (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1))))))',
    )
    assert.deepEqual(await callInWorker(module, 2), ['ok', 'ok'])
  })

  test("V8's own overflow is a failure of the engine, never an outcome", async () => {
    const large = bombs().find(({ name }) => name === '1,000 locals')
    assert.ok(large)
    const [detail] = await callInWorker(large.module, 1, 1)
    assert.match(detail ?? '', /AssertionError: the engine failed.*RangeError.*stack/)
  })
})

describe('memory', () => {
  test('growths that are rolled back do not pile up', () => {
    const grow =
      '(drop (memory.grow (i32.const 1000))) (memory.fill (i32.const 65536) (i32.const 1) (i32.const 60000000)) (unreachable)'
    const machine = Machine.create(
      lowerModule(invoking(grow, '', '1 1001'), { maximumMemoryPages: 2_000 }),
      nobleHasher,
    )
    const root = machine.stateRoot
    let peak = 0
    for (let i = 0; i < 60; i++) {
      assert.equal(machine.call(new Uint8Array(0), 1e9).detail, 'unreachable')
      peak = Math.max(peak, process.memoryUsage().rss)
    }
    assert.deepEqual(machine.endBlock().stateRoot, root)
    assert.ok(peak < 2e9, `${peak} bytes resident`)
  })

  test('growth beyond the maximum fails by the rule', () => {
    const module = invoking(
      '(i32.store (i32.const 0) (memory.grow (i32.const 3))) (call $output_write (i32.const 0) (i32.const 4))',
      '',
      '1 3',
    )
    const outcome = Machine.create(lowerModule(module, { maximumMemoryPages: 3 }), nobleHasher).call(
      new Uint8Array(0),
      1e8,
    )
    assert.deepEqual([...outcome.output], [255, 255, 255, 255])
  })

  test('offsets and addresses near 2^32 trap and mark nothing that stays', () => {
    for (const access of [
      '(i32.store offset=4294967295 (i32.const 0) (i32.const 1))',
      '(i32.store offset=4294967295 (i32.const -1) (i32.const 1))',
      '(i32.store offset=4293853184 (i32.const 8) (i32.const 1))',
      '(i32.store (i32.const -1) (i32.const 1))',
      '(i64.store offset=65529 (i32.const 0) (i64.const 1))',
      '(drop (i32.load offset=4294967295 (i32.const -1)))',
      '(memory.fill (i32.const -1) (i32.const 1) (i32.const 2))',
      '(memory.copy (i32.const 0) (i32.const 65530) (i32.const 7))',
      '(memory.fill (i32.const 65537) (i32.const 1) (i32.const 0))',
      '(call $input_read (i32.const 65537) (i32.const 0) (i32.const 0))',
      '(call $output_write (i32.const -1) (i32.const 1))',
    ]) {
      const machine = Machine.create(lowerModule(invoking(access, '', '1 1'), { maximumMemoryPages: 3 }), nobleHasher)
      const root = machine.stateRoot
      const outcome = machine.call(new Uint8Array(0), 1e6)
      assert.deepEqual([outcome.ok, outcome.dirtyPages], [false, 0], access)
      assert.deepEqual(machine.endBlock().stateRoot, root)
    }
  })

  test('zero-length bulk work at the very end is allowed', () => {
    const module = invoking(
      '(memory.fill (i32.const 65536) (i32.const 1) (i32.const 0)) (call $input_read (i32.const 65536) (i32.const 0) (i32.const 0))',
      '',
      '1 1',
    )
    const outcome = Machine.create(lowerModule(module, { maximumMemoryPages: 3 }), nobleHasher).call(
      new Uint8Array(0),
      1e6,
    )
    assert.deepEqual([outcome.ok, outcome.dirtyPages], [true, 0])
  })
})
