/**
 * The powers that the members of a cluster may have (`spec/consensus.md` 4, S11): all equal, or one silent member
 * lowered so far that power and count still say the same: a set of members has more than 2/3 of the power exactly when
 * it is more than 2/3 of the members. Whose power is lowered, and when, is not decided here.
 */
import { toHex } from './bytes.js'
import type { Hasher } from './hash.js'
import { type ValidatorSet, validatorSetOf, validatorsHash } from './validatorSet.js'

/** Fewer have no quorum without a silent one. */
const leastMembers = 4

/**
 * The least power that one member of `set` may be lowered to, or null where none may be. Only members of equal power
 * are lowered.
 */
export function loweredPowerOf(set: ValidatorSet): number | null {
  const { validators } = set
  const count = validators.length
  const full = validators[0]?.power ?? 0
  if (count < leastMembers || validators.some(({ power }) => power !== full)) return null
  // So many members are no quorum; with full power each, they must not have more than 2/3 of what is left:
  // 3 * few * full <= 2 * ((count - 1) * full + lowered).
  const few = Math.floor((2 * count) / 3)
  const lowered = Math.max(1, Math.ceil((full * (3 * few - 2 * (count - 1))) / 2))
  return lowered < full ? lowered : null
}

/** `set` with the member at `place` lowered, in the order that it then has, or null where it may not be. */
export function withLowered(set: ValidatorSet, place: number): ValidatorSet | null {
  const lowered = loweredPowerOf(set)
  if (lowered === null) return null
  return validatorSetOf(
    set.validators.map(({ publicKey, power }, index) => ({ publicKey, power: index === place ? lowered : power })),
  )
}

/** Powers of the members of a set, by their places in it, and their sum. */
export interface MemberPowers {
  readonly powers: readonly number[]
  readonly total: number
}

/** By the set; verification asks for each certificate, and a set of 16 has 17 hashes of 31 SHA-256 each. */
const known = new WeakMap<ValidatorSet, ReadonlyMap<string, MemberPowers>>()

function powersByHash(hasher: Hasher, set: ValidatorSet): ReadonlyMap<string, MemberPowers> {
  const full = set.validators.map(({ power }) => power)
  const byHash = new Map([[toHex(validatorsHash(hasher, set)), { powers: full, total: set.totalPower }]])
  set.validators.forEach((_, place) => {
    const lowered = withLowered(set, place)
    if (lowered === null) return
    const least = Math.min(...lowered.validators.map(({ power }) => power))
    const powers = full.with(place, least)
    byHash.set(toHex(validatorsHash(hasher, lowered)), { powers, total: lowered.totalPower })
  })
  return byHash
}

/**
 * The powers that a header's `validators_hash` (32 bytes) gives the members of `set`, or null where it is the hash of
 * other members or of powers that they may not have.
 */
export function memberPowersOf(hasher: Hasher, set: ValidatorSet, hash: Uint8Array): MemberPowers | null {
  let byHash = known.get(set)
  if (byHash === undefined) {
    byHash = powersByHash(hasher, set)
    known.set(set, byHash)
  }
  return byHash.get(toHex(hash)) ?? null
}
