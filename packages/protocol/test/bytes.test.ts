/** Words, hexadecimal, text and order of bytes (`spec/encoding.md` 1), and the strict reader over them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { BinaryReader, BinaryWriter } from '../src/binary.js'
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  isZero,
  toHex,
  utf8Bytes,
  utf8Text,
  wordOfBytes,
  wordOfInteger,
  wordOfText,
} from '../src/bytes.js'
import { AssertionError } from '../src/errors.js'
import { nobleHasher, recordBytes, recordHash } from '../src/hash.js'
import { sha256 } from './support/naiveTrees.js'
import { assertRejects, rejectionOf } from './support/rejection.js'

describe('hexadecimal', () => {
  test('round trips as lower case and takes 0x and upper case', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.equal(toHex(bytes), Buffer.from(bytes).toString('hex'))
        assert.deepEqual(fromHex(toHex(bytes)), bytes)
        assert.deepEqual(fromHex(`0x${toHex(bytes).toUpperCase()}`), bytes)
      }),
      { seed: 16, numRuns: 200 },
    )
    assert.deepEqual(fromHex('0x'), new Uint8Array(0))
  })

  test('refuses odd lengths and other characters', () => {
    for (const text of ['0', '0x0', 'zz', '0x0x', '00 0', ' 00', '00\n', '-1', '１２', '0X00'])
      assertRejects('hex', () => fromHex(text), JSON.stringify(text))
  })
})

describe('text', () => {
  test('well-formed UTF-8 comes back byte for byte, a byte order mark included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const bytes = new Uint8Array(Buffer.from(text))
        assert.equal(utf8Text(bytes), text)
        assert.deepEqual(utf8Bytes(text), bytes)
      }),
      { seed: 8, numRuns: 200 },
    )
    assert.equal(utf8Text(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa')
  })

  test('overlong forms, surrogates, cut sequences and lone continuation bytes are refused', () => {
    for (const bytes of ['c080', 'e08080', 'eda080', 'f4908080', 'c3', '80', 'ff', 'e282'])
      assertRejects('utf-8', () => utf8Text(fromHex(bytes)), bytes)
  })
})

describe('words', () => {
  test('integers stand at the right end, to 2^64 - 1', () => {
    assert.equal(toHex(wordOfInteger(0x0102)), `${'00'.repeat(30)}0102`)
    assert.equal(toHex(wordOfInteger(2n ** 64n - 1n)), `${'00'.repeat(24)}${'ff'.repeat(8)}`)
    for (const value of [-1, 2n ** 64n]) assert.throws(() => wordOfInteger(value), AssertionError)
  })

  test('bytes stand at the right end and text at the left', () => {
    assert.equal(toHex(wordOfBytes(Uint8Array.of(1, 2))), `${'00'.repeat(30)}0102`)
    assert.equal(toHex(wordOfText('ab')), `6162${'00'.repeat(30)}`)
    assert.throws(() => wordOfBytes(new Uint8Array(33)), AssertionError)
    for (const text of ['é', 'a'.repeat(33), 'a\0']) assert.throws(() => wordOfText(text), AssertionError)
  })

  test('a record is its tag and its words, hashed by SHA-256', () => {
    const words = [wordOfInteger(1), wordOfText('x')]
    const bytes = concatBytes(wordOfText('onus/test/1'), ...words)
    assert.deepEqual(recordBytes('onus/test/1', words), bytes)
    assert.deepEqual(recordHash(nobleHasher, 'onus/test/1', words), sha256(bytes))
    const short = [1, Uint8Array.of(7, 8)]
    const padded = [wordOfInteger(1), wordOfBytes(Uint8Array.of(7, 8))]
    assert.deepEqual(recordBytes('onus/test/1', short), recordBytes('onus/test/1', padded))
    // One room serves all hashing: what lay there before must not show.
    assert.deepEqual(recordHash(nobleHasher, 'onus/test/1', short), sha256(recordBytes('onus/test/1', padded)))
    assert.throws(() => recordBytes('onus/test/1', [new Uint8Array(33)]), AssertionError)
    for (const wrong of [-1, 1.5, 2 ** 53]) assert.throws(() => recordBytes('onus/test/1', [wrong]), AssertionError)
  })
})

describe('order and equality', () => {
  test('agree with Buffer.compare', () => {
    const bytes = fc.uint8Array({ maxLength: 5, max: 3 })
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b))
        assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0)
        assert.equal(
          isZero(a),
          a.every((byte) => byte === 0),
        )
      }),
      { seed: 1, numRuns: 500 },
    )
  })
})

describe('reader and writer', () => {
  test('what is written is read back, in any order of fields', () => {
    const written = new BinaryWriter(1)
      .tag('tag!')
      .u8(255)
      .u16(65_535)
      .u32(4_294_967_295)
      .u64(Number.MAX_SAFE_INTEGER)
      .u64(2n ** 64n - 1n)
      .shortBytes(Uint8Array.of(9, 8))
      .shortText('é')
      .bytes(Uint8Array.of(7))
      .finish()
    const reader = new BinaryReader(written, 'sample')
    reader.tag('tag!')
    assert.equal(reader.u8('a'), 255)
    assert.equal(reader.u16('b'), 65_535)
    assert.equal(reader.u32('c'), 4_294_967_295)
    assert.equal(reader.u64('d'), Number.MAX_SAFE_INTEGER)
    assert.equal(reader.bigU64('e'), 2n ** 64n - 1n)
    assert.deepEqual(reader.shortBytes('f'), Uint8Array.of(9, 8))
    assert.equal(reader.shortText('g'), 'é')
    assert.deepEqual(reader.take(1, 'h'), Uint8Array.of(7))
    reader.finish()
  })

  test('a writer grows anywhere, also inside an integer', () => {
    const write = (capacity: number): Uint8Array =>
      new BinaryWriter(capacity)
        .u8(1)
        .u16(2)
        .u32(3)
        .u64(4)
        .bytes(Uint8Array.of(5, 6))
        .u64(7)
        .u32(8)
        .u16(9)
        .u8(10)
        .finish()
    const expected = write(64)
    assert.equal(expected.length, 32)
    for (let capacity = 0; capacity < 40; capacity++)
      assert.deepEqual(write(capacity), expected, `capacity ${capacity}`)
  })

  test('reads within a view of a larger buffer, and never past it', () => {
    const view = new Uint8Array(16).fill(0xee).subarray(4, 6)
    const reader = new BinaryReader(view, 'view')
    assert.equal(reader.u16('a'), 0xeeee)
    assertRejects('truncated', () => reader.u8('b'))
    reader.finish()
  })

  test('every read past the end is refused, whatever length a field claims', () => {
    const reader = (): BinaryReader => new BinaryReader(Uint8Array.of(200, 1), 'short')
    for (const read of [
      (r: BinaryReader) => r.u32('x'),
      (r: BinaryReader) => r.u64('x'),
      (r: BinaryReader) => r.bigU64('x'),
      (r: BinaryReader) => r.take(3, 'x'),
      (r: BinaryReader) => r.take(Number.MAX_SAFE_INTEGER, 'x'),
      (r: BinaryReader) => r.shortBytes('x'),
    ])
      assertRejects('truncated', () => read(reader()))
    assertRejects('bad-tag', () => reader().tag('abc'))
    assertRejects('bad-tag', () => reader().tag('ab'))
    assertRejects('trailing-bytes', () => reader().finish())
  })

  test('integers of 2^53 and more are refused where a number is read', () => {
    const bytes = new BinaryWriter().u64(2n ** 53n).finish()
    assertRejects('integer-range', () => new BinaryReader(bytes, 'sample').u64('x'))
    assert.equal(
      rejectionOf(() => new BinaryReader(bytes, 'sample').bigU64('x')),
      null,
    )
  })

  test('64-bit integers are the same from numbers and bigints, on both sides of 2^32', () => {
    const borders = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER]
    for (const value of borders) {
      const bytes = new BinaryWriter().u64(value).finish()
      assert.deepEqual(bytes, new BinaryWriter().u64(BigInt(value)).finish())
      assert.equal(Buffer.from(bytes).readBigUInt64BE(), BigInt(value))
      assert.equal(new BinaryReader(bytes, 'sample').u64('x'), value)
    }
    for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 60n, 2n ** 64n - 1n]) {
      const bytes = new BinaryWriter().u64(value).finish()
      assertRejects('integer-range', () => new BinaryReader(bytes, 'sample').u64('x'), `${value}`)
    }
  })

  test('writing what does not fit a field is a bug', () => {
    const writer = new BinaryWriter()
    for (const write of [
      () => writer.u8(256),
      () => writer.u16(-1),
      () => writer.u32(2 ** 32),
      () => writer.u8(0.5),
      () => writer.u64(2n ** 64n),
      () => writer.u64(-1),
      () => writer.u64(-1n),
      () => writer.u64(0.5),
      () => writer.u64(2 ** 53),
      () => writer.u64(Number.NaN),
      () => writer.shortBytes(new Uint8Array(256)),
    ])
      assert.throws(write, AssertionError)
  })
})
