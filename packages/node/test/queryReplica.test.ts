/** Queries at the newest state and at each of the last 8 blocks; the machine opened as the node opens it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Store } from '@onus/node/store/store'
import { codeReferenceOf, machineAtGenesis, openMachine } from '@onus/node/worker/openMachine'
import { heightsKept, QueryReplica, type ReplicaBlock } from '@onus/node/worker/queryReplica'
import { concatBytes } from '@onus/protocol/bytes'
import type { Genesis } from '@onus/protocol/genesis'
import type { StateDelta } from '@onus/state-transition/virtualMachine'
import { maximumGasLimit } from '@onus/vm/lower/costs'
import { lowerModule } from '@onus/vm/lower/lowerModule'
import binaryen from 'binaryen'
import fc from 'fast-check'
import { guestModule, operation, request, totalOf } from './support/guest.js'
import { assertRejects } from './support/rejection.js'
import { seededBytes, withFolder } from './support/seeded.js'
import { hashing, testCluster } from './support/testNode.js'

const cluster = testCluster()
const maximumMemoryPages = 16

const lowered = lowerModule(guestModule(), { maximumMemoryPages })

function guest(): ReturnType<typeof machineAtGenesis> {
  return machineAtGenesis(lowered, hashing, 1_000_000)
}

/** The height that a read put out behind the total: the last byte of the header's word. */
function heightOf(output: Uint8Array): number {
  return output[15] as number
}

interface Following {
  readonly replica: QueryReplica
  readonly height: number
  /** Total after each height. */
  readonly totals: Map<number, bigint>
}

/** A replica that followed `blocks`: each null (no content) or the requests of a block. */
function follow(blocks: readonly (readonly Uint8Array[] | null)[]): Following {
  const genesisBlock: ReplicaBlock = { height: 0, milliseconds: 0, manifestHash: new Uint8Array(32) }
  const replica = new QueryReplica(hashing, guest(), 20_000_000, genesisBlock, 0)
  const machine = guest()
  const totals = new Map<number, bigint>([[0, 0n]])
  let total = 0n
  for (const [index, requests] of blocks.entries()) {
    const height = index + 1
    for (const argument of requests ?? []) {
      const { ok } = machine.call(concatBytes(new Uint8Array(256), argument), 20_000_000)
      machine.accept()
      assert.equal(ok, argument[4] !== operation.trap)
      if (ok) total += BigInt(new DataView(argument.buffer).getUint32(5, true))
    }
    const block = { height, milliseconds: 1000 * height, manifestHash: seededBytes(`manifest ${height}`) }
    replica.follow(height, requests === null ? null : { block, delta: machine.endBlock().delta })
    totals.set(height, total)
  }
  return { replica, height: blocks.length, totals }
}

describe('query replica', () => {
  test('answers at each of the kept heights what the state was there, and the newest is as before', () => {
    const argument = fc.oneof(
      fc.tuple(fc.constant(operation.add), fc.integer({ min: 1, max: 50 }), fc.nat(15)),
      fc.tuple(fc.constant(operation.grow), fc.integer({ min: 0, max: 1 }), fc.nat(15)),
      fc.tuple(fc.constant(operation.dirty), fc.integer({ min: 1, max: 9 }), fc.nat(15)),
      fc.constant([operation.trap, 7, 7] as const),
    )
    const block = fc.option(
      fc.array(
        argument.map(([code, a, b]) => request(code, a, b)),
        { minLength: 1, maxLength: 3 },
      ),
      { freq: 3 },
    )
    const seen = { gone: 0, older: 0 }
    fc.assert(
      fc.property(
        fc.array(block, { minLength: 1, maxLength: 16, size: 'max' }),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 12 }),
        (blocks, asked) => {
          const { replica, height, totals } = follow(blocks)
          const contents = [0, ...blocks.flatMap((requests, index) => (requests === null ? [] : [index + 1]))]
          const oldest = contents[contents.length - 1 - heightsKept] ?? 0
          for (const back of [...asked, 0]) {
            const at = height - back
            if (at < 0) continue
            if (at < oldest) {
              assertRejects('height-gone', () => replica.query(at, request(operation.read)))
              seen.gone += 1
              continue
            }
            if (at < height) seen.older += 1
            const { output, height: answered, trapped } = replica.query(at, request(operation.read))
            assert.equal(trapped, false)
            assert.equal(totalOf(output), totals.get(at))
            assert.equal(answered, contents.filter((content) => content <= at).pop())
            assert.equal(heightOf(output), answered)
          }
          const newest = replica.query(null, request(operation.read))
          assert.equal(totalOf(newest.output), totals.get(height))
          assertRejects('height-ahead', () => replica.query(height + 1, request(operation.read)))
        },
      ),
      { seed: 17, numRuns: 30 },
    )
    assert.ok(seen.gone > 5 && seen.older > 50, JSON.stringify(seen))
  })

  test('a query changes nothing, traps with the words of the guest, and ends when its gas does', () => {
    const { replica, totals, height } = follow([[request(operation.add, 1, 1)], [request(operation.add, 4, 1)]])
    assert.equal(totalOf(replica.query(null, request(operation.add, 100, 1)).output), 105n)
    assert.equal(totalOf(replica.query(null, request(operation.read)).output), totals.get(height))
    const trapped = replica.query(null, request(operation.trap, 1, 1))
    assert.deepEqual([trapped.trapped, trapped.output.length, trapped.detail], [true, 0, 'no'])
    const endless = replica.query(height - 1, request(operation.deep, 0xffffffff))
    assert.equal(endless.trapped, true)
    assert.equal(totalOf(replica.query(null, request(operation.read)).output), totals.get(height))
    assert.equal(replica.query(null, new Uint8Array(0)).trapped, false, 'a request of nothing is the guest’s matter')
  })

  test('a query that fails as a bug leaves the replica at its newest state', () => {
    const deltas: string[] = []
    const delta = (name: string): StateDelta => ({ memoryPages: 1, globals: Buffer.from(name), pages: [] })
    const replica = new QueryReplica(
      hashing,
      {
        query: () => {
          throw new Error('bug')
        },
        apply: (change) => {
          deltas.push(Buffer.from(change.globals).toString())
          return { stateRoot: new Uint8Array(32), delta: change, undo: delta(`-${Buffer.from(change.globals)}`) }
        },
      },
      1,
      { height: 0, milliseconds: 0, manifestHash: new Uint8Array(32) },
      0,
    )
    for (const height of [1, 2]) {
      const block = { height, milliseconds: 0, manifestHash: new Uint8Array(32) }
      replica.follow(height, { block, delta: delta(`${height}`) })
    }
    assert.throws(() => replica.query(0, new Uint8Array(4)), /bug/)
    assert.deepEqual(deltas, ['1', '2', '-2', '-1', '--1', '--2'])
  })
})

describe('opening the machine', () => {
  const open = (changes: Partial<Genesis>, module = cluster.module): Promise<void> =>
    withFolder(async (folder) => {
      const store = new Store(join(folder, 'store'))
      try {
        openMachine({ ...cluster.genesis, ...changes }, module, hashing, store)
      } finally {
        await store.close()
      }
    })

  test('refuses another module, platform, lowering, state or too much gas, and says what to do', async () => {
    const { limits } = cluster.genesis
    const cases: readonly (readonly [string, RegExp, Partial<Genesis>, Uint8Array?])[] = [
      ['code-reference', /genesis names/, {}, guestModule(1)],
      ['code-reference', /genesis names/, { codeReference: seededBytes('other') }],
      ['code-reference', /lowering version 1/, { loweringVersion: 2 }],
      ['code-reference', /genesis names/, { maximumMemoryPages: 17 }],
      ['profile-memory', /at most 15/, { maximumMemoryPages: 15 }],
      ['engine-version', /v1\.2\.3/, { nodeVersion: 'v1.2.3' }],
      ['engine-version', /9\.9/, { v8Version: '9.9' }],
      ['genesis-state', /another state/, { stateRoot: seededBytes('other') }],
      ['genesis-limits', /at most/, { limits: { ...limits, callGas: maximumGasLimit + 1 } }],
      ['genesis-limits', /at most/, { startGas: maximumGasLimit + 1 }],
    ]
    for (const [code, message, changes, module] of cases)
      await assert.rejects(open(changes, module), { name: 'OnusError', code, message })
    await open({})
  })

  test('refuses what is no module of the profile', async () => {
    for (const module of [new Uint8Array(0), seededBytes('garbage', 100), cluster.module.slice(0, -5)])
      await assert.rejects(open({}, module), { name: 'OnusError' })
  })

  test('refuses a backend whose start function traps or never ends', () => {
    for (const body of ['(unreachable)', '(loop $for (br $for))']) {
      const module = binaryen.parseText(
        `(module (memory (export "memory") 1 2) (func (export "invoke")) (func $start ${body}) (start $start))`,
      )
      const failing = lowerModule(module.emitBinary(), { maximumMemoryPages })
      module.dispose()
      assertRejects('start-trapped', () => machineAtGenesis(failing, hashing, 100_000))
    }
  })

  test('the code reference names module, lowering and memory', () => {
    const references = [
      codeReferenceOf(hashing, guestModule(), lowerModule(guestModule(), { maximumMemoryPages })),
      codeReferenceOf(hashing, guestModule(), lowerModule(guestModule(), { maximumMemoryPages: 17 })),
      codeReferenceOf(hashing, guestModule(1), lowerModule(guestModule(1), { maximumMemoryPages })),
    ]
    assert.deepEqual(references[0], cluster.genesis.codeReference)
    assert.equal(new Set(references.map(String)).size, 3)
  })
})
