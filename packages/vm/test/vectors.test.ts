/**
 * Golden vectors of lowering version 1 (`spec/vectors/vm.json`): bytes of modules, hashes of what they are lowered to,
 * outcomes and roots. A change here is a change of consensus and needs a new lowering version. After one, write the
 * file anew with ONUS_UPDATE_VECTORS=1.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fromHex, toHex } from '@onus/protocol/bytes'
import { nobleHasher } from '@onus/protocol/hash'
import { Machine } from '../src/engine/machine.js'
import { loweringVersion } from '../src/lower/costs.js'
import { lowerModule } from '../src/lower/lowerModule.js'
import { operation, operationsGuest } from './support/guests.js'
import { nanGuest } from './support/nanGuest.js'
import { randomModule } from './support/randomModule.js'
import { invoking } from './support/wat.js'

const vectorsFile = new URL('../../../../spec/vectors/vm.json', import.meta.url)

interface CallVector {
  readonly input: string
  readonly gasLimit: number
  readonly ok: boolean
  readonly gasUsed: number
  readonly output: string
  readonly dirtyPages: number
  /** After the call was accepted and its block ended. */
  readonly stateRoot: string
}

interface ModuleVector {
  readonly name: string
  readonly module: string
  readonly maximumMemoryPages: number
  /** SHA-256 of M1 and of the executable. */
  readonly meteredHash: string
  readonly executableHash: string
  readonly genesisRoot: string
  readonly calls: readonly CallVector[]
}

interface Vectors {
  readonly loweringVersion: number
  readonly modules: readonly ModuleVector[]
}

function vectorOf(name: string, module: Uint8Array, inputs: readonly Uint8Array[], gasLimit: number): ModuleVector {
  const maximumMemoryPages = 64
  const lowered = lowerModule(module, { maximumMemoryPages })
  const machine = Machine.create(lowered, nobleHasher)
  const genesisRoot = toHex(machine.stateRoot)
  machine.start(gasLimit)
  machine.accept()
  const calls = inputs.map((input): CallVector => {
    const { ok, gasUsed, output, dirtyPages } = machine.call(input, gasLimit)
    machine.accept()
    const stateRoot = toHex(machine.endBlock().stateRoot)
    return { input: toHex(input), gasLimit, ok, gasUsed, output: toHex(output), dirtyPages, stateRoot }
  })
  return {
    name,
    module: Buffer.from(module).toString('base64'),
    maximumMemoryPages,
    meteredHash: toHex(nobleHasher.sha256(lowered.metered)),
    executableHash: toHex(nobleHasher.sha256(lowered.executable)),
    genesisRoot,
    calls,
  }
}

async function makeVectors(): Promise<Vectors> {
  const none = new Uint8Array(0)
  const operations = [
    operation(3, 4_090, 5, 6),
    operation(6, 8_000, 1, 9_000),
    operation(10, 3, 4, 0),
    Buffer.concat([operation(8, 1, 2, 3), operation(14, 0, 0, 0)]),
    operation(15, 0, 0, 0),
    operation(13, 3, 0, 0),
  ]
  const table = '(type $v (func)) (table 2 2 funcref) (func $f (type $v)) (elem (i32.const 0) $f $f)'
  return {
    loweringVersion,
    modules: [
      vectorOf('empty', invoking('(nop)'), [none], 100),
      vectorOf(
        'echo',
        invoking(
          '(call $input_read (i32.const 4094) (i32.const 0) (call $input_size)) (call $output_write (i32.const 4094) (call $input_size))',
        ),
        [Uint8Array.of(1, 2, 3)],
        1_000,
      ),
      vectorOf('endless', invoking('(loop $l (br $l))'), [none], 10_000),
      vectorOf(
        'indirect',
        invoking('(call_indirect (type $v) (i32.const 1)) (call_indirect (type $v) (i32.const 2))', table),
        [none],
        10_000,
      ),
      vectorOf('nan', nanGuest(), [none], 1_000_000),
      vectorOf('operations', await operationsGuest(), operations, 20_000_000),
      ...[1, 2, 3, 5, 8, 13].map((seed) => vectorOf(`random ${seed}`, randomModule(seed), [none, none], 10_000_000)),
    ],
  }
}

describe('vectors', () => {
  test('lowering, outcomes and roots are those of the file', async () => {
    if (process.env['ONUS_UPDATE_VECTORS'] === '1')
      writeFileSync(vectorsFile, `${JSON.stringify(await makeVectors(), null, 2)}\n`)
    const vectors = JSON.parse(readFileSync(vectorsFile, 'utf8')) as Vectors
    assert.equal(vectors.loweringVersion, loweringVersion)
    assert.equal(vectors.modules.length, 12)
    for (const vector of vectors.modules) {
      const inputs = vector.calls.map((call) => fromHex(call.input))
      const gasLimit = vector.calls[0]?.gasLimit ?? 0
      assert.deepEqual(vectorOf(vector.name, Buffer.from(vector.module, 'base64'), inputs, gasLimit), vector)
    }
  })
})
