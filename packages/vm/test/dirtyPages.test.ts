/** The dirty map finds every page that a program changes: committed image against the memory of unrewritten code. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nobleHasher } from '@onus/protocol/hash'
import { Machine } from '../src/engine/machine.js'
import { lowerModule } from '../src/lower/lowerModule.js'
import { operation, operationsGuest } from './support/guests.js'
import { randomModule, seededRandom } from './support/randomModule.js'
import { acceptCall, committedMemory, RawGuest } from './support/rawGuest.js'
import { invoking } from './support/wat.js'

const parameters = { maximumMemoryPages: 64 }

describe('dirty pages', () => {
  test('random modules leave the memory that V8 leaves without rewriting', () => {
    let traps = 0
    let successes = 0
    for (let seed = 1; seed <= 1_000; seed++) {
      const module = randomModule(seed)
      assert.ok(WebAssembly.validate(module as Uint8Array<ArrayBuffer>), `seed ${seed}`)
      const raw = new RawGuest(module)
      const machine = Machine.create(lowerModule(module, parameters), nobleHasher)
      for (let round = 0; round < 3; round++) {
        const before = committedMemory(machine)
        const expected = raw.call(new Uint8Array(0))
        const outcome = acceptCall(machine, new Uint8Array(0), 1e9)
        assert.equal(outcome.ok, expected !== null, `seed ${seed}: ${outcome.detail}`)
        if (expected === null) {
          traps++
          assert.ok(committedMemory(machine).equals(before))
          break
        }
        successes++
        assert.ok(committedMemory(machine).equals(raw.memory), `seed ${seed} round ${round}`)
      }
    }
    assert.ok(successes > 500 && traps > 200, `${successes} successes, ${traps} traps`)
  })

  test('the AssemblyScript guest of all stores, copies, fills and maps', async () => {
    const module = await operationsGuest()
    const raw = new RawGuest(module)
    const machine = Machine.create(lowerModule(module, parameters), nobleHasher)
    machine.start(1e9)
    machine.accept()
    assert.ok(committedMemory(machine).equals(raw.memory), 'after start')
    const random = seededRandom(42)
    for (let call = 0; call < 150; call++) {
      const parts: Uint8Array[] = []
      for (let i = 0; i < 20; i++)
        parts.push(
          operation(
            i === 0 && call % 30 === 29 ? 13 : Math.floor(random() * 13),
            random() * 2 ** 32,
            random() * 2 ** 32,
            random() * 2 ** 32,
          ),
        )
      const input = Buffer.concat(parts)
      const expected = raw.call(input)
      const outcome = acceptCall(machine, input, 1e9)
      assert.ok(outcome.ok && expected !== null, `${outcome.detail}`)
      assert.deepEqual(outcome.output, expected)
      assert.ok(committedMemory(machine).equals(raw.memory), `call ${call}`)
    }
  })

  test('a base address that wraps past 2^32 is found at the start of page 0', () => {
    // The lower store of the group never runs, so the mark goes to the last page of the address space.
    const module = invoking(`(local $base i32)
      (local.set $base (i32.sub (i32.const 0) (i32.add (i32.const 10) (call $input_size))))
      (i32.store (i32.add (local.get $base) (i32.const 20)) (i32.const 0x01020304))
      (if (call $input_size) (then (i32.store (local.get $base) (i32.const 7))))`)
    const raw = new RawGuest(module)
    const machine = Machine.create(lowerModule(module, parameters), nobleHasher)
    assert.notEqual(raw.call(new Uint8Array(0)), null)
    assert.ok(acceptCall(machine, new Uint8Array(0), 1e6).ok)
    assert.ok(committedMemory(machine).equals(raw.memory))
    assert.equal(machine.readPage(0)[10], 4)
  })

  test('a mark behind the end of the memory is not lost nor kept when the memory grows', () => {
    const module = invoking(
      `(local $frame i32)
      (local.set $frame (i32.const 65000))
      (global.set $pointer (local.get $frame))
      (local.set $frame (i32.sub (global.get $pointer) (i32.const -600)))
      (drop (memory.grow (i32.const 1)))
      (i32.store (local.get $frame) (i32.const 1))
      (i32.store offset=4092 (local.get $frame) (i32.const 2))`,
      '(global $pointer (mut i32) (i32.const 0))',
    )
    const raw = new RawGuest(module)
    const machine = Machine.create(lowerModule(module, parameters), nobleHasher)
    assert.notEqual(raw.call(new Uint8Array(0)), null)
    const outcome = acceptCall(machine, new Uint8Array(0), 1e7)
    assert.ok(outcome.ok)
    assert.equal(outcome.dirtyPages, 2)
    assert.ok(committedMemory(machine).equals(raw.memory))
  })
})
