/** Powers of silent members (S11, `spec/consensus.md` 10): the rotation of CometBFT, who is blamed, and what is kept. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { openPowers } from '@onus/node/powers/openPowers'
import { type DecidedTurn, decidePowers, initialPowers, type PowerState } from '@onus/node/powers/powerPolicy'
import { decodePowerState, encodePowerState } from '@onus/node/powers/powerState'
import { afterTurns, initialRotation, proposersOf, withPower } from '@onus/node/powers/proposerRotation'
import { nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import { blockIdFlag } from '@onus/protocol/commit'
import { memberPowersOf } from '@onus/protocol/memberPowers'
import { type ValidatorSet, validatorSetOf, validatorsHash } from '@onus/protocol/validatorSet'
import fc from 'fast-check'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { seededBytes } from './support/seeded.js'
import { hashing, testCluster } from './support/testNode.js'

interface RecordedRun {
  readonly members: number
  readonly heights: readonly {
    readonly place: number | null
    readonly power: number
    readonly priorities: readonly number[]
    readonly proposers: readonly number[]
  }[]
}

/** Made by `recorded/recordRotation.go`. */
const recorded = JSON.parse(
  readFileSync(new URL('../../test/recorded/rotation.json', import.meta.url), 'utf8'),
) as RecordedRun[]

const sets = new Map<number, ValidatorSet>()

function setOf(size: number): ValidatorSet {
  const known = sets.get(size)
  if (known !== undefined) return known
  const made = validatorSetOf(
    Array.from({ length: size }, (_, index) => ({
      publicKey: nativePublicKeyOf(seededBytes(`rotating ${index}`)),
      power: 1000,
    })),
  )
  sets.set(size, made)
  return made
}

type Behaviour = 'works' | 'dead' | 'votes-only' | 'proposes-only'

/** A chain whose members behave as they are told: rounds, makers and commits as CometBFT would have them. */
class Chain {
  readonly set: ValidatorSet
  readonly behaviours: Behaviour[]
  state: PowerState
  /** Places that were lowered or raised, in order, with the height. */
  readonly changes: { height: number; place: number; power: number }[] = []
  /** Rounds that failed, by height. */
  readonly failed: number[] = []
  #lastRound = 0

  constructor(size: number) {
    this.set = setOf(size)
    this.behaviours = new Array<Behaviour>(size).fill('works')
    this.state = initialPowers(this.set, 1) ?? assert.fail('nobody may be lowered')
  }

  get height(): number {
    return this.state.height
  }

  /** Decides one block; `leftOut` are places whose vote its proposer leaves out of the last commit. */
  step(leftOut: readonly number[] = []): void {
    const current = this.state.rotations[1]
    const isProposing = (place: number): boolean => ['works', 'proposes-only'].includes(this.behaviours[place] ?? '')
    const proposers = proposersOf(current, 200)
    const round = proposers.findIndex(isProposing)
    const maker = proposers[round] as number
    const votes = this.set.validators.map(({ address }, place) => {
      const isSeen = ['works', 'votes-only'].includes(this.behaviours[place] ?? '') && !leftOut.includes(place)
      return { address, power: 0, flag: isSeen ? blockIdFlag.commit : blockIdFlag.absent }
    })
    const turn: DecidedTurn = {
      height: this.height + 1,
      proposerAddress: this.set.validators[maker]?.address ?? new Uint8Array(20),
      lastCommit: this.height === 0 ? { round: 0, votes: [] } : { round: this.#lastRound, votes },
    }
    const { state, updates, isInStep } = decidePowers(this.set, this.state, turn)
    assert.ok(isInStep)
    assert.deepEqual(decodePowerState(encodePowerState(state), state.height, this.set.validators.length), state)
    this.#lastRound = round
    this.failed[state.height] = round
    this.state = state
    for (const { publicKey, power } of updates) {
      const place = this.set.validators.findIndex((member) => Buffer.from(member.publicKey).equals(publicKey))
      this.changes.push({ height: state.height, place, power })
    }
  }

  steps(count: number): void {
    for (let i = 0; i < count; i++) this.step()
  }

  /** Rounds that failed at heights from `from` on. */
  failedSince(from: number): number {
    return this.failed.slice(from).reduce((sum, rounds) => sum + rounds, 0)
  }
}

describe('rotation of proposers', () => {
  for (const { members, heights } of recorded)
    test(`of ${members} members is CometBFT's, also while powers change`, () => {
      let rotation = initialRotation(new Array<number>(members).fill(1000))
      for (const [index, { place, power, priorities, proposers }] of heights.entries()) {
        const updated = place === null ? rotation : withPower(rotation, place, power)
        if (index > 0) rotation = afterTurns(updated, 1)
        assert.deepEqual(rotation.priorities, priorities, `height ${index}`)
        assert.deepEqual(proposersOf(rotation, 5), proposers, `height ${index}`)
      }
    })
})

describe('powers of silent members', () => {
  test('a dead one is lowered after three missed turns, and takes no more of them', () => {
    for (const size of [4, 7, 10, 16]) {
      const chain = new Chain(size)
      chain.steps(20)
      chain.behaviours[1] = 'dead'
      chain.steps(4 * size)
      assert.deepEqual(
        chain.changes.map(({ place, power }) => ({ place, power })),
        [{ place: 1, power: 1 }],
      )
      assert.ok(chain.height - 20 <= 4 * size && chain.failedSince(21) === 3, `${chain.failedSince(21)} of ${size}`)
      const from = chain.height
      chain.steps(1000 * size)
      const turns = chain.failedSince(from)
      assert.ok(turns <= 2, `${turns} turns of the lowered one of ${size} in a thousand rotations`)
    }
  })

  test('of five or eight one is lowered by half, of six or nine nobody ever is', () => {
    for (const size of [5, 8, 11, 14]) {
      const chain = new Chain(size)
      chain.behaviours[0] = 'dead'
      chain.steps(4 * size)
      assert.deepEqual(
        chain.changes.map(({ place, power }) => ({ place, power })),
        [{ place: 0, power: 500 }],
      )
    }
    for (const size of [6, 9, 12, 15]) assert.equal(initialPowers(setOf(size), 1), null)
  })

  test('votes that proposers leave out lower nobody, however many', () => {
    const chain = new Chain(4)
    for (let i = 0; i < 500; i++) chain.step([2])
    chain.behaviours[2] = 'proposes-only'
    chain.steps(500)
    assert.deepEqual(chain.changes, [])
  })

  test('one or two missed turns lower nobody, and a turn taken clears them', () => {
    const chain = new Chain(4)
    for (let i = 0; i < 20; i++) {
      chain.behaviours[3] = 'dead'
      chain.steps(8)
      chain.behaviours[3] = 'works'
      chain.steps(5)
    }
    assert.ok(chain.failedSince(0) >= 40)
    assert.deepEqual(chain.changes, [])
  })

  test('rounds that failed for want of a quorum lower nobody', () => {
    const chain = new Chain(4)
    chain.steps(10)
    for (let height = 0; height < 2; height++) {
      // Two of four were down for long: the next block is decided in round 40.
      const { state } = chain
      const rounds = proposersOf(state.rotations[0], 40)
      const votes = chain.set.validators.map(({ address }) => ({ address, power: 0, flag: blockIdFlag.commit }))
      const at = { ...state, proposer: rounds[40] as number }
      const lastCommit = { round: 40, votes }
      const { proposerAddress } = { proposerAddress: chain.set.validators[0]?.address ?? new Uint8Array(20) }
      const decided = decidePowers(chain.set, at, { height: state.height + 1, proposerAddress, lastCommit })
      assert.deepEqual(decided.updates, [])
      chain.state = decided.state
    }
  })

  test('the lowered one is raised once its votes are seen; who flaps waits twice as long each time', () => {
    const chain = new Chain(4)
    const waits: number[] = []
    for (let i = 0; i < 6; i++) {
      chain.behaviours[0] = 'dead'
      chain.steps(40)
      chain.behaviours[0] = 'works'
      const since = chain.height
      while (chain.state.lowered !== null) chain.step()
      waits.push(chain.height - since)
    }
    assert.deepEqual(waits, [4, 8, 16, 32, 64, 128])
    assert.equal(chain.changes.length, 12)
    // 64 turns in a row are forgiveness.
    chain.steps(300)
    assert.equal(chain.state.members[0]?.strikes, 0)
  })

  test('one that votes and never proposes costs less and less', () => {
    const chain = new Chain(4)
    chain.behaviours[1] = 'votes-only'
    chain.steps(10_000)
    const early = chain.failedSince(0)
    chain.steps(20_000)
    assert.ok(early < 50, `${early} stalls in 10,000 blocks`)
    assert.ok(chain.failedSince(0) - early < 15, `${chain.failedSince(0) - early} stalls in the next 20,000`)
  })

  test('of two dead ones of seven one is lowered, the other is not, for two would break S11', () => {
    const chain = new Chain(7)
    chain.behaviours[2] = 'dead'
    chain.behaviours[5] = 'dead'
    chain.steps(200)
    assert.equal(chain.changes.length, 1)
    const place = chain.changes[0]?.place ?? assert.fail('somebody is lowered')
    // The lowered one comes back, the other stays away: they change places.
    chain.behaviours[place] = 'works'
    chain.steps(40)
    assert.equal(chain.state.lowered, place === 2 ? 5 : 2)
    assert.deepEqual(
      chain.changes.map(({ power }) => power),
      [1, 1000, 1],
    )
  })

  test('whatever members do, the powers of every height are those that S11 allows', () => {
    const behaviour = fc.constantFrom<Behaviour>('works', 'works', 'works', 'dead', 'votes-only', 'proposes-only')
    fc.assert(
      fc.property(
        fc.constantFrom(4, 5, 7, 8, 10, 16),
        fc.array(fc.tuple(fc.nat(15), behaviour, fc.integer({ min: 1, max: 60 })), { maxLength: 12 }),
        (size, script) => {
          const chain = new Chain(size)
          for (const [who, what, steps] of script) {
            chain.behaviours[who % size] = what
            if (!chain.behaviours.some((one) => one === 'works')) chain.behaviours[0] = 'works'
            for (let i = 0; i < steps; i++) {
              chain.step()
              const { powers } = chain.state.rotations[2]
              const members = chain.set.validators.map(({ publicKey }, place) => ({
                publicKey,
                power: powers[place] as number,
              }))
              const hash = validatorsHash(hashing, validatorSetOf(members))
              assert.deepEqual(memberPowersOf(hashing, chain.set, hash)?.powers, powers)
            }
          }
        },
      ),
      { seed: 5, numRuns: 25 },
    )
  })

  test('a block whose maker had no turn blames nobody, and is told', () => {
    const chain = new Chain(4)
    chain.behaviours[1] = 'dead'
    chain.steps(20)
    const { state } = chain
    const others = [0, 1, 2, 3].filter((place) => place !== state.rotations[0].proposer)
    const wrong = { ...state, proposer: others[0] as number }
    const votes = chain.set.validators.map(({ address }) => ({ address, power: 0, flag: blockIdFlag.commit }))
    const proposerAddress = chain.set.validators[0]?.address ?? new Uint8Array(20)
    const decided = decidePowers(chain.set, wrong, { height: 21, proposerAddress, lastCommit: { round: 0, votes } })
    assert.equal(decided.isInStep, false)
    assert.deepEqual(
      decided.state.members.map(({ missed }) => missed),
      state.members.map(({ missed }) => missed),
    )
  })
})

describe('powers as they are kept', () => {
  const { genesis } = testCluster()
  const size = genesis.validators.validators.length
  const initial = initialPowers(genesis.validators, genesis.initialHeight) ?? assert.fail('nobody may be lowered')

  test('are those of the genesis before the first block, then those of the position', () => {
    const nothing = new Uint8Array(0)
    assert.deepEqual(openPowers(genesis, { height: genesis.initialHeight - 1, powers: nothing }), initial)
    const state = { ...initial, height: 900, lowered: 2 }
    assert.deepEqual(openPowers(genesis, { height: 900, powers: encodePowerState(state) }), state)
  })

  test('of another height, of other members, cut off or changed they are refused, never guessed', () => {
    const state = { ...initial, height: 900 }
    const bytes = encodePowerState(state)
    const open = (powers: Uint8Array, height = 900): unknown => openPowers(genesis, { height, powers })
    assertRejects('powers-form', () => open(new Uint8Array(0)))
    assertRejects('powers-form', () => open(bytes, 901))
    for (let length = 0; length < bytes.length; length++)
      assertRejects('powers-form', () => open(bytes.slice(0, length)))
    assertRejects('powers-form', () => open(Buffer.concat([bytes, Buffer.alloc(1)])))
    for (const [at, value] of [
      [13, 0x32],
      [24, size + 1],
      [25, size],
      [26, size],
    ] as const)
      assertRejects('powers-form', () => open(bytes.with(at, value)))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const code = rejectionOf(() => open(bytes.with(at, value)))?.code ?? null
        assert.ok(code === null || code === 'powers-form', String(code))
      }),
      { seed: 3, numRuns: 500 },
    )
  })
})
