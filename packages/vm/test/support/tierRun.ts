/** Runs a set of programs and prints outcomes and roots as JSON. Started with different flags of V8 by a test. */
import { toHex } from '@onus/protocol/bytes'
import { Machine } from '../../src/engine/machine.js'
import { lowerModule } from '../../src/lower/lowerModule.js'
import { operation, operationsGuest } from './guests.js'
import { nativeHasher } from './hasher.js'
import { nanGuest } from './nanGuest.js'
import { randomModule, seededRandom } from './randomModule.js'
import { invoking } from './wat.js'

const parameters = { maximumMemoryPages: 64 }
const report: unknown[] = []

function record(module: Uint8Array, inputs: readonly Uint8Array[]): void {
  const machine = Machine.create(lowerModule(module, parameters), nativeHasher)
  machine.start(1e9)
  machine.accept()
  for (const input of inputs) {
    const { ok, gasUsed, output, dirtyPages } = machine.call(input, 20_000_000)
    machine.accept()
    report.push([ok, gasUsed, toHex(output), dirtyPages])
  }
  report.push(toHex(machine.endBlock().stateRoot))
}

const none = new Uint8Array(0)
const random = seededRandom(9)
const inputs = Array.from({ length: 30 }, () =>
  Buffer.concat(
    Array.from({ length: 20 }, () =>
      operation(Math.floor(random() * 15), random() * 2 ** 32, random() * 2 ** 32, random() * 2 ** 32),
    ),
  ),
)
record(await operationsGuest(), inputs)
record(nanGuest(), [none])
record(invoking('(loop $l (br $l))'), [none])
record(invoking('(call $f)', '(func $f (call $f) (call $f))'), [none, none])
for (let seed = 1; seed <= 60; seed++) record(randomModule(seed), [none, none])
console.log(JSON.stringify(report))
