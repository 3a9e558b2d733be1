/**
 * Members of a cluster that vote, their binary form and CometBFT's hash over them (`spec/consensus.md` 4).
 * The order is CometBFT's: greater power first, then the smaller address.
 */
import { type BinaryReader, BinaryWriter } from './binary.js'
import { compareBytes, concatBytes, equalBytes } from './bytes.js'
import { OnusError } from './errors.js'
import type { Hasher } from './hash.js'
import { merkleRoot } from './merkleTree.js'
import { bytesField, integerField, messageField } from './protobufWriter.js'
import { addressOf, isPublicKey, publicKeyLength } from './signature.js'

/** A cluster has at most this many members (`system.md`: 4 to 16 nodes). */
export const maximumMembers = 16

export interface Validator {
  /** Compressed secp256k1 key, 33 bytes. */
  readonly publicKey: Uint8Array
  /** Ethereum address of the key, 20 bytes. */
  readonly address: Uint8Array
  readonly power: number
}

export interface ValidatorSet {
  readonly validators: readonly Validator[]
  readonly totalPower: number
}

function compareValidators(a: Validator, b: Validator): number {
  return b.power - a.power || compareBytes(a.address, b.address)
}

/**
 * The set of members given by key and power. Rejects `validator-set` on none or too many, a power that is not a
 * positive safe integer, a key that is no point or appears twice.
 */
export function validatorSetOf(members: readonly { publicKey: Uint8Array; power: number }[]): ValidatorSet {
  if (members.length === 0 || members.length > maximumMembers)
    throw new OnusError('validator-set', `expected 1 to ${maximumMembers} members, got ${members.length}`)
  const validators = members.map(({ publicKey, power }, index) => {
    if (!isPublicKey(publicKey))
      throw new OnusError('validator-set', 'expected a compressed secp256k1 key', { path: `members[${index}]` })
    if (!Number.isSafeInteger(power) || power <= 0 || power > 2 ** 40)
      throw new OnusError('validator-set', `expected a power from 1 to 2^40, got ${power}`, {
        path: `members[${index}]`,
      })
    return { publicKey: publicKey.slice(), address: addressOf(publicKey).slice(), power }
  })
  validators.sort(compareValidators)
  for (let i = 1; i < validators.length; i++) {
    if (validators.some((other, j) => j < i && equalBytes(other.publicKey, (validators[i] as Validator).publicKey)))
      throw new OnusError('validator-set', 'a key appears twice')
  }
  return { validators, totalPower: validators.reduce((sum, validator) => sum + validator.power, 0) }
}

/** CometBFT's `validators_hash`: RFC 6962 over `SimpleValidator {1: pub_key {5: secp256k1eth}, 2: voting_power}`. */
export function validatorsHash(hasher: Hasher, set: ValidatorSet): Uint8Array {
  return merkleRoot(
    hasher,
    set.validators.map(({ publicKey, power }) =>
      concatBytes(messageField(1, bytesField(5, publicKey)), integerField(2, power)),
    ),
  )
}

/** u8 count, then for each member in order: key (33 bytes), power (u64). */
export function writeValidators(writer: BinaryWriter, set: ValidatorSet): void {
  writer.u8(set.validators.length)
  for (const { publicKey, power } of set.validators) writer.bytes(publicKey).u64(power)
}

/** Reads what `writeValidators` wrote. Rejects `validator-set` also when the members do not stand in order. */
export function readValidators(reader: BinaryReader): ValidatorSet {
  const count = reader.u8('member count')
  const members: { publicKey: Uint8Array; power: number }[] = []
  for (let i = 0; i < count; i++)
    members.push({ publicKey: reader.take(publicKeyLength, 'member key'), power: reader.u64('member power') })
  const set = validatorSetOf(members)
  set.validators.forEach((validator, index) => {
    if (!equalBytes(validator.publicKey, members[index]?.publicKey as Uint8Array))
      throw new OnusError('validator-set', 'members must stand in order: greater power, then smaller address')
  })
  return set
}

const membersTag = 'onus/members/1\0\0'

/** The members file: tag (16 bytes), membership version (u32), members. */
export function encodeMembers(membershipVersion: number, set: ValidatorSet): Uint8Array {
  const writer = new BinaryWriter().tag(membersTag).u32(membershipVersion)
  writeValidators(writer, set)
  return writer.finish()
}
