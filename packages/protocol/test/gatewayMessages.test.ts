/** Answers of a gateway (`spec/gateway.md`): layout and rejections. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeQueryAnswer,
  decodeResults,
  encodeQueryAnswer,
  encodeResults,
  maximumHintLength,
} from '../src/gatewayMessages.js'
import { maximumOutputLength } from '../src/receipt.js'
import { assertRejects } from './support/rejection.js'

const join = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))))

test('results are two counted lists behind a tag', () => {
  const results = { certificates: [Uint8Array.of(1, 2)], receipts: [new Uint8Array(0), Uint8Array.of(3)] }
  const bytes = encodeResults(results)
  const expected = join(Buffer.from('onus/results/1\0\0'), [0, 1, 0, 0, 0, 2, 1, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 3])
  assert.deepEqual(bytes, expected)
  assert.deepEqual(decodeResults(bytes), results)
})

test('results with counts or lengths past their end are refused', () => {
  const tag = Buffer.from('onus/results/1\0\0')
  assertRejects('truncated', () => decodeResults(join(tag, [0xff, 0xff])))
  assertRejects('truncated', () => decodeResults(join(tag, [0, 1, 0xff, 0xff, 0xff, 0xff])))
  assertRejects('truncated', () => decodeResults(join(tag, [0, 0])))
  assertRejects('truncated', () => decodeResults(join(tag, [0, 0, 0, 0, 0])))
  assertRejects('bad-tag', () => decodeResults(join(Buffer.from('onus/results/2\0\0'), [0, 0, 0, 0])))
})

test('hints stand behind the receipts, ascending, and only where there are any', () => {
  const results = { certificates: [], receipts: [new Uint8Array(0), new Uint8Array(0)] }
  const plain = encodeResults(results)
  assert.deepEqual(encodeResults({ ...results, hints: [] }), plain)
  const hinted = { ...results, hints: [{ receipt: 1, text: 'né' }] }
  const bytes = encodeResults(hinted)
  assert.deepEqual(bytes, join(plain, [0, 1, 0, 1, 0, 3, 0x6e, 0xc3, 0xa9]))
  assert.deepEqual(decodeResults(bytes), hinted)
  const long = { receipt: 0, text: 'x'.repeat(maximumHintLength + 1) }
  assert.deepEqual(encodeResults({ ...results, hints: [long] }), plain, 'what is too long is left out')
  assertRejects('results-form', () => decodeResults(join(plain, [0, 0])))
  assertRejects('results-form', () => decodeResults(join(plain, [0, 1, 0, 2, 0, 0])))
  assertRejects('results-form', () => decodeResults(join(plain, [0, 2, 0, 1, 0, 0, 0, 1, 0, 0])))
  assertRejects('utf-8', () => decodeResults(join(plain, [0, 1, 0, 0, 0, 1, 0xff])))
  assertRejects('trailing-bytes', () => decodeResults(join(bytes, [0])))
  assertRejects('truncated', () => decodeResults(bytes.subarray(0, bytes.length - 1)))
})

test('a query answer is tag, height, trapped, length and output', () => {
  const bytes = encodeQueryAnswer({ height: 258, trapped: false, output: Uint8Array.of(7) })
  const head = join(Buffer.from('onus/answer/1\0\0\0'), [0, 0, 0, 0, 0, 0, 1, 2])
  assert.deepEqual(bytes, join(head, [0, 0, 0, 0, 1, 7]))
  assert.deepEqual(decodeQueryAnswer(bytes), { height: 258, trapped: false, output: Uint8Array.of(7) })
  assertRejects('query-answer-form', () => decodeQueryAnswer(join(head, [2, 0, 0, 0, 0])))
  assertRejects('query-answer-form', () => decodeQueryAnswer(join(head, [1, 0, 0, 0, 1, 7])))
  const tooLong = join(head, [0, 0, 0x10, 0, 1])
  assert.equal(new DataView(tooLong.buffer).getUint32(tooLong.length - 4), maximumOutputLength + 1)
  assertRejects('query-answer-form', () => decodeQueryAnswer(tooLong))
  assertRejects('truncated', () => decodeQueryAnswer(join(head, [0, 0, 0, 0, 2, 7])))
  assertRejects('trailing-bytes', () => decodeQueryAnswer(join(bytes, [0])))
})
