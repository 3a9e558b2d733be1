/** The genesis file and the id of a local cluster (`spec/genesis.md`). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  chainIdOfGenesis,
  checkLocalClusterId,
  decodeGenesis,
  domainOfGenesis,
  encodeGenesis,
  type Genesis,
  type Limits,
  localClusterId,
} from '../src/genesis.js'
import { nobleHasher } from '../src/hash.js'
import { keccak } from './support/naiveTrees.js'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { seededHash } from './support/seeded.js'
import { syntheticCluster, syntheticLimits } from './support/syntheticCluster.js'

const { genesis } = syntheticCluster([4, 3, 2, 1])
const encoded = encodeGenesis(genesis)
const u64 = (value: number | bigint): string => BigInt(value).toString(16).padStart(16, '0')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('genesis', () => {
  test('is written field by field', () => {
    const shortText = (text: string): string =>
      Uint8Array.of(text.length)[0]?.toString(16).padStart(2, '0') + hex(Buffer.from(text))
    const members = genesis.validators.validators.map(({ publicKey, power }) => hex(publicKey) + u64(power)).join('')
    const expected = [
      hex(Buffer.from('onus/genesis/1\0\0')),
      hex(genesis.clusterId),
      ...[1, 31_337, 1, 1_700_000_000_000_000_000n].map(u64),
      '00'.repeat(32),
      hex(genesis.codeReference),
      ...[1, 4096, 1_000_000].map(u64),
      hex(genesis.stateRoot),
      shortText('v20.20.2'),
      shortText('11.3.244.8-node.38'),
      ...Object.values(syntheticLimits).map(u64),
      '00'.repeat(20),
      '00000001',
      '04',
      members,
    ]
    assert.equal(hex(encoded), expected.join(''))
    assert.deepEqual(decodeGenesis(encoded), genesis)
  })

  test('names chain and signing domain', () => {
    assert.equal(chainIdOfGenesis(genesis), `onus-${hex(genesis.clusterId).slice(0, 20)}-1`)
    const { clusterId, epoch, ethereumChainId } = genesis
    assert.deepEqual(domainOfGenesis(genesis), { clusterId, epoch, ethereumChainId })
  })

  test('keeps nothing of the bytes it was read from', () => {
    const bytes = encoded.slice()
    const decoded = decodeGenesis(bytes)
    bytes.fill(0)
    assert.deepEqual(decoded, genesis)
  })
})

describe('local cluster ids', () => {
  test('are five zero bytes and 27 bytes of the hash of the genesis with a zero id', () => {
    const zeroed = encodeGenesis({ ...genesis, clusterId: new Uint8Array(32) })
    assert.equal(hex(genesis.clusterId), `${'00'.repeat(5)}${hex(keccak(zeroed)).slice(10)}`)
    checkLocalClusterId(nobleHasher, genesis)
  })

  test('commit to every field', () => {
    const other = syntheticCluster([4, 3, 2, 1], 'other').genesis
    const changes: Partial<Genesis>[] = [
      { epoch: 2 },
      { ethereumChainId: 1 },
      { initialHeight: 2 },
      { time: { seconds: 1_700_000_000, nanoseconds: 1 } },
      { previousManifest: seededHash('x') },
      { codeReference: seededHash('x') },
      { loweringVersion: 2 },
      { maximumMemoryPages: 1 },
      { startGas: 1 },
      { stateRoot: seededHash('x') },
      { nodeVersion: 'v22.0.0' },
      { v8Version: '1' },
      { membershipVersion: 2 },
      { validators: other.validators },
      ...(Object.keys(syntheticLimits) as (keyof Limits)[]).map((name) => ({
        limits: { ...syntheticLimits, [name]: syntheticLimits[name] - 1 },
      })),
    ]
    const ids = changes.map((change) => hex(localClusterId(nobleHasher, { ...genesis, ...change })))
    assert.equal(new Set([hex(genesis.clusterId), ...ids]).size, changes.length + 1)
    for (const change of changes)
      assertRejects('cluster-id', () => checkLocalClusterId(nobleHasher, { ...genesis, ...change }))
  })

  test('of a registered cluster commit to nothing here: its contract does', () => {
    const clusterId = seededHash('registered')
    assert.equal(
      rejectionOf(() => checkLocalClusterId(nobleHasher, { ...genesis, clusterId })),
      null,
    )
  })
})

describe('rejections', () => {
  const refuses = (change: Partial<Genesis>, code = 'genesis-form'): void =>
    assertRejects(
      code,
      () => decodeGenesis(encodeGenesis({ ...genesis, ...change })),
      JSON.stringify(Object.keys(change)),
    )

  test('another tag, cut or longer bytes', () => {
    assertRejects('bad-tag', () => decodeGenesis(encoded.map((byte, index) => (index === 0 ? 1 : byte))))
    assertRejects('truncated', () => decodeGenesis(encoded.subarray(0, -1)))
    assertRejects('trailing-bytes', () => decodeGenesis(Uint8Array.of(...encoded, 0)))
  })

  test('epoch 0 or over 32 bits, initial height 0', () => {
    refuses({ epoch: 0 })
    refuses({ epoch: 2 ** 32 })
    refuses({ initialHeight: 0 })
    assert.equal(
      rejectionOf(() => decodeGenesis(encodeGenesis({ ...genesis, epoch: 2 ** 32 - 1 }))),
      null,
    )
  })

  test('versions that are empty, too long for a word of the manifest, or not printable', () => {
    for (const version of ['', 'x'.repeat(33), 'a b', 'é', '\n']) {
      refuses({ nodeVersion: version })
      refuses({ v8Version: version })
    }
  })

  test('limits that the formats or the machine cannot hold', () => {
    refuses({ startGas: 2 ** 46 + 1 })
    const limits = (name: keyof Limits, value: number): Partial<Genesis> => ({
      limits: { ...syntheticLimits, [name]: value },
    })
    for (const [name, most] of [
      ['blockBytes', 2 ** 26 - 4096],
      ['blockTransactions', 2 ** 16],
      ['sessionCapacity', 2 ** 24],
      ['callGas', 2 ** 46],
    ] as const) {
      refuses(limits(name, most + 1))
      assert.equal(
        rejectionOf(() => decodeGenesis(encodeGenesis({ ...genesis, ...limits(name, most) }))),
        null,
      )
    }
  })
})
