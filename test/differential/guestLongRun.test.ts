/**
 * A backend over very many calls on the machine that nodes run (lowered, metered, with its dirty pages): memory stays
 * flat and no call is spiked by the collector. By night with 100,000 accounts and 1,000,000 calls.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildBackend } from '@onus/assemblyscript/build'
import { decodeResult, encodeCall } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { type CallOutcome, Machine } from '@onus/vm/engine/machine'
import { lowerModule } from '@onus/vm/lower/lowerModule'

const isNightly = process.env['ONUS_NIGHTLY'] !== undefined
const accounts = isNightly ? 100_000 : 10_000
const calls = isNightly ? 1_000_000 : 30_000

/** This file runs in `test/dist/differential`. */
const entryFile = fileURLToPath(new URL('../../../sdk/assemblyscript/assembly/test/bank.ts', import.meta.url))

const gasLimit = 2 ** 40
const headerLength = 256
/** Of `memory.grow`; a call that grows the memory is counted apart. */
const growthGas = 1_000_000
/** Milliseconds of CPU. */
const mostMilliseconds = 50

function inputOf(description: Interface, name: string, args: readonly unknown[]): Uint8Array {
  const request = encodeCall(description, name, args)
  const input = new Uint8Array(headerLength + request.length)
  input.set(request, headerLength)
  return input
}

interface Measured {
  readonly outcome: CallOutcome
  /** Of all threads, so a compilation in the background counts too. */
  readonly milliseconds: number
}

function measure(machine: Machine, input: Uint8Array): Measured {
  const before = process.cpuUsage()
  const outcome = machine.call(input, gasLimit)
  machine.accept()
  const { user, system } = process.cpuUsage(before)
  assert.ok(outcome.ok, outcome.detail ?? '')
  return { outcome, milliseconds: (user + system) / 1_000 }
}

test(`${calls} transfers between ${accounts} accounts: memory flat, no call spiked`, async (context) => {
  const { wasm, interface: description } = await buildBackend({ entryFile })
  const machine = Machine.create(lowerModule(wasm, { maximumMemoryPages: 4_096 }), null)
  assert.ok(machine.start(gasLimit).ok)
  machine.accept()
  for (let from = 0; from < accounts; from += 100) measure(machine, inputOf(description, 'open', [from, 100]))
  machine.endBlock()

  const pages: number[] = []
  const gas = { plain: 0, most: 0, growths: 0 }
  let slowest = 0
  for (let i = 0; i < calls; i++) {
    const names = [Math.imul(i, 48_271) >>> 0, Math.imul(i + 7, 69_621) >>> 0].map((n) => `account ${n % accounts}`)
    const { outcome, milliseconds } = measure(machine, inputOf(description, 'transfer', [...names, 1n, 'for november']))
    if (outcome.gasUsed > growthGas) gas.growths++
    else gas.most = Math.max(gas.most, outcome.gasUsed)
    gas.plain += outcome.gasUsed
    slowest = Math.max(slowest, milliseconds)
    if (i % 5_000 === 4_999) machine.endBlock()
    if (i % (calls / 20) === 0) pages.push(machine.pageCount / 16)
  }
  const total = machine.query(inputOf(description, 'total', []), gasLimit)
  assert.equal(decodeResult(description, 'total', total.output), BigInt(accounts) * 1_000_000n)
  context.diagnostic(
    `pages of 64 KiB ${pages.join(' ')}; gas ${Math.round(gas.plain / calls)} on average, ${gas.most} at most but for ` +
      `${gas.growths} calls that grew the memory; slowest call ${slowest.toFixed(1)} ms of CPU`,
  )
  const [first = 0] = pages
  const half = pages[pages.length / 2] as number
  assert.equal(pages.at(-1), half, 'the memory grows no more')
  assert.ok(half <= 2 * first, `memory ${pages.join(' ')}`)
  assert.ok(gas.most < 50_000, `a call used ${gas.most} gas`)
  assert.ok(slowest < mostMilliseconds, `a call took ${slowest} ms of CPU`)
})
