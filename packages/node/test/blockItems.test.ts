/** Items of a block (S7): a seal counts at index 0 only, and nothing of a client or member can stand in its place. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { contentOf, isWake, maximumWakes, wakeLength } from '@onus/node/worker/blockItems'
import { encodeSeal, sealLength } from '@onus/protocol/manifest'
import fc from 'fast-check'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { seededBytes } from './support/seeded.js'

const manifest = seededBytes('manifest', 1024)
const seal = encodeSeal(manifest)
const data = seededBytes('block data', 300)

function wake(content = 'wake'): Uint8Array {
  const bytes = seededBytes(content, wakeLength)
  bytes.set(Buffer.from('onus/wake/1\0'))
  return bytes
}

describe('items of a block', () => {
  test('seal and block data, then wakes; or wakes alone; or nothing', () => {
    for (const wakes of [[], [wake()], Array.from({ length: maximumWakes }, (_, index) => wake(`wake ${index}`))]) {
      assert.equal(contentOf(wakes), null)
      assert.deepEqual(contentOf([seal, data, ...wakes]), { manifest, blockData: data })
    }
  })

  test('block data is what stands at index 1, whatever it begins with', () => {
    for (const blob of [seal, wake(), new Uint8Array(0)]) assert.deepEqual(contentOf([seal, blob])?.blockData, blob)
  })

  test('everything else is refused', () => {
    const many = Array.from({ length: maximumWakes + 1 }, (_, index) => wake(`wake ${index}`))
    const wrong: readonly (readonly [string, readonly Uint8Array[]])[] = [
      ['block-items', [seal]],
      ['block-items', [data]],
      ['block-items', [data, seal]],
      ['block-items', [wake(), seal]],
      ['block-items', [wake(), seal, data]],
      ['block-items', [seal, data, data]],
      ['block-items', [seal, data, seal]],
      ['block-items', [seal, data, wake(), seal]],
      ['block-items', [new Uint8Array(0)]],
      ['block-items', many],
      ['block-items', [seal, data, ...many]],
      ['seal-form', [seal.slice(0, sealLength - 1), data]],
      ['seal-form', [new Uint8Array(Buffer.concat([seal, new Uint8Array(1)])), data]],
      ['seal-form', [new Uint8Array(Buffer.from('onus/seal/2\0')), data]],
    ]
    for (const [code, items] of wrong) assertRejects(code, () => contentOf(items))
  })

  test('a seal of a version to come is no wake and no content', () => {
    const later = seal.slice()
    later[10] = '2'.charCodeAt(0)
    assertRejects('seal-form', () => contentOf([later, data]))
    assertRejects('block-items', () => contentOf([seal, data, later]))
  })

  test('a wake has one length, so that blocks cannot be stuffed with them', () => {
    assert.ok(isWake(wake()))
    for (const length of [12, wakeLength - 1, wakeLength + 1, 100_000]) {
      const bytes = new Uint8Array(length)
      bytes.set(Buffer.from('onus/wake/1\0'))
      assert.ok(!isWake(bytes))
    }
  })

  test('any items are content, or empty, or refused with an OnusError', () => {
    const item = fc.oneof(
      fc.constantFrom(seal, data, wake(), seal.slice(0, 12), new Uint8Array(0)),
      fc.uint8Array({ maxLength: 40 }),
    )
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), (items) => {
        let content: unknown
        const refusal = rejectionOf(() => {
          content = contentOf(items)
        })
        if (refusal === null && content !== null) assert.deepEqual(items[0], seal)
      }),
      { seed: 1, numRuns: 500 },
    )
  })
})
