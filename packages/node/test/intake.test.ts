/** The way of envelopes through the workers: batches, turns between gateways, bounds, and what comes back to whom. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Intake } from '@onus/node/intake'
import { type EnvelopeBatch, unpackEnvelopes } from '@onus/node/worker/envelopeBatch'

interface Scripted {
  readonly intake: Intake
  /** First bytes and origins of each batch that came to the signature worker. */
  readonly batches: { readonly first: number[]; readonly origins: number[] }[]
  /** Lets the oldest batch go on. */
  release(): void
  readonly pools: number[]
}

/** Workers that take an envelope as new, know it (first byte 1) or refuse it (first byte 2). */
function scripted(): Scripted {
  const waiting: (() => void)[] = []
  const batches: Scripted['batches'] = []
  const pools: number[] = []
  const intake = new Intake({
    signatures: {
      call: async (_method: string, batch: EnvelopeBatch) => {
        batches.push({ first: unpackEnvelopes(batch).map(([byte = 0]) => byte), origins: [...batch.origins] })
        await new Promise<void>((resolve) => waiting.push(resolve))
        return batch
      },
    } as never,
    execution: {
      call: async (_method: string, batch: EnvelopeBatch) => ({
        poolSize: 7,
        outcomes: unpackEnvelopes(batch).map(([byte]) =>
          byte === 2 ? { code: 'expired', message: 'late', remedy: 'sign' } : byte === 1 ? 'held' : 'new',
        ),
      }),
    } as never,
    onPool: (size) => pools.push(size),
  })
  return { intake, batches, pools, release: () => waiting.shift()?.() }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('intake', { timeout: 10_000 }, () => {
  test('a batch holds what came in one turn, and everybody gets the outcome of his own envelope', async () => {
    const { intake, batches, pools, release } = scripted()
    const outcomes = [9, 1, 2].map((byte) =>
      intake.take(Uint8Array.of(byte, 0)).catch(({ code, remedy }) => [code, remedy]),
    )
    await turn()
    assert.deepEqual(batches, [{ first: [9, 1, 2], origins: [0, 0, 0] }])
    release()
    assert.deepEqual(await Promise.all(outcomes), [true, false, ['expired', 'sign']])
    assert.deepEqual(pools, [7])
  })

  test('a peer that floods does not keep out others, and at most two batches are under way', async () => {
    const { intake, batches, release } = scripted()
    const flood = Array.from({ length: 300 }, () => intake.take(Uint8Array.of(3), 1))
    await turn()
    assert.deepEqual(
      batches.map(({ first }) => first.length),
      [64, 64],
    )
    const own = intake.take(Uint8Array.of(9))
    await turn()
    assert.equal(batches.length, 2)
    release()
    while (batches.length < 3) await turn()
    assert.ok(batches[2]?.first.includes(9), 'its turn comes with the next batch')
    const drain = setInterval(release, 1)
    assert.equal(await own, true)
    await Promise.all(flood)
    clearInterval(drain)
  })

  test('what waits is bounded for each gateway', async () => {
    const { intake, release } = scripted()
    const outcomes = Array.from({ length: 9000 }, () => intake.take(new Uint8Array(1), 2).catch(({ code }) => code))
    const long = Array.from({ length: 20 }, () => intake.take(new Uint8Array(500_000), 3).catch(({ code }) => code))
    const drain = setInterval(() => {
      for (let i = 0; i < 20; i++) release()
    }, 1)
    const codes = await Promise.all(outcomes)
    assert.equal(codes.filter((code) => code === 'busy').length, 9000 - 8192)
    assert.equal((await Promise.all(long)).filter((code) => code === 'busy').length, 20 - 16)
    assert.equal(await intake.take(new Uint8Array(1), 2), true, 'its line is free again')
    clearInterval(drain)
  })
})
