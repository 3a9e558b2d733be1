/**
 * The bytes of a `PowerState` as the store keeps them with the position of a height, so that after a crash powers and
 * state stand at the same block. Strict: a record of other members, another height or a later version is refused.
 */
import { BinaryReader, BinaryWriter } from '@onus/protocol/binary'
import { OnusError } from '@onus/protocol/errors'
import type { MemberRecord, PowerState } from './powerPolicy.js'
import type { Rotation } from './proposerRotation.js'

const tag = 'onus/powers/1\0\0\0'
/** Place of nobody. */
const nobody = 255
/** Priorities are signed; as they are written they are not. */
const priorityOffset = 2 ** 40

function writeRotation(writer: BinaryWriter, { powers, priorities, proposer }: Rotation): void {
  writer.u8(proposer)
  powers.forEach((power, place) => {
    writer.u64(power).u64((priorities[place] as number) + priorityOffset)
  })
}

/** Tag (16 bytes), height, u8 members, maker, lowered (255: nobody); the records; three rotations. */
export function encodePowerState(state: PowerState): Uint8Array {
  const { height, members, proposer, lowered, rotations } = state
  const writer = new BinaryWriter(1024).tag(tag).u64(height)
  writer
    .u8(members.length)
    .u8(proposer)
    .u8(lowered ?? nobody)
  for (const { missed, taken, strikes, votes } of members) writer.u32(missed).u32(taken).u32(strikes).u32(votes)
  for (const rotation of rotations) writeRotation(writer, rotation)
  return writer.finish()
}

function place(reader: BinaryReader, count: number, what: string): number {
  const value = reader.u8(what)
  if (value >= count) throw new OnusError('powers-form', `${what}: expected a place below ${count}, got ${value}`)
  return value
}

function readRotation(reader: BinaryReader, count: number): Rotation {
  const proposer = place(reader, count, 'proposer')
  const powers: number[] = []
  const priorities: number[] = []
  for (let i = 0; i < count; i++) {
    powers.push(reader.u64('power'))
    priorities.push(reader.u64('priority') - priorityOffset)
  }
  return { powers, priorities, proposer }
}

function readRecord(reader: BinaryReader): MemberRecord {
  return {
    missed: reader.u32('missed'),
    taken: reader.u32('taken'),
    strikes: reader.u32('strikes'),
    votes: reader.u32('votes'),
  }
}

/**
 * Reads what `encodePowerState` wrote behind block `height` of a cluster of `count` members. Rejects `powers-form` and
 * the codes of `BinaryReader`.
 */
export function decodePowerState(bytes: Uint8Array, height: number, count: number): PowerState {
  const reader = new BinaryReader(bytes, 'powers')
  reader.tag(tag)
  const recorded = reader.u64('height')
  if (recorded !== height) throw new OnusError('powers-form', `expected powers behind block ${height}, got ${recorded}`)
  const written = reader.u8('members')
  if (written !== count) throw new OnusError('powers-form', `expected ${count} members, got ${written}`)
  const proposer = place(reader, count, 'maker')
  const low = reader.u8('lowered')
  if (low !== nobody && low >= count) throw new OnusError('powers-form', `nobody stands at place ${low}`)
  const members = Array.from({ length: count }, () => readRecord(reader))
  const rotations = [readRotation(reader, count), readRotation(reader, count), readRotation(reader, count)] as const
  reader.finish()
  return { height, proposer, rotations, members, lowered: low === nobody ? null : low }
}
