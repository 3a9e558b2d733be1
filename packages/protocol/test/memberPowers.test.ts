/**
 * S11: whichever member is lowered, a set of members has more than 2/3 of the power exactly when it is more than 2/3 of
 * the members: all subsets of clusters of 4 to 16. And certificates of heights at which a member was lowered.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fromHex, toHex } from '../src/bytes.js'
import { Certificate, decodeCertificate, encodeCertificate } from '../src/certificate.js'
import { commitOfMembers } from '../src/commit.js'
import { decodeGenesis } from '../src/genesis.js'
import { nobleHasher } from '../src/hash.js'
import { loweredPowerOf, memberPowersOf, withLowered } from '../src/memberPowers.js'
import { publicKeyOf } from '../src/signature.js'
import { type ValidatorSet, validatorSetOf, validatorsHash } from '../src/validatorSet.js'
import { memoizedCurve } from './support/memoizedCurve.js'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { readJson, vectorFolder } from './support/repository.js'
import { seededKey } from './support/seeded.js'
import { syntheticBlock, syntheticCertificate, syntheticCluster, syntheticCommit } from './support/syntheticCluster.js'

const setOf = (powers: readonly number[]): ValidatorSet =>
  validatorSetOf(powers.map((power, index) => ({ publicKey: publicKeyOf(seededKey(`member ${index}`)), power })))
const equalSet = (size: number, power = 1000): ValidatorSet => setOf(new Array<number>(size).fill(power))

/** The first subset for which power and count say different things; null where they agree on all. */
function firstDisagreement(powers: readonly number[]): number | null {
  const total = powers.reduce((sum, power) => sum + power, 0)
  const subsets = 2 ** powers.length
  const power = new Float64Array(subsets)
  const count = new Uint8Array(subsets)
  for (let subset = 1; subset < subsets; subset++) {
    const last = 31 - Math.clz32(subset)
    const rest = subset ^ (1 << last)
    power[subset] = (power[rest] as number) + (powers[last] as number)
    count[subset] = (count[rest] as number) + 1
    if ((power[subset] as number) * 3 > total * 2 !== (count[subset] as number) * 3 > powers.length * 2) return subset
  }
  return null
}

describe('powers of members', () => {
  const expected = new Map([
    [4, 1],
    [5, 500],
    [6, null],
    [7, 1],
    [8, 500],
    [9, null],
    [10, 1],
    [11, 500],
    [12, null],
    [13, 1],
    [14, 500],
    [15, null],
    [16, 1],
  ])
  for (const [size, lowered] of expected)
    test(`of ${size} members one may be lowered ${lowered === null ? 'not at all' : `to ${lowered}`}`, () => {
      const set = equalSet(size)
      assert.equal(loweredPowerOf(set), lowered)
      assert.equal(firstDisagreement(set.validators.map(({ power }) => power)), null)
      for (let place = 0; place < size; place++) {
        const changed = withLowered(set, place)
        if (lowered === null) {
          assert.equal(changed, null)
          continue
        }
        assert.ok(changed !== null)
        const address = set.validators[place]?.address
        assert.deepEqual(changed.validators[size - 1]?.address, address, 'who is lowered stands last')
        const powers = set.validators.map((_, index) => (index === place ? lowered : 1000))
        assert.equal(firstDisagreement(powers), null)
        // And not one less: the rule is as low as it may be.
        if (lowered > 1) assert.notEqual(firstDisagreement(powers.with(place, lowered - 1)), null)
      }
    })

  test('two lowered members always break the rule, also by half', () => {
    for (const size of [4, 5, 7, 8, 10, 13, 16]) {
      const lowered = loweredPowerOf(equalSet(size)) as number
      const powers = new Array<number>(size).fill(1000).with(0, lowered).with(1, lowered)
      assert.notEqual(firstDisagreement(powers), null, `${size} members`)
    }
  })

  test('are told by the hash of a header; other members and other powers are not known', () => {
    const set = equalSet(7)
    const hashOf = (other: ValidatorSet): Uint8Array => validatorsHash(nobleHasher, other)
    const told = (other: ValidatorSet): readonly number[] | undefined =>
      memberPowersOf(nobleHasher, set, hashOf(other))?.powers
    assert.deepEqual(told(set), new Array<number>(7).fill(1000))
    for (let place = 0; place < 7; place++)
      assert.deepEqual(told(withLowered(set, place) as ValidatorSet), new Array<number>(7).fill(1000).with(place, 1))
    const [first, ...rest] = set.validators
    assert.ok(first !== undefined)
    assert.equal(told(validatorSetOf([{ ...first, power: 2 }, ...rest])), undefined)
    assert.equal(told(validatorSetOf([...rest])), undefined)
    const two = rest.map((member, index) => ({ ...member, power: index === 0 ? 1 : 1000 }))
    assert.equal(told(validatorSetOf([{ ...first, power: 1 }, ...two])), undefined)
    assert.equal(told(setOf([1000, 1000, 1000, 1000, 1000, 1000])), undefined)
  })

  test('are never lowered among unequal, few or powerless members', () => {
    for (const powers of [[10, 10, 10, 11], [1000, 1000, 1000], [1, 1, 1, 1], [1, 1, 1, 1, 1], [7]])
      assert.equal(loweredPowerOf(setOf(powers)), null, powers.join())
    assert.equal(loweredPowerOf(equalSet(5, 3)), 2)
    assert.equal(firstDisagreement([2, 3, 3, 3, 3]), null)
  })
})

interface PowersFile {
  readonly sets: readonly {
    readonly publicKeys: readonly string[]
    readonly power: number
    readonly loweredPower: number | null
    readonly validatorsHash: string
    readonly loweredHashes: readonly string[]
  }[]
  readonly genesis: string
  readonly verified: readonly { readonly certificate: string }[]
  readonly refused: readonly { readonly code: string; readonly certificate: string }[]
}

test('the vectors alone, as another implementation reads them', () => {
  const { sets, genesis, verified, refused } = readJson(join(vectorFolder, 'powers.json')) as PowersFile
  for (const { publicKeys, power, loweredPower, validatorsHash: full, loweredHashes } of sets) {
    const members = publicKeys.map((key) => ({ publicKey: fromHex(key), power }))
    assert.equal(toHex(validatorsHash(nobleHasher, validatorSetOf(members))), full)
    assert.equal(loweredHashes.length, loweredPower === null ? 0 : members.length)
    for (const [place, hash] of loweredHashes.entries()) {
      const changed = members.map((member, other) =>
        other === place ? { ...member, power: loweredPower ?? 0 } : member,
      )
      assert.equal(toHex(validatorsHash(nobleHasher, validatorSetOf(changed))), hash)
    }
  }
  const trusted = decodeGenesis(fromHex(genesis))
  const verify = (hex: string): unknown =>
    Certificate.verify(nobleHasher, memoizedCurve(), decodeCertificate(fromHex(hex)), trusted)
  for (const { certificate } of verified) verify(certificate)
  for (const { code, certificate } of refused) assertRejects(code, () => verify(certificate))
  assert.ok(sets.length >= 4 && verified.length >= 2 && refused.length >= 2)
})

describe('certificates of heights with a lowered member', () => {
  for (const size of [4, 5, 7])
    test(`of ${size}: all subsets of signers, whoever is lowered`, () => {
      const cluster = syntheticCluster(new Array<number>(size).fill(1000), `lowered ${size}`)
      const set = cluster.trusted.validators
      const addresses = set.validators.map(({ address }) => address)
      const curve = memoizedCurve()
      for (let place = 0; place < size; place++) {
        const lowered = withLowered(set, place) as ValidatorSet
        const header = { validatorsHash: validatorsHash(nobleHasher, lowered) }
        const block = syntheticBlock(cluster, { header })
        const all = syntheticCertificate(cluster, block)
        for (let subset = 0; subset < 2 ** size; subset++) {
          const signatures = all.signatures.filter(({ validator }) => (subset >> validator) & 1)
          const code = rejectionOf(() =>
            Certificate.verify(nobleHasher, curve, { ...all, signatures }, cluster.trusted),
          )
          assert.equal(code, signatures.length * 3 > size * 2 ? null : 'too-few-signatures')
        }
        // An engine gives the commit in the order of the changed set; the certificate counts by the genesis.
        const commit = syntheticCommit(cluster, block, [0, 1, 2, 3])
        const engineOrder = lowered.validators.map(
          ({ address }) => commit.signatures[addresses.findIndex((other) => Buffer.from(other).equals(address))],
        ) as typeof commit.signatures
        assert.deepEqual(commitOfMembers({ ...commit, signatures: engineOrder }, addresses), commit)
      }
    })

  test('powers that no member may have make it the work of other members', () => {
    const cluster = syntheticCluster([1000, 1000, 1000, 1000], 'forbidden powers')
    const set = cluster.trusted.validators
    for (const power of [2, 500, 999, 3000]) {
      const changed = validatorSetOf(
        set.validators.map(({ publicKey }, place) => ({ publicKey, power: place === 0 ? power : 1000 })),
      )
      const block = syntheticBlock(cluster, { header: { validatorsHash: validatorsHash(nobleHasher, changed) } })
      const encoded = encodeCertificate(syntheticCertificate(cluster, block))
      assertRejects('wrong-members', () =>
        Certificate.verify(nobleHasher, memoizedCurve(), decodeCertificate(encoded), cluster.trusted),
      )
    }
  })
})
