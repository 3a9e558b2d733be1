/** The pool against a model: bounds in bytes and number, shares of strangers, sessions and gateways, and their turns. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Candidate, envelopeKey, TransactionPool } from '@onus/node/worker/transactionPool'
import { type Envelope, envelopeKind } from '@onus/protocol/transaction'
import fc from 'fast-check'

interface Draw {
  readonly id: number
  readonly length: number
  readonly slot?: number
  readonly origin?: number
}

function candidate({ id, length, slot = 0, origin = 0 }: Draw): Candidate {
  const envelope: Envelope = {
    kind: envelopeKind.accountCalls,
    transactions: [
      {
        type: 'call',
        session: { slot, generation: 0 },
        counter: id,
        expiry: { height: 1, time: 1 },
        gasLimit: 1,
        argument: new Uint8Array(4),
      },
    ],
    bodies: [],
    signature: new Uint8Array(65),
  }
  const bytes = new Uint8Array(length).fill(id)
  return { key: `${id}`, bytes, envelope, signer: new Uint8Array(20), ids: [], origin }
}

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('add' as const),
      id: fc.nat(40),
      length: fc.integer({ min: 1, max: 4000 }),
      slot: fc.nat(2),
      origin: fc.nat(2),
      stranger: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const), id: fc.nat(40) }) },
)

interface Held {
  readonly cost: number
  readonly slot: number
  readonly origin: number
  readonly stranger: boolean
}

function expectedRefusal(model: ReadonlyMap<string, Held>, drawn: Held, room: number): string | null {
  const held = [...model.values()]
  const sum = (of: (one: Held) => boolean): number => held.filter(of).reduce((total, { cost }) => total + cost, 0)
  if (sum(() => true) + drawn.cost > room) return 'full'
  if (drawn.stranger) return sum(({ stranger }) => stranger) + drawn.cost > room / 64 ? 'strangers' : null
  if (drawn.origin !== 0 && sum(({ origin }) => origin === drawn.origin) + drawn.cost > room / 4) return 'origin'
  const ofSession = sum(({ slot }) => slot === drawn.slot)
  return ofSession > 0 && ofSession + drawn.cost > room / 16 ? 'session' : null
}

describe('transaction pool', () => {
  test('holds what the model holds, and never more than its bounds and shares', () => {
    const seen: Record<string, number> = {}
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), fc.constantFrom(20_000, 64 * 3000, 6000), (actions, room) => {
        const pool = new TransactionPool(room)
        const model = new Map<string, Held>()
        for (const step of actions) {
          const key = `${step.id}`
          if (step.type === 'remove') {
            pool.remove(key)
            model.delete(key)
            continue
          }
          const { length, slot, origin, stranger } = step
          const drawn = { cost: Math.max(1024, length), slot, origin, stranger }
          const expected = model.has(key) ? null : expectedRefusal(model, drawn, room)
          assert.equal(pool.add(candidate(step), stranger), expected)
          if (expected === null && !model.has(key)) model.set(key, drawn)
          seen[expected ?? 'taken'] = (seen[expected ?? 'taken'] ?? 0) + 1
        }
        assert.deepEqual([...pool.values()].map((one) => one.key).sort(), [...model.keys()].sort())
        assert.equal(pool.size, model.size)
      }),
      { seed: 2, numRuns: 400 },
    )
    for (const outcome of ['taken', 'full', 'strangers', 'origin', 'session'])
      assert.ok((seen[outcome] ?? 0) > 20, JSON.stringify(seen))
  })

  test('gateways take turns, and what one gateway sent keeps its order', () => {
    const pool = new TransactionPool(2 ** 24)
    for (let id = 0; id < 100; id++)
      assert.equal(pool.add(candidate({ id, length: 10, slot: id, origin: 1 }), false), null)
    for (let id = 100; id < 140; id++) assert.equal(pool.add(candidate({ id, length: 10, slot: id }), false), null)
    const order = [...pool.values()].map(({ envelope }) => (envelope.transactions[0] as { counter: number }).counter)
    const first = order.slice(0, 32)
    assert.equal(first.filter((id) => id >= 100).length, 16, 'half of the first turns are of the quiet gateway')
    for (const [from, to] of [
      [0, 100],
      [100, 140],
    ] as const) {
      const own = order.filter((id) => id >= from && id < to)
      assert.deepEqual(
        own,
        [...own].sort((a, b) => a - b),
      )
      assert.equal(own.length, to - from)
    }
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
