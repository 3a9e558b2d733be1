/** The EIP-712 digest of an opening (`spec/transaction.md` 4) against a generic implementation of the EIP. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ClusterDomain } from '../src/chainId.js'
import { nobleHasher } from '../src/hash.js'
import type { Opening } from '../src/opening.js'
import { openingTypedDataDigest } from '../src/openingTypedData.js'
import { openingTypes } from './support/openingTypes.js'
import { encodeType, type TypedStruct, type TypedTable, typedDataDigest } from './support/typedData.js'

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`

function digestByTheText(domain: ClusterDomain, opening: Opening): Uint8Array {
  const wallet: TypedStruct = {
    name: 'Onus',
    version: '1',
    chainId: domain.ethereumChainId,
    salt: hex(domain.clusterId),
  }
  return typedDataDigest(openingTypes, 'OpenSession', wallet, {
    epoch: domain.epoch,
    owner: hex(opening.owner),
    key: hex(opening.key),
    slot: opening.session.slot,
    generation: opening.session.generation,
    closesAfterHeight: opening.closes.height,
    closesAfterTime: opening.closes.time,
    expiresAfterHeight: opening.expiry.height,
    expiresAfterTime: opening.expiry.time,
    admission: hex(opening.admission),
  })
}

describe('the generic implementation', () => {
  test('gives the digest of the example in the EIP', () => {
    const table: TypedTable = {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
      Person: [
        { name: 'name', type: 'string' },
        { name: 'wallet', type: 'address' },
      ],
      Mail: [
        { name: 'from', type: 'Person' },
        { name: 'to', type: 'Person' },
        { name: 'contents', type: 'string' },
      ],
    }
    assert.equal(
      encodeType(table, 'Mail'),
      'Mail(Person from,Person to,string contents)Person(string name,address wallet)',
    )
    const domain = {
      name: 'Ether Mail',
      version: '1',
      chainId: 1,
      verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
    }
    const message = {
      from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
      to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
      contents: 'Hello, Bob!',
    }
    const known = '0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2'
    assert.equal(hex(typedDataDigest(table, 'Mail', domain, message)), known)
  })
})

describe('opening digests', () => {
  const safe = fc.maxSafeNat()
  const u32 = fc.nat(2 ** 32 - 1)
  const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
  const expiry = fc.record({ height: safe, time: safe })
  const openings: fc.Arbitrary<Opening> = fc.record({
    type: fc.constant('opening' as const),
    owner: bytes(20),
    key: bytes(20),
    session: fc.record({ slot: u32, generation: u32 }),
    closes: expiry,
    expiry,
    admission: fc.uint8Array({ maxLength: 255 }),
  })
  const domains: fc.Arbitrary<ClusterDomain> = fc.record({ clusterId: bytes(32), epoch: safe, ethereumChainId: safe })

  test('equal the EIP for any opening and domain', () => {
    fc.assert(
      fc.property(domains, openings, (domain, opening) => {
        const expected = digestByTheText(domain, opening)
        assert.deepEqual(openingTypedDataDigest(nobleHasher, domain, opening), expected)
      }),
      { seed: 712, numRuns: 100 },
    )
  })

  test('differ when any field differs', () => {
    const [domain] = fc.sample(domains, { seed: 1, numRuns: 1 }) as [ClusterDomain]
    const [opening] = fc.sample(openings, { seed: 1, numRuns: 1 }) as [Opening]
    const { session, closes, expiry: ends } = opening
    const flipped = (value: Uint8Array): Uint8Array =>
      value.map((byte, at) => (at === value.length - 1 ? byte ^ 1 : byte))
    const variants: [ClusterDomain, Opening][] = [
      [domain, opening],
      [{ ...domain, clusterId: flipped(domain.clusterId) }, opening],
      [{ ...domain, epoch: domain.epoch ^ 1 }, opening],
      [{ ...domain, ethereumChainId: domain.ethereumChainId ^ 1 }, opening],
      [domain, { ...opening, owner: flipped(opening.owner) }],
      [domain, { ...opening, key: flipped(opening.key) }],
      [domain, { ...opening, owner: opening.key, key: opening.owner }],
      [domain, { ...opening, session: { ...session, slot: (session.slot ^ 1) >>> 0 } }],
      [domain, { ...opening, session: { ...session, generation: (session.generation ^ 1) >>> 0 } }],
      [domain, { ...opening, closes: { ...closes, height: 1 } }],
      [domain, { ...opening, closes: { ...closes, time: 1 } }],
      [domain, { ...opening, expiry: { ...ends, height: 1 } }],
      [domain, { ...opening, expiry: { ...ends, time: 1 } }],
      [domain, { ...opening, closes: ends, expiry: closes }],
      [domain, { ...opening, admission: Uint8Array.of(...opening.admission, 0) }],
    ]
    const digests = variants.map(([d, o]) => hex(openingTypedDataDigest(nobleHasher, d, o)))
    assert.equal(new Set(digests).size, variants.length)
  })
})
