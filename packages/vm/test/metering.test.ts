/** Gas: exact block counts, stops, equal in every tier of V8. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { nobleHasher } from '@onus/protocol/hash'
import { type CallOutcome, Machine } from '../src/engine/machine.js'
import { growthBaseCost, growthPageCost, hostCallCost } from '../src/lower/costs.js'
import { lowerModule } from '../src/lower/lowerModule.js'
import { counterName, countingModule } from './support/countingModule.js'
import { randomModule } from './support/randomModule.js'
import { invoking } from './support/wat.js'

const parameters = { maximumMemoryPages: 64 }
const empty = new Uint8Array(0)

function run(module: Uint8Array, gasLimit = 1e9, input = empty): CallOutcome {
  return Machine.create(lowerModule(module, parameters), nobleHasher).call(input, gasLimit)
}

function gasOf(instructions: string, fields = ''): number {
  const outcome = run(invoking(instructions, fields))
  assert.ok(outcome.ok, `${outcome.detail}`)
  return outcome.gasUsed
}

describe('costs', () => {
  test('plain instructions, blocks free, slow arithmetic, locals', () => {
    assert.equal(gasOf('(nop)'), 0)
    assert.equal(gasOf('(drop (i32.add (i32.const 1) (i32.const 2)))'), 3)
    assert.equal(gasOf('(block (block (drop (i32.const 1))))'), 1)
    assert.equal(gasOf('(drop (i64.div_s (i64.const 9) (i64.const 2)))'), 10)
    assert.equal(gasOf('(drop (f64.sqrt (f64.const 9)))'), 9)
    assert.equal(gasOf('(local i32 i64 f32) (nop)'), 3)
  })
  test('branches are charged on the path taken', () => {
    const both = '(if (i32.const 1) (then (drop (i32.const 5))) (else (drop (i32.add (i32.const 1) (i32.const 2)))))'
    assert.equal(gasOf(both), 3)
    assert.equal(gasOf(both.replace('i32.const 1', 'i32.const 0')), 5)
    assert.equal(gasOf('(block (br 0) (drop (i32.const 1)))'), 1)
    assert.equal(gasOf('(block $a (block $b (br_table $a $b (i32.const 1))) (drop (i32.const 1)))'), 4)
  })
  test('loops are charged per round', () => {
    // const, set; 5 rounds of get, const, sub, tee, br_if; the declared local
    const loop = (rounds: number): string =>
      `(local $n i32) (local.set $n (i32.const ${rounds})) (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))`
    assert.equal(gasOf(loop(5)), 3 + 5 * 5)
    assert.equal(gasOf(loop(1_000)), 3 + 5 * 1_000)
  })
  test('calls: metered, leaf, indirect, host', () => {
    assert.equal(gasOf('(call $leaf)', '(func $leaf (drop (i32.const 1)))'), 4 + 1)
    const looping = '(func $f (local $n i32) (loop $l (br_if $l (local.get $n))))'
    assert.equal(gasOf('(call $f)', looping), 4 + 1 + 2)
    assert.equal(
      gasOf('(call_indirect (i32.const 0))', `${looping} (table 1 1 funcref) (elem (i32.const 0) $f)`),
      1 + 6 + 3,
    )
    assert.equal(gasOf('(drop (call $input_size))'), 4 + hostCallCost)
    assert.equal(gasOf('(call $output_write (i32.const 0) (i32.const 100))'), 4 + 2 + hostCallCost + 3)
    const table = '(table 1 1 funcref) (elem (i32.const 0) $input_size)'
    assert.equal(gasOf('(drop (call_indirect (result i32) (i32.const 0)))', table), 1 + 6 + hostCallCost)
  })
  test('bulk work by length, growth by page', () => {
    assert.equal(gasOf('(memory.fill (i32.const 0) (i32.const 1) (i32.const 3200))'), 4 + 1 + 100)
    assert.equal(gasOf('(memory.copy (i32.const 0) (i32.const 1) (i32.const 31))'), 4 + 1)
    assert.equal(gasOf('(drop (memory.grow (i32.const 2)))'), 2 + growthBaseCost + 2 * growthPageCost)
    assert.equal(gasOf('(drop (memory.grow (i32.const 4)))'), 2 + growthBaseCost)
    assert.equal(gasOf('(drop (memory.grow (i32.const -1)))'), 2 + growthBaseCost)
  })
  test('random modules are charged what their instructions cost, one by one', () => {
    let compared = 0
    for (let seed = 1; seed <= 400; seed++) {
      const module = randomModule(seed)
      const counting = new WebAssembly.Module(countingModule(module) as Uint8Array<ArrayBuffer>)
      const { exports } = new WebAssembly.Instance(counting)
      try {
        ;(exports['invoke'] as () => void)()
      } catch {
        continue
      }
      const expected = Number((exports[counterName] as WebAssembly.Global).value)
      const outcome = run(module)
      assert.ok(outcome.ok)
      assert.equal(outcome.gasUsed, expected, `seed ${seed}`)
      compared++
    }
    assert.ok(compared > 100, `${compared} compared`)
  })
})

describe('limits', () => {
  const refusesBelow = (module: Uint8Array): void => {
    const exact = run(module)
    assert.ok(exact.ok)
    const enough = run(module, exact.gasUsed)
    assert.deepEqual([enough.ok, enough.gasUsed], [true, exact.gasUsed])
    const short = run(module, exact.gasUsed - 1)
    assert.deepEqual([short.ok, short.gasUsed, short.detail], [false, exact.gasUsed - 1, 'out of gas'])
  }
  test('the last unit decides', () => {
    refusesBelow(invoking('(drop (i32.add (i32.const 1) (i32.const 2)))'))
    refusesBelow(invoking('(memory.fill (i32.const 0) (i32.const 1) (i32.const 3200))'))
    refusesBelow(invoking('(call $output_write (i32.const 0) (i32.const 100))'))
    refusesBelow(invoking('(drop (memory.grow (i32.const 1)))'))
  })
  test('an endless loop stops and costs the whole limit', () => {
    const outcome = run(invoking('(loop $l (br $l))'), 1e7)
    assert.deepEqual([outcome.ok, outcome.gasUsed, outcome.detail], [false, 1e7, 'out of gas'])
  })
  test('calls that double forty times without a loop stop', () => {
    const functions = Array.from({ length: 40 }, (_, i) => `(func $f${i} (call $f${i + 1}) (call $f${i + 1}))`).join('')
    const outcome = run(invoking('(call $f0)', `${functions} (func $f40 (loop))`), 1e6)
    assert.deepEqual([outcome.ok, outcome.detail], [false, 'out of gas'])
  })
  test('bulk work beyond the limit is not begun', () => {
    const outcome = run(invoking('(memory.fill (i32.const 0) (i32.const 1) (i32.const 200000))', '', '4 4'), 100)
    assert.deepEqual([outcome.ok, outcome.detail], [false, 'out of gas'])
  })
  test('gas limit zero and the highest', () => {
    assert.ok(run(invoking('(nop)'), 0).ok)
    assert.equal(run(invoking('(drop (i32.const 1))'), 0).ok, false)
    assert.equal(run(invoking('(drop (i32.const 1))'), 2 ** 46).gasUsed, 1)
    assert.throws(() => run(invoking('(nop)'), 2 ** 46 + 1), /gas limit/)
    assert.throws(() => run(invoking('(nop)'), 1.5), /gas limit/)
  })
})

describe('determinism', () => {
  test('outputs, gas and roots are equal in repeated runs and in every tier of V8', () => {
    const script = new URL('./support/tierRun.js', import.meta.url).pathname
    const report = (...flags: string[]): string =>
      execFileSync(process.execPath, [...flags, script], { encoding: 'utf8' })
    const expected = report()
    assert.ok(JSON.parse(expected).length > 60)
    assert.equal(report(), expected)
    assert.equal(report('--liftoff', '--no-wasm-tier-up'), expected)
    assert.equal(report('--no-liftoff'), expected)
  })
})
