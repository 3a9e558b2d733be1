/** Block data (`spec/block-data.md`): layout, the table, the zeros at the end, and what a liar would send. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type BeginBlock,
  blockDataLength,
  decodeBlockData,
  encodeBlockData,
  maximumBlockDataLength,
  paddedLength,
  placedTransactions,
} from '../src/blockData.js'
import { nobleHasher } from '../src/hash.js'
import { nobleCurve } from '../src/signature.js'
import { chunkLength, segmentsPerChunk } from '../src/swarm.js'
import { encodeEnvelope, encodeTransaction, envelopeKind, signEnvelope } from '../src/transaction.js'
import { sampleEnvelopes } from './support/codecs.js'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { seededHash, seededKey } from './support/seeded.js'
import { syntheticCall, syntheticCluster } from './support/syntheticCluster.js'

const cluster = syntheticCluster([1, 1, 1, 1])
const begin: BeginBlock = {
  clusterId: cluster.genesis.clusterId,
  epoch: 1,
  height: 77,
  time: { seconds: 1_700_000_000, nanoseconds: 5 },
  previousManifest: seededHash('previous'),
}
const envelopes = sampleEnvelopes(cluster)
const sample = encodeBlockData({ begin, envelopes })
const word = (bytes: Uint8Array, index: number): string =>
  Buffer.from(bytes.subarray(32 * index, 32 * index + 32)).toString('hex')
const integerWord = (value: number | bigint): string => BigInt(value).toString(16).padStart(64, '0')
const patched = (at: number, patch: readonly number[], bytes: Uint8Array = sample): Uint8Array => {
  const copy = bytes.slice()
  copy.set(patch, at)
  return copy
}

/** An envelope whose one argument makes block data of it alone `length` bytes before padding. */
function envelopeFilling(length: number): Uint8Array {
  const overhead = 256 + 32 + 1 + 2 + 4 + 40 + 65
  const call = syntheticCall(0, { argument: new Uint8Array(length - overhead).fill(0x61) })
  return encodeEnvelope(
    signEnvelope(nobleHasher, nobleCurve, cluster.domain, envelopeKind.accountCalls, [call], seededKey('owner')),
  )
}

describe('layout', () => {
  test('eight words of the begin-block record', () => {
    assert.equal(word(sample, 0), Buffer.from('onus/block/1').toString('hex').padEnd(64, '0'))
    assert.equal(word(sample, 1), Buffer.from(begin.clusterId).toString('hex'))
    assert.equal(word(sample, 2), integerWord(1))
    assert.equal(word(sample, 3), integerWord(77))
    assert.equal(word(sample, 4), integerWord(1_700_000_000_000_000_005n))
    assert.equal(word(sample, 5), Buffer.from(begin.previousManifest).toString('hex'))
    assert.equal(word(sample, 6), integerWord(6))
    assert.equal(word(sample, 7), integerWord(sample.length))
  })

  test('a table of one word a transaction: its envelope and, inside it, its body', () => {
    const transactions = placedTransactions(decodeBlockData(sample))
    assert.deepEqual(
      transactions.map(({ envelopeIndex }) => envelopeIndex),
      [0, 1, 1, 1, 2, 3],
    )
    let at = 256 + 6 * 32
    const starts = envelopes.map((envelope) => {
      const start = at
      at += envelope.length
      return start
    })
    const view = new DataView(sample.buffer)
    transactions.forEach(({ envelopeIndex, body, transaction }, index) => {
      const entry = 256 + 32 * index
      const [offset, length, bodyAt, bodyLength] = [0, 8, 16, 24].map((part) => Number(view.getBigUint64(entry + part)))
      assert.equal(offset, starts[envelopeIndex])
      assert.equal(length, envelopes[envelopeIndex]?.length)
      assert.deepEqual(sample.slice(bodyAt, (bodyAt ?? 0) + (bodyLength ?? 0)), body.slice())
      assert.deepEqual(encodeTransaction(transaction), body.slice())
    })
    assert.deepEqual(sample.slice(256 + 6 * 32), new Uint8Array(Buffer.concat(envelopes)))
  })

  test('decoding gives back begin, envelopes and transactions, also from inside a larger buffer', () => {
    const larger = new Uint8Array(sample.length + 20)
    larger.set(sample, 11)
    const decoded = decodeBlockData(larger.subarray(11, 11 + sample.length))
    assert.deepEqual(decoded.begin, begin)
    assert.deepEqual(
      decoded.envelopes.map((bytes) => bytes.slice()),
      envelopes,
    )
    assert.equal(
      blockDataLength(
        6,
        envelopes.reduce((sum, { length }) => sum + length, 0),
      ),
      sample.length,
    )
  })
})

describe('zeros at the end', () => {
  const group = chunkLength * segmentsPerChunk

  test('no padded length has a level with a lone last chunk, and padding is least', () => {
    const lengths = [1, 4096, 4097, group - 1, group, group + 1, group + 4095, group + 4096, group + 4097]
    for (const base of [0, group, 2 * group, 50 * group, 126 * group])
      for (const length of lengths) {
        const padded = paddedLength(base + length)
        for (let nodes = Math.ceil(padded / chunkLength); nodes > 1; nodes = Math.ceil(nodes / segmentsPerChunk))
          assert.notEqual(nodes % segmentsPerChunk, 1, `${base + length} has a lone chunk`)
        const needed = Math.ceil((base + length) / chunkLength) % segmentsPerChunk === 1 && base + length > chunkLength
        assert.equal(padded > base + length, needed)
        if (needed) assert.equal(padded % chunkLength, 32)
      }
  })

  test('the largest block data still has at most three levels of chunks', () => {
    assert.ok(Math.ceil(maximumBlockDataLength / chunkLength) < segmentsPerChunk ** 2)
    assert.equal(paddedLength(maximumBlockDataLength), maximumBlockDataLength)
  })

  test('blocks of 128 and 129 chunks round trip; of 129 with 32 bytes into the next chunk', () => {
    for (const [length, padded] of [
      [group - 1, group - 1],
      [group, group],
      [group + 1, group + 4096 + 32],
      [group + 4095, group + 4096 + 32],
      [group + 4096, group + 4096 + 32],
      [group + 4097, group + 4097],
    ] as const) {
      const bytes = encodeBlockData({ begin, envelopes: [envelopeFilling(length)] })
      assert.equal(bytes.length, padded)
      assert.deepEqual(encodeBlockData(decodeBlockData(bytes)), bytes)
    }
  })

  test('a zero that is none, or zeros where none belong, are refused', () => {
    const bytes = encodeBlockData({ begin, envelopes: [envelopeFilling(group + 1)] })
    for (const at of [group + 1, group + 100, bytes.length - 1])
      assertRejects('block-data-form', () => decodeBlockData(patched(at, [1], bytes)))
    const longer = new Uint8Array(sample.length + 1)
    longer.set(sample)
    assertRejects('block-data-form', () => decodeBlockData(longer))
    const claimed = patched(224 + 24, [...Buffer.from(integerWord(longer.length), 'hex')].slice(24), longer)
    assertRejects('block-data-form', () => decodeBlockData(claimed))
  })
})

describe('rejections', () => {
  const refuses = (code: string, bytes: Uint8Array): void => assertRejects(code, () => decodeBlockData(bytes))

  test('another tag, wrong length, no transactions or too many', () => {
    refuses('bad-tag', patched(0, [0x4f]))
    refuses('bad-tag', patched(31, [1]))
    refuses('block-data-form', patched(255, [(sample[255] as number) ^ 1]))
    refuses('block-data-form', patched(6 * 32 + 24, [0, 0, 0, 0, 0, 0, 0, 0]))
    refuses('block-data-form', patched(6 * 32 + 24, [0, 0, 0, 0, 0, 1, 0, 1]))
    refuses('truncated', new Uint8Array(0))
  })

  test('integers that leave their 64 bits or 2^53', () => {
    for (const index of [2, 3, 6, 7]) {
      refuses('block-data-form', patched(32 * index, [1]))
      refuses('block-data-form', patched(32 * index + 23, [1]))
      refuses('integer-range', patched(32 * index + 24, [0, 0x20, 0, 0, 0, 0, 0, 0]))
    }
    refuses('block-data-form', patched(32 * 4, [1]))
  })

  test('counts that the bytes cannot hold, before anything is allocated for them', () => {
    refuses('truncated', patched(6 * 32 + 24, [0, 0, 0, 0, 0, 1, 0, 0]))
    const before = process.memoryUsage().arrayBuffers
    refuses('truncated', patched(256 + 8, [0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20)
  })

  test('every change of the table', () => {
    for (let at = 256; at < 256 + 6 * 32; at++)
      for (const bit of [1, 0x80]) {
        const code = rejectionOf(() => decodeBlockData(patched(at, [(sample[at] as number) ^ bit])))
        assert.notEqual(code, null, `byte ${at}`)
      }
  })

  test('fewer or more transactions than the table has entries', () => {
    const count = (value: number): Uint8Array => patched(6 * 32 + 31, [value])
    for (const value of [1, 2, 3, 4, 5, 7, 20])
      assert.notEqual(
        rejectionOf(() => decodeBlockData(count(value))),
        null,
      )
  })

  test('an envelope that does not decode', () => {
    refuses('envelope-kind', patched(256 + 6 * 32, [0x03]))
    const end = 256 + 6 * 32 + (envelopes[0]?.length ?? 0)
    refuses('signature-form', patched(end - 1, [9]))
  })

  test('over 64 MiB less a chunk, whatever it says', () => {
    refuses('block-data-form', new Uint8Array(maximumBlockDataLength + 1))
  })
})
