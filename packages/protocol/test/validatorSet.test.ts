/** Members of a cluster (`spec/consensus.md` 4, `spec/genesis.md` 3); the engine's own hash is in commit.test.ts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BinaryReader, BinaryWriter } from '../src/binary.js'
import { compareBytes } from '../src/bytes.js'
import { nobleHasher } from '../src/hash.js'
import { addressOf, publicKeyOf } from '../src/signature.js'
import { encodeMembers, readValidators, validatorSetOf, validatorsHash } from '../src/validatorSet.js'
import { merkleTreeHash } from './support/naiveTrees.js'
import { assertRejects } from './support/rejection.js'
import { seededKey } from './support/seeded.js'

const members = (powers: readonly number[]): { publicKey: Uint8Array; power: number }[] =>
  powers.map((power, index) => ({ publicKey: publicKeyOf(seededKey(`member ${index}`)), power }))

describe('validator sets', () => {
  test('stand by greater power, then by smaller address, whatever order they were given in', () => {
    const given = members([10, 30, 10, 20, 10, 30])
    const set = validatorSetOf(given)
    assert.deepEqual(validatorSetOf([...given].reverse()), set)
    assert.equal(set.totalPower, 110)
    for (let i = 1; i < set.validators.length; i++) {
      const [a, b] = [set.validators[i - 1], set.validators[i]] as const
      assert.ok(a !== undefined && b !== undefined)
      assert.ok(a.power > b.power || (a.power === b.power && compareBytes(a.address, b.address) < 0))
      assert.deepEqual(b.address, addressOf(b.publicKey))
    }
  })

  test('the hash is RFC 6962 over SimpleValidator messages written by hand', () => {
    const set = validatorSetOf(members([300, 1, 127, 128]))
    const powers: Record<number, number[]> = { 300: [0xac, 0x02], 128: [0x80, 0x01], 127: [0x7f], 1: [0x01] }
    const leaves = set.validators.map(({ publicKey, power }) =>
      Uint8Array.of(0x0a, 35, 0x2a, 33, ...publicKey, 0x10, ...(powers[power] ?? [])),
    )
    assert.deepEqual(validatorsHash(nobleHasher, set), merkleTreeHash(leaves))
  })

  test('none, too many, bad powers, no points and doubled keys are refused', () => {
    const [first, second] = members([1, 2]) as [
      { publicKey: Uint8Array; power: number },
      { publicKey: Uint8Array; power: number },
    ]
    const refused = [
      [],
      members(new Array(17).fill(1)),
      ...[0, -1, 1.5, Number.NaN, Infinity, 2 ** 40 + 1].map((power) => [{ ...first, power }]),
      [{ publicKey: new Uint8Array(33), power: 1 }],
      [{ publicKey: first.publicKey.subarray(1), power: 1 }],
      [first, second, { ...first, power: 9 }],
      [first, first],
    ]
    for (const given of refused) assertRejects('validator-set', () => validatorSetOf(given))
    assert.equal(validatorSetOf(members(new Array(16).fill(2 ** 40))).totalPower, 2 ** 44)
  })

  test('a list out of order is refused, also among equal powers', () => {
    for (const powers of [
      [10, 20],
      [10, 10, 10],
    ]) {
      const set = validatorSetOf(members(powers))
      const encode = (list: readonly { publicKey: Uint8Array; power: number }[]): Uint8Array => {
        const writer = new BinaryWriter().u8(list.length)
        for (const { publicKey, power } of list) writer.bytes(publicKey).u64(power)
        return writer.finish()
      }
      const read = (bytes: Uint8Array): unknown => readValidators(new BinaryReader(bytes, 'set'))
      assert.deepEqual(read(encode(set.validators)), set)
      assertRejects('validator-set', () => read(encode([...set.validators].reverse())))
    }
  })

  test('the members file is tag, version, count and members', () => {
    const set = validatorSetOf(members([5, 6]))
    const bytes = encodeMembers(0x01020304, set)
    const head = [...Buffer.from('onus/members/1\0\0'), 1, 2, 3, 4, 2]
    const body = set.validators.flatMap(({ publicKey, power }) => [...publicKey, 0, 0, 0, 0, 0, 0, 0, power])
    assert.deepEqual(bytes, Uint8Array.from([...head, ...body]))
  })
})
