/** Key, policy, double-sign guard and its file: properties against a model, crashes at every byte of a write. */
import assert from 'node:assert/strict'
import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { isPrivateKey, nativeCurve, nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import { type Refusal, Signer, type SignerOptions } from '@onus/node/signer/signer'
import { ExecutedBlocks } from '@onus/node/signer/signingPolicy'
import { type SignRequest, signBytesAt, stepOf } from '@onus/node/signer/signRequest'
import { decodeSignStateFile, SignStateFile } from '@onus/node/signer/signStateFile'
import { toHex } from '@onus/protocol/bytes'
import { voteType } from '@onus/protocol/commit'
import { OnusError } from '@onus/protocol/errors'
import { nobleHasher } from '@onus/protocol/hash'
import type { BlockId } from '@onus/protocol/header'
import { addressOf, isCanonicalSignature, nobleCurve, publicKeyOf, randomPrivateKey } from '@onus/protocol/signature'
import fc from 'fast-check'
import { temporaryFolder } from './enginesNet.js'

const chainId = 'onus-00000000000000000001-1'
const privateKey = new Uint8Array(32).fill(7)

function blockIdOf(seed: number): BlockId {
  return {
    hash: new Uint8Array(32).fill(seed),
    partSetHeader: { total: 1, hash: new Uint8Array(32).fill(seed + 1) },
  }
}

function vote(height: number, round: number, type: 1 | 2, block: number | null, seconds = 100): SignRequest {
  const blockId = block === null ? null : blockIdOf(block)
  return { kind: 'vote', type, height, round, blockId, timestamp: { seconds, nanoseconds: 1 } }
}

function proposal(height: number, round: number, polRound: number, block: number, seconds = 100): SignRequest {
  const timestamp = { seconds, nanoseconds: 1 }
  return { kind: 'proposal', height, round, polRound, blockId: blockIdOf(block), timestamp }
}

let folder: string
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

function optionsWith(changes: Partial<SignerOptions>): SignerOptions {
  const all = { allows: () => true, composed: () => true }
  return {
    chainId,
    privateKey,
    policy: all,
    statePath: join(folder, 'state'),
    create: true,
    firstHeight: 1,
    ...changes,
  }
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run
    return 'signed'
  } catch (error) {
    assert(error instanceof OnusError, String(error))
    return error.code
  }
}

describe('native curve', () => {
  test('signs, recovers and verifies exactly as noble does', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (key, digest) => {
          fc.pre(isPrivateKey(key))
          const signature = nativeCurve.sign(digest, key)
          assert.equal(toHex(signature), toHex(nobleCurve.sign(digest, key)))
          assert(isCanonicalSignature(signature))
          assert.equal(toHex(nativePublicKeyOf(key)), toHex(publicKeyOf(key)))
          assert.equal(toHex(nativeCurve.recover(digest, signature) ?? new Uint8Array(0)), toHex(publicKeyOf(key)))
          assert(nativeCurve.verify(digest, signature, publicKeyOf(key)))
          assert(!nativeCurve.verify(digest, signature, publicKeyOf(randomPrivateKey())))
        },
      ),
      { numRuns: 40, seed: 6 },
    )
  })

  test('bad signatures give null and false in both', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 70 }),
        fc.uint8Array({ maxLength: 33 }),
        fc.boolean(),
        (bytes, key, fit) => {
          const signature = fit
            ? new Uint8Array(65).map((_, at) =>
                at === 64 ? (bytes[0] ?? 0) % 3 : (bytes[at % (bytes.length || 1)] ?? 0),
              )
            : bytes
          const digest = new Uint8Array(32).fill(9)
          const native = nativeCurve.recover(digest, signature)
          const noble = nobleCurve.recover(digest, signature)
          assert.equal(native && toHex(native), noble && toHex(noble))
          assert.equal(nativeCurve.verify(digest, signature, key), nobleCurve.verify(digest, signature, key))
        },
      ),
      { numRuns: 300, seed: 7 },
    )
    assert(!isPrivateKey(new Uint8Array(32)))
    assert(!isPrivateKey(new Uint8Array(32).fill(255)))
    assert(!isPrivateKey(new Uint8Array(31).fill(1)))
  })
})

describe('signer', () => {
  test('signs the canonical bytes with its own key', async () => {
    const signer = await Signer.open(optionsWith({}))
    for (const request of [proposal(1, 0, -1, 5), vote(1, 0, 1, 5), vote(1, 0, 2, 5), vote(2, 3, 2, null)]) {
      const { signature, timestamp } = await signer.sign(request)
      const digest = nobleHasher.keccak256(signBytesAt(chainId, request, timestamp))
      assert.equal(toHex(nobleCurve.recover(digest, signature) ?? new Uint8Array(0)), toHex(signer.publicKey))
      assert.equal(toHex(addressOf(signer.publicKey)), toHex(signer.address))
    }
    assert.deepEqual(signer.counters, { signed: 4, repeated: 0, refused: {} })
    await signer.close()
  })

  test('S1: votes and proof-of-lock proposals only for executed blocks, fresh proposals only for composed heights', async () => {
    const policy = new ExecutedBlocks()
    const refusals: Refusal[] = []
    const signer = await Signer.open(optionsWith({ policy, onRefusal: (refusal) => refusals.push(refusal) }))
    assert.equal(await codeOf(signer.sign(proposal(5, 0, -1, 1))), 'signer-not-composed')
    policy.compose(5)
    assert.equal(await codeOf(signer.sign(proposal(5, 0, -1, 1))), 'signed')
    assert.equal(await codeOf(signer.sign(vote(5, 0, 1, 1))), 'signer-not-executed')
    policy.allow(5, blockIdOf(1).hash)
    assert.equal(await codeOf(signer.sign(vote(5, 0, 1, 1))), 'signed')
    assert.equal(await codeOf(signer.sign(vote(5, 0, 2, 9))), 'signer-not-executed')
    assert.equal(await codeOf(signer.sign(vote(5, 0, 2, null))), 'signed')
    assert.equal(await codeOf(signer.sign(proposal(5, 1, 0, 9))), 'signer-not-executed')
    assert.equal(await codeOf(signer.sign(proposal(5, 1, 0, 1))), 'signed')
    // The same hash at another height is another block.
    assert.equal(await codeOf(signer.sign(vote(6, 0, 1, 1))), 'signer-not-executed')
    policy.forgetBelow(6)
    assert.equal(await codeOf(signer.sign(vote(5, 2, 1, 1))), 'signer-not-executed')
    assert.deepEqual(
      refusals.map(({ code }) => code),
      signer.refusals.map(({ code }) => code),
    )
    assert.deepEqual(signer.counters.refused, { 'signer-not-composed': 1, 'signer-not-executed': 5 })
    await signer.close()
  })

  test('S4: a restored node signs nothing below its first height, not even nil', async () => {
    const signer = await Signer.open(optionsWith({ firstHeight: 100 }))
    assert.equal(await codeOf(signer.sign(vote(99, 0, 1, null))), 'signer-restored')
    assert.equal(await codeOf(signer.sign(vote(100, 0, 1, null))), 'signed')
    await signer.close()
  })

  test('ill-formed requests are refused', async () => {
    const signer = await Signer.open(optionsWith({}))
    const bad: [SignRequest, string][] = [
      [vote(0, 0, 1, null), 'signer-height'],
      [vote(-1, 0, 1, null), 'signer-height'],
      [vote(1.5, 0, 1, null), 'signer-height'],
      [vote(1, -1, 1, null), 'signer-round'],
      [vote(1, 2 ** 31, 1, null), 'signer-round'],
      [proposal(1, 0, 0, 1), 'signer-round'],
      [proposal(1, 0, -2, 1), 'signer-round'],
      [vote(1, 0, 1, null, -1), 'signer-timestamp'],
      [{ ...vote(1, 0, 1, null), timestamp: { seconds: 1, nanoseconds: 1e9 } }, 'signer-timestamp'],
      [
        { ...vote(1, 0, 1, 1), blockId: { ...blockIdOf(1), hash: new Uint8Array(31) } } as SignRequest,
        'signer-block-id',
      ],
      [
        {
          ...vote(1, 0, 1, 1),
          blockId: { hash: new Uint8Array(32), partSetHeader: { total: 0, hash: new Uint8Array(32) } },
        } as SignRequest,
        'signer-block-id',
      ],
    ]
    for (const [request, code] of bad) assert.equal(await codeOf(signer.sign(request)), code)
    assert.equal(signer.last, null)
    await signer.close()
    await assert.rejects(Signer.open(optionsWith({ privateKey: new Uint8Array(32) })), { code: 'signer-key' })
  })

  test('property: whatever is asked, in whatever order, with restarts between, no two messages are signed at one place', async () => {
    const request = fc.oneof(
      fc
        .tuple(
          fc.integer({ min: 1, max: 3 }),
          fc.nat(2),
          fc.constantFrom(1 as const, 2 as const),
          fc.option(fc.nat(2)),
          fc.nat(3),
        )
        .map(([height, round, type, block, seconds]) => vote(height, round, type, block, seconds)),
      fc
        .tuple(fc.integer({ min: 1, max: 3 }), fc.nat(2), fc.nat(2), fc.nat(3))
        .map(([height, round, block, seconds]) => proposal(height, round, -1, block, seconds)),
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(request, fc.nat(9)), { minLength: 1, maxLength: 40 }), async (steps) => {
        const statePath = join(folder, `property-${run++}`)
        let signer = await Signer.open(optionsWith({ statePath }))
        const signed = new Map<string, string>()
        let highest = ''
        for (const [asked, dice] of steps) {
          if (dice === 0) {
            await signer.close()
            signer = await Signer.open(optionsWith({ statePath, create: false }))
          }
          const place = `${asked.height}/${asked.round}/${stepOf(asked)}`
          const answer = await signer.sign(asked).catch((error: unknown) => {
            assert(error instanceof OnusError)
            return error.code
          })
          if (typeof answer === 'string') {
            if (answer === 'signer-conflict') assert.equal(place, highest)
            else {
              assert.equal(answer, 'signer-regression')
              assert(place < highest)
            }
            continue
          }
          assert(place >= highest, 'order of places never goes back')
          highest = place
          const bytes = toHex(signBytesAt(chainId, asked, answer.timestamp))
          const message = `${bytes} ${toHex(answer.signature)}`
          assert.equal(signed.get(place) ?? message, message, 'one message at one place')
          signed.set(place, message)
        }
        await signer.close()
      }),
      { numRuns: 150, seed: 8 },
    )
  })

  test('the same message at another time gets the first signature and the first time', async () => {
    const signer = await Signer.open(optionsWith({}))
    const first = await signer.sign(vote(4, 0, 2, 3, 50))
    assert.deepEqual(await signer.sign(vote(4, 0, 2, 3, 60)), first)
    assert.equal(first.timestamp.seconds, 50)
    assert.equal(await codeOf(signer.sign(vote(4, 0, 2, 4, 50))), 'signer-conflict')
    assert.equal(await codeOf(signer.sign(vote(4, 0, 2, null, 50))), 'signer-conflict')
    assert.equal(await codeOf(signer.sign(vote(4, 0, 1, 3, 50))), 'signer-regression')
    assert.deepEqual(signer.counters.repeated, 1)
    await signer.close()
  })

  test('requests at once are signed one after the other', async () => {
    const signer = await Signer.open(optionsWith({}))
    const codes = await Promise.all(
      Array.from({ length: 30 }, (_, index) => codeOf(signer.sign(vote(7, 0, 2, index % 2)))),
    )
    assert.deepEqual(codes.slice(0, 4), ['signed', 'signer-conflict', 'signed', 'signer-conflict'])
    assert.equal(signer.counters.signed, 1)
    await signer.close()
  })

  test('nothing is signed when the state cannot be written', async () => {
    const signer = await Signer.open(optionsWith({}))
    await signer.sign(vote(1, 0, 1, 1))
    await signer.close()
    assert.equal(await codeOf(signer.sign(vote(1, 0, 2, 1))), 'signer-state-write')
    assert.equal(signer.last?.step, 2, 'the state before holds')
  })
})

describe('sign state file', () => {
  const owner = { chainId, address: addressOf(publicKeyOf(privateKey)) }
  const path = (): string => join(folder, 'state')

  async function fileWith(heights: readonly number[]): Promise<Uint8Array> {
    const signer = await Signer.open(optionsWith({}))
    for (const height of heights) await signer.sign(vote(height, 0, 2, 1))
    await signer.close()
    return new Uint8Array(await readFile(path()))
  }

  test('a write torn at any byte leaves the state before it', async () => {
    const before = await fileWith([1, 2])
    const signer = await Signer.open(optionsWith({ create: false }))
    await signer.sign(vote(3, 0, 2, 1))
    await signer.close()
    const afterwards = new Uint8Array(await readFile(path()))
    const changed = [...before.keys()].filter((at) => before[at] !== afterwards[at])
    const first = changed[0] as number
    const last = changed.at(-1) as number
    assert(Math.floor(first / 1024) === Math.floor(last / 1024), 'one slot is written')
    assert.equal(decodeSignStateFile(owner, afterwards).state?.height, 3)
    for (let written = first + 1; written <= last; written++) {
      // What was written from the front, or only the back of it: disks order sectors as they like.
      for (const torn of [
        before.map((byte, at) => (at < written ? (afterwards[at] as number) : byte)),
        before.map((byte, at) => (at >= written ? (afterwards[at] as number) : byte)),
      ])
        assert.equal(decodeSignStateFile(owner, torn).state?.height, 2, `torn at ${written}`)
    }
  })

  test('damage of both slots, another length, another owner, two slots out of sequence are refused', async () => {
    const bytes = await fileWith([1, 2])
    const code = (changed: Uint8Array, by = owner): string => {
      try {
        decodeSignStateFile(by, changed)
        return 'accepted'
      } catch (error) {
        assert(error instanceof OnusError, String(error))
        return error.code
      }
    }
    assert.equal(code(bytes), 'accepted')
    assert.equal(code(bytes.map((byte, at) => (at % 1024 === 50 ? byte ^ 1 : byte))), 'sign-state-corrupt')
    assert.equal(code(bytes.subarray(1)), 'sign-state-corrupt')
    assert.equal(code(new Uint8Array(2048)), 'sign-state-corrupt')
    assert.equal(code(new Uint8Array(0)), 'sign-state-corrupt')
    const swapped = new Uint8Array(2048)
    swapped.set(bytes.subarray(1024))
    swapped.set(bytes.subarray(0, 1024), 1024)
    assert.equal(code(swapped), 'sign-state-corrupt')
    const older = new Uint8Array(bytes)
    const newest = await fileAfterMore(bytes)
    older.set(newest.subarray(0, 1024))
    assert.equal(code(older), 'sign-state-corrupt')
    assert.equal(code(bytes, { ...owner, chainId: 'onus-00000000000000000001-2' }), 'sign-state-owner')
    assert.equal(code(bytes, { ...owner, address: new Uint8Array(20) }), 'sign-state-owner')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2100 }), (random) => {
        assert.equal(code(random), 'sign-state-corrupt')
      }),
      { numRuns: 300, seed: 9 },
    )
    fc.assert(
      fc.property(fc.nat(2047), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = bytes.map((byte, index) => (index === at ? byte ^ flip : byte))
        // One damaged slot is what a torn write looks like; the other one holds.
        assert.equal(code(changed), 'accepted')
      }),
      { numRuns: 300, seed: 10 },
    )
  })

  /** The file some signatures later. */
  async function fileAfterMore(bytes: Uint8Array): Promise<Uint8Array> {
    const copy = join(folder, 'later')
    await writeFile(copy, bytes)
    const signer = await Signer.open(optionsWith({ create: false, statePath: copy }))
    for (const height of [8, 9, 10, 11]) await signer.sign(vote(height, 0, 2, 1))
    await signer.close()
    return new Uint8Array(await readFile(copy))
  }

  test('never made over an old one, never missing in silence, for the owner only', async () => {
    await fileWith([1])
    await assert.rejects(SignStateFile.create(path(), owner), { code: 'sign-state-exists' })
    await assert.rejects(SignStateFile.open(join(folder, 'none'), owner), { code: 'sign-state-missing' })
    await copyFile(path(), join(folder, 'copy'))
    assert.equal((await stat(path())).mode & 0o777, 0o600)
    const other = { ...owner, address: new Uint8Array(20) }
    await assert.rejects(SignStateFile.open(join(folder, 'copy'), other), { code: 'sign-state-owner' })
  })

  test('cost of one durable signature', async () => {
    const signer = await Signer.open(optionsWith({}))
    const started = performance.now()
    for (let height = 1; height <= 200; height++) await signer.sign(vote(height, 0, voteType.precommit, 1))
    console.log(`signature with durable state: ${((performance.now() - started) / 200).toFixed(2)} ms (${folder})`)
    await signer.close()
  })
})
