/** What people read of a call that traps on the machine that nodes run: message, place, function. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { buildBackend } from '@onus/assemblyscript/build'
import { encodeCall } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { Machine, requiredStackMegabytes } from '@onus/vm/engine/machine'
import { type LoweredModule, lowerModule } from '@onus/vm/lower/lowerModule'

/** This file runs in `test/dist/differential`. */
const entryFile = fileURLToPath(new URL('../../../sdk/assemblyscript/assembly/test/echo.ts', import.meta.url))

let lowered: LoweredModule
let description: Interface
let machine: Machine

before(async () => {
  const built = await buildBackend({ entryFile })
  description = built.interface
  lowered = lowerModule(built.wasm, { maximumMemoryPages: 4_096 })
  machine = Machine.create(lowered, null)
  assert.ok(machine.start(1e9).ok)
  machine.accept()
})

function inputOf(name: string, ...args: unknown[]): Uint8Array {
  const request = encodeCall(description, name, args)
  const input = new Uint8Array(256 + request.length)
  input.set(request, 256)
  return input
}

function detailOf(name: string, ...args: unknown[]): string {
  const { ok, detail } = machine.query(inputOf(name, ...args), 1e9)
  assert.equal(ok, false)
  return detail ?? ''
}

describe('traps', () => {
  const inTrap = '\n {4}in assembly/test/echo/trap$'
  const cases: readonly [what: string, which: number, index: number, detail: RegExp][] = [
    ['an index out of range', 0, 7, new RegExp(`^Index out of range\n {4}at ~lib/array\\.ts:\\d+:\\d+${inTrap}`)],
    ['a division by zero', 1, 0, new RegExp(`^divide by zero${inTrap}`)],
    ['assert', 2, 3, new RegExp(`^index is small\n {4}at assembly/test/echo\\.ts:\\d+:19${inTrap}`)],
    ['unreachable', 3, 0, new RegExp(`^unreachable${inTrap}`)],
    ['a throw in the SDK', 4, 0, /^the result is an error\n {4}at ~lib\/@onus\/.*\n {4}in assembly\/test\/echo\/trap$/],
    ['memory out of bounds', 5, 0, new RegExp(`^memory access out of bounds${inTrap}`)],
  ]
  for (const [what, which, index, detail] of cases)
    test(what, () => assert.match(detailOf('trap', which, index), detail))

  test('throw, refused arguments, out of gas', () => {
    assert.match(
      detailOf('badResult', 2),
      /^říkal jsem ne 🐎\n {4}at assembly\/test\/echo\.ts:\d+:3\n {4}in .*badResult$/,
    )
    assert.match(detailOf('badResult', 0), /^encode-utf8/)
    assert.match(
      detailOf('emitsInQuery'),
      /^emit: only entries emit events.*\n {4}in assembly\/test\/echo\/emitsInQuery$/,
    )
    const { ok, detail } = machine.query(inputOf('deep', 10), 300)
    assert.deepEqual([ok, detail?.split('\n')[0]], [false, 'out of gas'])
  })

  test('logs are there beside the trap', () => {
    assert.deepEqual(machine.query(inputOf('logs', ['a', 'b']), 1e9).logs, ['a', 'b'])
  })

  test('an endless recursion, on a stack as nodes have it', async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      import(workerData.machine).then(({ Machine }) => {
        const machine = Machine.create(workerData.lowered, null)
        machine.start(1e9)
        machine.accept()
        parentPort.postMessage(machine.query(workerData.input, 1e9).detail)
      })`
    const worker = new Worker(code, {
      eval: true,
      workerData: { lowered, input: inputOf('trap', 6, 0), machine: import.meta.resolve('@onus/vm/engine/machine') },
      resourceLimits: { stackSizeMb: requiredStackMegabytes },
    })
    const detail = await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    await worker.terminate()
    assert.match(String(detail), /^call stack exhausted\n {4}in assembly\/test\/echo\/endless/)
  })
})
