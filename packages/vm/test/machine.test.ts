/** Lifetime of a machine: accept, reject, traps, queries, blocks, undo, restore. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fixedTreeRoot } from '@onus/protocol/fixedTree'
import { nobleHasher } from '@onus/protocol/hash'
import { type BlockResult, Machine } from '../src/engine/machine.js'
import type { StateDelta } from '../src/engine/stateDelta.js'
import { type LoweredModule, lowerModule } from '../src/lower/lowerModule.js'
import { globalsTreeRoot, stateRootOf } from '../src/state/stateRoot.js'
import { operation, operationsGuest } from './support/guests.js'
import { nativeHasher } from './support/hasher.js'
import { seededRandom } from './support/randomModule.js'
import { acceptCall, committedMemory } from './support/rawGuest.js'
import { invoking } from './support/wat.js'

const parameters = { maximumMemoryPages: 64 }
const none = new Uint8Array(0)
const gasLimit = 30_000_000

function machineOf(lowered: LoweredModule): Machine {
  const machine = Machine.create(lowered, nativeHasher)
  assert.ok(machine.start(gasLimit).ok)
  machine.accept()
  machine.endBlock()
  return machine
}

/** The root by definition, from all pages of the committed memory. */
function slowRoot(machine: Machine, result: BlockResult): Uint8Array {
  const memoryRoot = fixedTreeRoot(nobleHasher, committedMemory(machine), 27)
  return stateRootOf(
    nobleHasher,
    memoryRoot,
    machine.pageCount / 16,
    globalsTreeRoot(nobleHasher, result.delta.globals),
  )
}

describe('random lives', () => {
  test('rejected, trapped, queried and reverted calls leave no trace', async () => {
    const lowered = lowerModule(await operationsGuest(), parameters)
    const lived = machineOf(lowered)
    const reference = machineOf(lowered)
    const random = seededRandom(77)
    const below = (limit: number): number => Math.floor(random() * limit)
    const input = (last?: number): Uint8Array => {
      const codes = Array.from({ length: 1 + below(8) }, () => below(13))
      if (below(12) === 0) codes.push(13)
      if (last !== undefined) codes.push(last)
      return Buffer.concat(codes.map((code) => operation(code, below(2 ** 32), below(2 ** 32), below(2 ** 32))))
    }
    const seen = { traps: 0, reverts: 0, undone: 0, growths: 0 }
    for (let block = 0; block < 25; block++) {
      const pagesBefore = reference.pageCount
      if (below(4) === 0) {
        for (let i = 0; i < 3; i++) acceptCall(lived, input(below(3) === 0 ? 13 : undefined), gasLimit)
        lived.revertBlock()
        seen.reverts++
      }
      for (let call = 0; call < 6; call++) {
        const kind = below(6)
        if (kind === 0) lived.query(input(below(2) === 0 ? 13 : undefined), gasLimit)
        else if (kind === 1) {
          const outcome = lived.call(input(below(2) === 0 ? 14 : 15), gasLimit)
          assert.deepEqual([outcome.ok, outcome.gasUsed, outcome.output.length], [false, gasLimit, 0])
          if (below(2) === 0) lived.accept()
          seen.traps++
        } else if (kind === 2) {
          lived.call(input(), gasLimit)
          lived.reject()
        } else {
          const data = input()
          const expected = acceptCall(reference, data, gasLimit)
          assert.deepEqual(acceptCall(lived, data, gasLimit), expected)
        }
      }
      const before = reference.stateRoot
      const expected = reference.endBlock()
      const actual = lived.endBlock()
      assert.deepEqual(actual, expected)
      if (reference.pageCount > pagesBefore) seen.growths++
      if (below(3) === 0) {
        assert.deepEqual(lived.apply(actual.undo).stateRoot, before)
        assert.equal(lived.pageCount, pagesBefore)
        assert.deepEqual(lived.apply(actual.delta).stateRoot, expected.stateRoot)
        seen.undone++
      }
      if (block % 8 === 0) assert.deepEqual(slowRoot(lived, actual), actual.stateRoot)
      assert.ok(committedMemory(lived).equals(committedMemory(reference)))
    }
    assert.ok(seen.traps > 5 && seen.reverts > 2 && seen.undone > 3 && seen.growths > 1, JSON.stringify(seen))
  })

  test('a replica that only applies deltas ends with the same state, and goes on from it', async () => {
    const lowered = lowerModule(await operationsGuest(), parameters)
    const leader = machineOf(lowered)
    const replica = machineOf(lowered)
    const history: { root: Uint8Array; undo: StateDelta }[] = []
    for (let block = 0; block < 6; block++) {
      const root = leader.stateRoot
      acceptCall(leader, operation(6, block * 70_000, block, 9_000), gasLimit)
      acceptCall(leader, operation(block === 3 ? 13 : 10, 2, block, 0), gasLimit)
      const result = leader.endBlock()
      const applied = replica.apply(result.delta)
      assert.deepEqual(applied, result)
      history.push({ root, undo: applied.undo })
    }
    const data = operation(8, 5, 6, 7)
    assert.deepEqual(acceptCall(replica, data, gasLimit), acceptCall(leader, data, gasLimit))
    const last = leader.endBlock()
    assert.deepEqual(replica.endBlock(), last)
    replica.apply(last.undo)
    for (const { root, undo } of history.reverse()) assert.deepEqual(replica.apply(undo).stateRoot, root)
  })
})

/** Input byte 0 selects: store, grow and store, grow and trap, write text and trap, report size and a global. */
const switching = invoking(
  `(local $op i32)
  (call $input_read (i32.const 0) (i32.const 0) (i32.const 1))
  (local.set $op (i32.load8_u (i32.const 0)))
  (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
  (global.set $ratio (f32.add (global.get $ratio) (f32.const 0.5)))
  (if (i32.eq (local.get $op) (i32.const 1)) (then (i32.store (i32.const 8192) (i32.const 1))))
  (if (i32.and (i32.ge_u (local.get $op) (i32.const 2)) (i32.le_u (local.get $op) (i32.const 3)))
    (then (drop (memory.grow (i32.const 1))) (i32.store (i32.const 70000) (i32.const 7))))
  (if (i32.eq (local.get $op) (i32.const 3)) (then (unreachable)))
  (if (i32.eq (local.get $op) (i32.const 4))
    (then (call $output_write (i32.const 1024) (i32.const 12)) (unreachable)))
  (if (i32.eq (local.get $op) (i32.const 5)) (then (i32.store (i32.const 70000) (i32.const 9))))
  (if (i32.eq (local.get $op) (i32.const 6)) (then (call $input_read (i32.const 0) (i32.const 1) (i32.const 1))))
  (if (i32.eq (local.get $op) (i32.const 7))
    (then (loop $again (call $output_write (i32.const 0) (i32.const 65536)) (br $again))))
  (if (i32.eq (local.get $op) (i32.const 8)) (then (call $output_write (i32.const 65530) (i32.const 7))))
  (i32.store (i32.const 16) (memory.size)) (i64.store (i32.const 24) (global.get $calls))
  (call $output_write (i32.const 16) (i32.const 16))`,
  `(global $calls (mut i64) (i64.const 0)) (global $ratio (mut f32) (f32.const 1)) (global $fixed i32 (i32.const 3))
   (data (i32.const 1024) "no such user")`,
)
const lowered = lowerModule(switching, parameters)
const fresh = (): Machine => Machine.create(lowered, nobleHasher)
const op = (code: number): Uint8Array => Uint8Array.of(code)

describe('calls', () => {
  test('memory of a rolled-back growth traps again', () => {
    const machine = fresh()
    const root = machine.stateRoot
    const trapped = machine.call(op(3), 1e7)
    assert.deepEqual([trapped.ok, trapped.detail], [false, 'unreachable'])
    const beyond = machine.call(op(5), 1e7)
    assert.deepEqual([beyond.ok, beyond.detail], [false, 'memory access out of bounds'])
    machine.call(op(2), 1e7)
    machine.reject()
    assert.equal(machine.call(op(5), 1e7).ok, false)
    machine.query(op(2), 1e7)
    assert.equal(machine.call(op(5), 1e7).ok, false)
    acceptCall(machine, op(2), 1e7)
    assert.ok(machine.call(op(5), 1e7).ok)
    machine.reject()
    machine.revertBlock()
    assert.equal(machine.call(op(5), 1e7).ok, false)
    assert.deepEqual(machine.endBlock().stateRoot, root)
    assert.equal(machine.pageCount, 16)
  })

  test('growth is in state, delta and undo', () => {
    const machine = fresh()
    const before = machine.stateRoot
    acceptCall(machine, op(2), 1e7)
    const result = machine.endBlock()
    assert.equal(result.memoryPages, 2)
    assert.deepEqual(
      result.delta.pages.map(([page]) => page),
      [0, 17],
    )
    assert.deepEqual(
      result.undo.pages.map(([page]) => page),
      [0],
    )
    assert.equal(result.undo.memoryPages, 1)
    assert.deepEqual(slowRoot(machine, result), result.stateRoot)
    const undone = machine.apply(result.undo)
    assert.deepEqual(undone.stateRoot, before)
    assert.deepEqual(undone.undo, result.delta)
    assert.equal(machine.call(op(5), 1e7).ok, false)
    assert.deepEqual(machine.apply(undone.undo).stateRoot, result.stateRoot)
    assert.ok(machine.call(op(5), 1e7).ok)
  })

  test('mutable globals of every type are restored; constants are no state', () => {
    const machine = fresh()
    machine.call(op(1), 1e7)
    machine.reject()
    machine.call(op(4), 1e7)
    acceptCall(machine, op(0), 1e7)
    const { globals } = machine.endBlock().delta
    // One accepted call: calls = 1; ratio = 1.5f, zero-extended.
    assert.equal(Buffer.from(globals).toString('hex'), '0000000000000001000000003fc00000')
  })

  test('a trap carries what the guest wrote', () => {
    const outcome = fresh().call(op(4), 1e7)
    assert.deepEqual([outcome.ok, outcome.detail, outcome.output.length], [false, 'no such user', 0])
  })

  test('host functions beyond input, output and memory trap', () => {
    assert.match(fresh().call(op(6), 1e7).detail ?? '', /outside of its limits/)
    assert.equal(fresh().call(op(7), 1e9).ok, false)
    assert.equal(fresh().call(op(8), 1e9).detail, 'unreachable')
    assert.equal(fresh().call(none, 1e9).ok, false)
  })

  test('dirty pages are counted over the block', () => {
    const machine = fresh()
    assert.equal(acceptCall(machine, op(0), 1e7).dirtyPages, 1)
    assert.equal(machine.query(op(1), 1e7).dirtyPages, 2)
    assert.equal(acceptCall(machine, op(1), 1e7).dirtyPages, 2)
    assert.equal(machine.call(op(4), 1e7).dirtyPages, 2)
    machine.endBlock()
    assert.equal(acceptCall(machine, op(0), 1e7).dirtyPages, 1)
  })

  test('an open call must be closed first', () => {
    const machine = fresh()
    machine.call(op(0), 1e7)
    assert.throws(() => machine.call(op(0), 1e7), /open call/)
    assert.throws(() => machine.endBlock(), /open call/)
    assert.throws(() => machine.query(op(0), 1e7), /open call/)
    machine.accept()
    machine.accept()
    machine.reject()
    assert.equal(machine.endBlock().delta.pages.length, 1)
  })

  test('the start function runs once, under gas, from zeroed state', () => {
    const module = invoking(
      '(nop)',
      '(global $g (mut i32) (i32.const 1)) (func $s (global.set $g (i32.const 5)) (i32.store (i32.const 4096) (i32.const 1))) (start $s)',
    )
    const machine = Machine.create(lowerModule(module, parameters), nobleHasher)
    assert.equal(machine.start(3).ok, false)
    const outcome = machine.start(1e6)
    assert.deepEqual([outcome.ok, outcome.gasUsed, outcome.dirtyPages], [true, 5, 1])
    machine.accept()
    assert.deepEqual(Buffer.from(machine.endBlock().delta.globals).toString('hex'), '0000000000000005')
    assert.deepEqual(fresh().start(0), { ok: true, gasUsed: 0, output: none, detail: null, logs: [], dirtyPages: 0 })
  })
})

describe('deltas from outside', () => {
  const page = new Uint8Array(4_096)
  const globals = new Uint8Array(16)
  const refused = (delta: Partial<StateDelta>, message: RegExp): void => {
    const whole = { memoryPages: 1, globals, pages: [], ...delta }
    assert.throws(() => fresh().apply(whole), { code: 'state-delta', message })
  }
  test('are checked', () => {
    refused({ memoryPages: 0 }, /memory of 0 pages/)
    refused({ memoryPages: 5 }, /memory of 5 pages/)
    refused({ memoryPages: 1.5 }, /memory/)
    refused({ globals: new Uint8Array(8) }, /8 bytes of globals/)
    refused({ globals: new Uint8Array(16).fill(1) }, /global 1 has 32 bits/)
    refused({ pages: [[16, page]] }, /page 16/)
    refused(
      {
        pages: [
          [3, page],
          [3, page],
        ],
      },
      /page 3/,
    )
    refused({ pages: [[-1, page]] }, /page -1/)
    refused({ pages: [[2, new Uint8Array(4_095)]] }, /4095 bytes/)
  })
  test('pages and proofs outside of the memory are refused', () => {
    const machine = fresh()
    for (const index of [-1, 16, 0.5, Number.NaN]) {
      assert.throws(() => machine.readPage(index), { code: 'page-index' })
      assert.throws(() => machine.pageProof(index), { code: 'page-index' })
    }
    assert.equal(machine.pageProof(15).length, 640)
  })
  test('marks left behind the end are gone when a delta grows the memory', () => {
    const trap = invoking('(i32.store (i32.const 70000) (i32.const 1))')
    const machine = Machine.create(lowerModule(trap, parameters), nobleHasher)
    assert.equal(machine.call(none, 1e6).ok, false)
    machine.apply({ memoryPages: 2, globals: none, pages: [] })
    assert.equal(acceptCall(machine, none, 1e6).dirtyPages, 1)
    machine.apply({ ...machine.endBlock().undo, memoryPages: 1, pages: [] })
    assert.equal(machine.call(none, 1e6).ok, false)
    machine.apply({ memoryPages: 3, globals: none, pages: [] })
    const idle = machine.apply({ memoryPages: 2, globals: none, pages: [] })
    assert.equal(idle.undo.memoryPages, 3)
    assert.equal(acceptCall(machine, none, 1e6).dirtyPages, 1)
  })
  test('only between blocks', () => {
    const machine = fresh()
    acceptCall(machine, op(1), 1e7)
    assert.throws(() => machine.apply({ memoryPages: 1, globals, pages: [] }), /between blocks/)
  })
})
