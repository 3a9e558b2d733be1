/** The pool against a model: bounds in bytes and number, order of arrival, room for strangers. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Candidate, envelopeKey, TransactionPool } from '@onus/node/worker/transactionPool'
import type { Envelope } from '@onus/protocol/transaction'
import fc from 'fast-check'

function candidate(id: number, length: number): Candidate {
  const bytes = new Uint8Array(length).fill(id)
  return { key: `${id}`, bytes, envelope: {} as Envelope, signer: new Uint8Array(20) }
}

const action = fc.oneof(
  fc.record({
    type: fc.constant('add' as const),
    id: fc.nat(12),
    length: fc.integer({ min: 1, max: 4000 }),
    stranger: fc.boolean(),
  }),
  fc.record({ type: fc.constant('remove' as const), id: fc.nat(12) }),
)

describe('transaction pool', () => {
  test('holds what the model holds, and never more than its bounds', () => {
    const seen = { full: 0, strangers: 0, taken: 0 }
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), fc.constantFrom(10_000, 64 * 3000, 3000), (actions, most) => {
        const pool = new TransactionPool(most)
        const model = new Map<string, { length: number; stranger: boolean }>()
        const sum = (of: (held: { stranger: boolean }) => boolean): number =>
          [...model.values()].filter(of).reduce((total, { length }) => total + length, 0)
        for (const step of actions) {
          const key = `${step.id}`
          if (step.type === 'remove') {
            pool.remove(key)
            model.delete(key)
          } else {
            const { length, stranger } = step
            const held = model.has(key)
            const expected = held
              ? null
              : sum(() => true) + length > most || (model.size + 1) * 1024 - 1024 >= most
                ? 'full'
                : stranger && sum((other) => other.stranger) + length > most / 64
                  ? 'strangers'
                  : null
            assert.equal(pool.add(candidate(step.id, length), stranger), expected)
            if (expected === null && !held) model.set(key, { length, stranger })
            seen[expected ?? 'taken'] += 1
          }
          assert.deepEqual(
            [...pool.values()].map(({ key: of }) => of),
            [...model.keys()],
          )
          assert.deepEqual([pool.size, pool.bytes, pool.has(key)], [model.size, sum(() => true), model.has(key)])
        }
      }),
      { seed: 2, numRuns: 150 },
    )
    assert.ok(seen.full > 20 && seen.strangers > 20 && seen.taken > 20, JSON.stringify(seen))
  })

  test('a key is the hash of the bytes in 32 characters', () => {
    const key = envelopeKey(new Uint8Array([1, 2, 3]))
    assert.equal(key.length, 32)
    assert.equal(
      Buffer.from(key, 'latin1').toString('hex'),
      '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81',
    )
  })
})
