/** Signatures and keys (`spec/encoding.md` 3) against school-book arithmetic on big integers. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { nobleHasher } from '../src/hash.js'
import {
  addressOf,
  isCanonicalSignature,
  isPublicKey,
  nobleCurve,
  publicKeyOf,
  randomPrivateKey,
  signatureLength,
} from '../src/signature.js'
import {
  bytesOf,
  groupOrder,
  integerOf,
  mirrored,
  naivePublicKey,
  naiveRecover,
  naiveUncompressed,
} from './support/naiveCurve.js'
import { keccak } from './support/naiveTrees.js'
import { seededHash, seededKey } from './support/seeded.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const signed = Array.from({ length: 12 }, (_, index) => {
  const privateKey = seededKey(`signer ${index}`)
  const digest = seededHash(`digest ${index}`)
  return { privateKey, digest, publicKey: publicKeyOf(privateKey), signature: nobleCurve.sign(digest, privateKey) }
})
const first = signed[0] as (typeof signed)[number]

function changed(signature: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = signature.slice()
  change(copy)
  return copy
}

describe('keys', () => {
  test('public keys and addresses equal the definition, and a known Ethereum address', () => {
    for (const { privateKey, publicKey } of signed) {
      assert.deepEqual(publicKey, naivePublicKey(privateKey))
      assert.deepEqual(addressOf(publicKey), keccak(naiveUncompressed(publicKey)).subarray(12))
    }
    const one = publicKeyOf(bytesOf(1n))
    assert.equal(hex(addressOf(one)), '7e5f4552091a69125d5dfcb7b8c2659029395bdf')
  })

  test('33 bytes that are no point are refused', () => {
    const { publicKey } = first
    assert.equal(isPublicKey(publicKey), true)
    assert.equal(isPublicKey(publicKey.subarray(1)), false)
    assert.equal(isPublicKey(new Uint8Array(33)), false)
    for (const head of [0, 1, 4, 5, 6, 7])
      assert.equal(isPublicKey(changed(publicKey, (copy) => copy.set([head]))), false)
    assert.equal(isPublicKey(Uint8Array.of(2, ...new Uint8Array(32).fill(0xff))), false)
    const candidates = Array.from({ length: 64 }, (_, x) => Uint8Array.of(2, ...bytesOf(BigInt(x))))
    const onCurve = candidates.filter((key) => isPublicKey(key)).length
    assert.ok(onCurve > 16 && onCurve < 48, `${onCurve} of 64 x coordinates have a point`)
    assert.equal(isPublicKey(Uint8Array.of(2, ...bytesOf(0n))), false)
  })

  test('random private keys have 32 bytes and differ', () => {
    const [a, b] = [randomPrivateKey(), randomPrivateKey()]
    assert.equal(a.length, 32)
    assert.notDeepEqual(a, b)
  })
})

describe('signatures', () => {
  test('recover to the signer, here and by the definition', () => {
    for (const { digest, publicKey, signature } of signed) {
      assert.equal(signature.length, signatureLength)
      assert.deepEqual(naiveRecover(digest, signature), publicKey)
      assert.deepEqual(nobleCurve.recover(digest, signature), publicKey)
      assert.equal(nobleCurve.verify(digest, signature, publicKey), true)
    }
    assert.deepEqual(new Set(signed.map(({ signature }) => signature[64])), new Set([0, 1]))
  })

  test('are deterministic (RFC 6979), so vectors can be repeated', () => {
    for (const { digest, privateKey, signature } of signed)
      assert.deepEqual(nobleCurve.sign(digest, privateKey), signature)
  })

  test('have S in the lower half; the mirrored one is a true signature and is refused', () => {
    for (const { digest, publicKey, signature } of signed) {
      assert.ok(integerOf(signature.subarray(32, 64)) <= groupOrder / 2n)
      const other = mirrored(signature)
      assert.deepEqual(naiveRecover(digest, other), publicKey)
      assert.equal(isCanonicalSignature(other), false)
      assert.equal(nobleCurve.recover(digest, other), null)
      assert.equal(nobleCurve.verify(digest, other, publicKey), false)
    }
  })

  test('the border of the lower half is exact', () => {
    const withS = (s: bigint): Uint8Array => changed(first.signature, (copy) => copy.set(bytesOf(s), 32))
    assert.equal(isCanonicalSignature(withS(groupOrder / 2n)), true)
    assert.equal(isCanonicalSignature(withS(groupOrder / 2n + 1n)), false)
    assert.equal(isCanonicalSignature(withS(groupOrder - 1n)), false)
  })

  test('V is 0 or 1 and is checked: with the other V nobody of the set has signed', () => {
    for (const { digest, publicKey, signature } of signed) {
      const other = changed(signature, (copy) => copy.set([(signature[64] as number) ^ 1], 64))
      assert.equal(isCanonicalSignature(other), true)
      assert.equal(nobleCurve.verify(digest, other, publicKey), false)
      assert.notDeepEqual(nobleCurve.recover(digest, other), publicKey)
      assert.deepEqual(nobleCurve.recover(digest, other), naiveRecover(digest, other))
    }
    for (const v of [2, 3, 27, 28, 255]) {
      const other = changed(first.signature, (copy) => copy.set([v], 64))
      assert.equal(isCanonicalSignature(other), false)
      assert.equal(nobleCurve.verify(first.digest, other, first.publicKey), false)
      assert.equal(nobleCurve.recover(first.digest, other), null)
    }
  })

  test('R or S of zero, or R of the order or more, is nobody’s and throws nothing', () => {
    for (const [at, value] of [
      [0, 0n],
      [32, 0n],
      [0, groupOrder],
      [0, 2n ** 256n - 1n],
    ] as const) {
      const other = changed(first.signature, (copy) => copy.set(bytesOf(value), at))
      assert.equal(nobleCurve.recover(first.digest, other), null)
      assert.equal(nobleCurve.verify(first.digest, other, first.publicKey), false)
    }
  })

  test('64, 66 and no bytes are refused, and so are digests and keys of another length', () => {
    for (const length of [0, 64, 66, 130]) {
      const other = new Uint8Array(length)
      other.set(first.signature.subarray(0, length))
      assert.equal(isCanonicalSignature(other), false)
      assert.equal(nobleCurve.recover(first.digest, other), null)
      assert.equal(nobleCurve.verify(first.digest, other, first.publicKey), false)
    }
    assert.equal(nobleCurve.recover(first.digest.subarray(1), first.signature), null)
    assert.equal(nobleCurve.verify(first.digest.subarray(1), first.signature, first.publicKey), false)
    assert.equal(nobleCurve.verify(first.digest, first.signature, first.publicKey.subarray(1)), false)
  })

  test('any bit flipped in digest or signature gives another signer or none', () => {
    for (let bit = 0; bit < 8 * 65; bit += 7) {
      const flip = (copy: Uint8Array): void => copy.set([(copy[bit >> 3] as number) ^ (1 << (bit & 7))], bit >> 3)
      assert.equal(nobleCurve.verify(first.digest, changed(first.signature, flip), first.publicKey), false)
      if (bit < 256)
        assert.equal(nobleCurve.verify(changed(first.digest, flip), first.signature, first.publicKey), false)
    }
  })

  test('another member’s signature is not one’s own', () => {
    for (const { publicKey } of signed.slice(1))
      assert.equal(nobleCurve.verify(first.digest, first.signature, publicKey), false)
  })

  test('a precommit that CometBFT made is checked in commit.test.ts; here the digest of nothing is no special case', () => {
    const digest = nobleHasher.keccak256(new Uint8Array(0))
    const signature = nobleCurve.sign(digest, first.privateKey)
    assert.deepEqual(naiveRecover(digest, signature), first.publicKey)
  })
})
