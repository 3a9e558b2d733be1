/** Messages of the call stream (`spec/gateway.md` 8): layout, round trips, refusals. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decodeStreamAnswers,
  decodeStreamRequests,
  encodeStreamAnswers,
  encodeStreamRequests,
  type StreamAnswer,
} from '../src/callStream.js'
import { assertRejects, rejectionOf } from './support/rejection.js'

test('requests are number, length and envelope, one after the other', () => {
  const requests = [
    { number: 1, envelope: Uint8Array.of(9, 8) },
    { number: 0xffffffff, envelope: Uint8Array.of(7) },
  ]
  const bytes = encodeStreamRequests(requests)
  assert.deepEqual([...bytes], [0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 255, 255, 255, 255, 0, 0, 0, 1, 7])
  assert.deepEqual(decodeStreamRequests(bytes), requests)
  assertRejects('truncated', () => decodeStreamRequests(new Uint8Array(0)))
  assertRejects('truncated', () => decodeStreamRequests(bytes.subarray(0, -1)))
  assertRejects('stream-form', () => decodeStreamRequests(new Uint8Array(8)))
  const many = Array.from({ length: 1025 }, (_, number) => ({ number, envelope: Uint8Array.of(1) }))
  assert.equal(decodeStreamRequests(encodeStreamRequests(many.slice(1))).length, 1024)
  assertRejects('stream-form', () => decodeStreamRequests(encodeStreamRequests(many)))
})

const answer: fc.Arbitrary<StreamAnswer> = fc.oneof(
  fc.record({ kind: fc.constant('certificate' as const), bytes: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({
    kind: fc.constant('results' as const),
    number: fc.nat(0xffffffff),
    bytes: fc.uint8Array({ maxLength: 20 }),
  }),
  fc.record({
    kind: fc.constant('error' as const),
    number: fc.nat(0xffffffff),
    status: fc.integer({ min: 400, max: 599 }),
    retryAfter: fc.nat(100_000),
    body: fc.string({ maxLength: 20, unit: 'grapheme' }),
  }),
)

test('answers come back as they were', () => {
  fc.assert(
    fc.property(fc.array(answer, { minLength: 1, maxLength: 5 }), (answers) => {
      assert.deepEqual(
        decodeStreamAnswers(encodeStreamAnswers(answers)),
        answers.map((answer) => ({ ...answer })),
      )
    }),
    { seed: 4, numRuns: 300 },
  )
})

test('answers with another kind, or fields that the kind has not, are refused', () => {
  const bytes = encodeStreamAnswers([{ kind: 'certificate', bytes: Uint8Array.of(1) }])
  const changed = (at: number, value: number): Uint8Array => {
    const copy = bytes.slice()
    copy[at] = value
    return copy
  }
  for (const kind of [0, 4, 255]) assertRejects('stream-form', () => decodeStreamAnswers(changed(0, kind)))
  for (const at of [1, 4, 5, 6, 7, 10]) assertRejects('stream-form', () => decodeStreamAnswers(changed(at, 1)))
  assertRejects('truncated', () => decodeStreamAnswers(new Uint8Array(0)))
  assertRejects('utf-8', () => decodeStreamAnswers(Uint8Array.of(3, 0, 0, 0, 0, 1, 200, 0, 0, 0, 0, 0, 0, 0, 1, 0xff)))
})

test('garbage is refused with a code, never otherwise', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const decode of [decodeStreamRequests, decodeStreamAnswers]) {
        const code = rejectionOf(() => decode(bytes))
        assert.ok(code === null || ['truncated', 'stream-form', 'utf-8'].includes(code), String(code))
      }
    }),
    { seed: 5, numRuns: 2000 },
  )
})
