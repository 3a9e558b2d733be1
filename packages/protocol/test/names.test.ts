/** Chain ids (`spec/consensus.md` 1) and times (`spec/encoding.md` 4). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { chainIdOf, isLocalChainId, isLocalClusterId } from '../src/chainId.js'
import {
  millisecondsOfTimestamp,
  nanosecondsOfTimestamp,
  parseTimestamp,
  timestampOfNanoseconds,
} from '../src/timestamp.js'
import { assertRejects } from './support/rejection.js'
import { seededHash } from './support/seeded.js'

describe('chain ids', () => {
  test('are onus-, 20 digits of the cluster id, the epoch', () => {
    const id = seededHash('cluster')
    assert.equal(chainIdOf(id, 12), `onus-${Buffer.from(id).toString('hex').slice(0, 20)}-12`)
    assert.ok(chainIdOf(id, 0xffffffff).length <= 50, 'CometBFT takes at most 50 characters')
  })

  test('are local exactly where the first five bytes of the id are zero', () => {
    const id = seededHash('cluster')
    for (let zeros = 0; zeros <= 10; zeros++) {
      const clusterId = id.slice()
      clusterId.fill(0, 0, zeros)
      assert.equal(isLocalClusterId(clusterId), zeros >= 5)
      assert.equal(isLocalChainId(chainIdOf(clusterId, 3)), zeros >= 5)
    }
  })

  test('of another form are refused', () => {
    const good = `onus-${'0'.repeat(20)}-1`
    assert.equal(isLocalChainId(good), true)
    for (const text of [
      '',
      'onus',
      `${good} `,
      `${good}\n`,
      ` ${good}`,
      `Onus-${'0'.repeat(20)}-1`,
      `onus-${'0'.repeat(19)}-1`,
      `onus-${'0'.repeat(21)}-1`,
      `onus-${'A'.repeat(20)}-1`,
      `onus-${'0'.repeat(20)}-0`,
      `onus-${'0'.repeat(20)}-01`,
      `onus-${'0'.repeat(20)}--1`,
      `onus-${'0'.repeat(20)}-`,
      `onus-${'0'.repeat(20)}-12345678901`,
      'rtc-1',
    ])
      assertRejects('chain-id', () => isLocalChainId(text), JSON.stringify(text))
  })
})

describe('times', () => {
  test('nanoseconds and milliseconds of a time, and back, to the end of 64 bits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (nanoseconds) => {
        const time = timestampOfNanoseconds(nanoseconds)
        assert.equal(nanosecondsOfTimestamp(time), nanoseconds)
        assert.equal(BigInt(millisecondsOfTimestamp(time)), nanoseconds / 1_000_000n)
        assert.ok(time.nanoseconds < 1_000_000_000)
      }),
      { seed: 1970, numRuns: 500 },
    )
  })

  test('RFC 3339 as CometBFT prints it, with 0 to 9 digits of a fraction', () => {
    assert.deepEqual(parseTimestamp('1970-01-01T00:00:01Z'), { seconds: 1, nanoseconds: 0 })
    assert.deepEqual(parseTimestamp('2024-02-29T23:59:59.1Z'), { seconds: 1_709_251_199, nanoseconds: 100_000_000 })
    assert.deepEqual(parseTimestamp('2023-11-14T22:13:20.000000001Z'), { seconds: 1_700_000_000, nanoseconds: 1 })
    assert.equal(parseTimestamp('0001-01-01T00:00:00Z').seconds, -62_135_596_800)
  })

  test('what is no time, or a day that no month has, is refused', () => {
    for (const text of [
      '',
      '2023-11-14',
      '2023-11-14T22:13:20',
      '2023-11-14T22:13:20+00:00',
      '2023-11-14 22:13:20Z',
      '2023-11-14T22:13:20.Z',
      '2023-11-14T22:13:20.1234567890Z',
      '2023-13-01T00:00:00Z',
      '2023-02-29T00:00:00Z',
      '2023-02-30T00:00:00Z',
      '2023-04-31T00:00:00Z',
      '2023-11-14T24:00:00Z',
      '2023-11-14T23:59:60Z',
      '2023-11-14T22:13:20Z\n',
      '+02023-11-14T22:13:20Z',
    ])
      assertRejects('timestamp', () => parseTimestamp(text), JSON.stringify(text))
  })
})
