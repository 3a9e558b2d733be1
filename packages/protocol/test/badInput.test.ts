/**
 * Every decoder on bytes that nobody honest sends: cut, longer, changed anywhere, random, spliced. What decodes must
 * encode to the same bytes (one value, one encoding); all else is an `OnusError`, soon and without much memory.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { OnusError } from '../src/errors.js'
import { allCodecs, type Codec } from './support/codecs.js'

const isNightly = process.env['ONUS_NIGHTLY'] !== undefined
const runs = isNightly ? 40_000 : 400

/** What a byte is changed by: each bit and all bits; by night every other value (4 minutes, most of it curve points). */
const changes = isNightly ? Array.from({ length: 255 }, (_, index) => index + 1) : [1, 2, 4, 8, 16, 32, 64, 128, 255]

/** Decodes; fails the test on an error of ours and on a second encoding. Gives whether the bytes decoded. */
function decodes(codec: Codec, bytes: Uint8Array, what: () => string): boolean {
  let again: Uint8Array
  try {
    again = codec.recode(bytes)
  } catch (error) {
    if (error instanceof OnusError) return false
    throw new Error(`${codec.name}, ${what()}: not an OnusError`, { cause: error })
  }
  assert.ok(Buffer.from(again).equals(bytes), `${codec.name}, ${what()}: decodes, but encodes to other bytes`)
  return true
}

for (const codec of allCodecs())
  describe(codec.name, () => {
    test('samples decode and encode to themselves', () => {
      for (const sample of codec.samples)
        assert.equal(
          decodes(codec, sample, () => 'sample'),
          true,
        )
    })

    test('cut anywhere, or with a byte behind, is refused', () => {
      for (const sample of codec.samples) {
        for (let length = 0; length < sample.length; length++)
          assert.equal(
            decodes(codec, sample.subarray(0, length), () => `cut to ${length}`),
            false,
            `cut to ${length}`,
          )
        for (const byte of [0, 1, 0xff])
          assert.equal(
            decodes(codec, Uint8Array.of(...sample, byte), () => 'longer'),
            false,
            'one byte longer',
          )
      }
    })

    test('a change of any one byte decodes to a value of its own or is refused', () => {
      for (const sample of codec.samples) {
        const changed = sample.slice()
        for (let at = 0; at < sample.length; at++) {
          for (const change of changes) {
            changed[at] = (sample[at] as number) ^ change
            decodes(codec, changed, () => `byte ${at} is ${changed[at]}`)
          }
          changed[at] = sample[at] as number
        }
      }
    })

    test('lengths and counts of all ones anywhere cost neither time nor memory', () => {
      for (const sample of codec.samples)
        for (let at = 0; at < sample.length; at++)
          for (const width of [1, 2, 4, 8]) {
            const changed = sample.slice()
            changed.fill(0xff, at, at + width)
            const memory = process.memoryUsage.rss()
            const started = performance.now()
            decodes(codec, changed, () => `ones at ${at}`)
            assert.ok(performance.now() - started < 1000, `ones at ${at} took over a second`)
            assert.ok(process.memoryUsage.rss() - memory < 2 ** 26, `ones at ${at} took over 64 MiB`)
          }
    })

    test('random bytes, alone and behind the beginning of a sample', () => {
      const property = fc.property(
        fc.constantFrom(...codec.samples),
        fc.nat(),
        fc.uint8Array({ maxLength: 2000 }),
        (sample, keep, noise) => {
          decodes(codec, noise, () => 'noise')
          const kept = sample.subarray(0, keep % (sample.length + 1))
          decodes(codec, new Uint8Array(Buffer.concat([kept, noise])), () => `${kept.length} bytes, then noise`)
        },
      )
      fc.assert(property, { seed: 20_261_123, numRuns: runs })
    })

    test('samples with pieces cut out, doubled, overwritten and mixed', () => {
      const property = fc.property(
        fc.constantFrom(...codec.samples),
        fc.constantFrom(...codec.samples),
        fc.nat(),
        fc.nat(),
        fc.nat(),
        fc.uint8Array({ maxLength: 12 }),
        (one, other, a, b, c, noise) => {
          const [from, to] = [a % (one.length + 1), b % (one.length + 1)].sort((x, y) => x - y) as [number, number]
          const at = c % (other.length + 1)
          const splices = [
            [one.subarray(0, from), one.subarray(to)],
            [one.subarray(0, to), one.subarray(from)],
            [one.subarray(0, from), noise, one.subarray(Math.min(one.length, from + noise.length))],
            [one.subarray(0, from), noise, one.subarray(from)],
            [one.subarray(0, from), other.subarray(at)],
          ]
          for (const parts of splices) decodes(codec, new Uint8Array(Buffer.concat(parts)), () => 'spliced')
        },
      )
      fc.assert(property, { seed: 3_112_026, numRuns: runs })
    })
  })
