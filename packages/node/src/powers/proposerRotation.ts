/**
 * CometBFT v0.40's rotation of proposers (types/validator_set.go, state/execution.go), so that the node knows whose turn
 * a round was. Pure, over members by their place in the genesis: of equal power there, so their places are in the order
 * of their addresses, by which CometBFT breaks ties. `enginesCometbft.test.ts` compares it with the real engine.
 */
import { assert } from '@onus/protocol/errors'

/** A validator set of one height as it stands in round 0. Lists go by place. */
export interface Rotation {
  readonly powers: readonly number[]
  /** Safe integers: within twice the total power of each other. */
  readonly priorities: readonly number[]
  /** Place of who proposes. */
  readonly proposer: number
}

/** Priorities lie at most this many times the total power apart. */
const windowFactor = 2

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0)

/** Pressed into the window, and around zero. */
function centred(priorities: readonly number[], totalPower: number): number[] {
  const window = windowFactor * totalPower
  const difference = Math.max(...priorities) - Math.min(...priorities)
  const ratio = Math.ceil(difference / window)
  const pressed = difference > window ? priorities.map((priority) => Math.trunc(priority / ratio) + 0) : priorities
  const average = Math.floor(sumOf(pressed) / pressed.length)
  return pressed.map((priority) => priority - average)
}

/** The set `times` turns later: the next height's for 1, that of round r of the same height for r. */
export function afterTurns({ powers, priorities }: Rotation, times: number): Rotation {
  assert(times > 0, 'a rotation goes on')
  const total = sumOf(powers)
  const moved = centred(priorities, total)
  let proposer = 0
  for (let turn = 0; turn < times; turn++) {
    powers.forEach((power, place) => {
      moved[place] = (moved[place] as number) + power
    })
    proposer = moved.indexOf(Math.max(...moved))
    moved[proposer] = (moved[proposer] as number) - total
  }
  return { powers, priorities: moved, proposer }
}

/** The set of the initial height. */
export function initialRotation(powers: readonly number[]): Rotation {
  // CometBFT gives new validators -1.125 times the total power, and moves them around zero: all to zero.
  return afterTurns({ powers, priorities: powers.map(() => 0), proposer: 0 }, 1)
}

/** The set behind `rotation` with the member at `place` at another power, before its turn is counted. */
export function withPower(rotation: Rotation, place: number, power: number): Rotation {
  const powers = rotation.powers.with(place, power)
  return { ...rotation, powers, priorities: centred(rotation.priorities, sumOf(powers)) }
}

/** Who proposed in rounds 0 to `round` of the height whose set is `rotation`. */
export function proposersOf(rotation: Rotation, round: number): number[] {
  const places = [rotation.proposer]
  for (let at = rotation; places.length <= round; ) {
    at = afterTurns(at, 1)
    places.push(at.proposer)
  }
  return places
}
