/**
 * Block time as CometBFT keeps it (`google.protobuf.Timestamp`): seconds since 1970 UTC and nanoseconds below 10^9.
 * Manifests carry it as one integer of nanoseconds, calls see whole milliseconds (`spec/manifest.md`, `spec/vm.md`).
 */
import { OnusError } from './errors.js'

export interface Timestamp {
  readonly seconds: number
  readonly nanoseconds: number
}

/** Nanoseconds since 1970 UTC; fits 64 bits until the year 2554. */
export function nanosecondsOfTimestamp(time: Timestamp): bigint {
  return BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds)
}

export function timestampOfNanoseconds(nanoseconds: bigint): Timestamp {
  return { seconds: Number(nanoseconds / 1_000_000_000n), nanoseconds: Number(nanoseconds % 1_000_000_000n) }
}

/** Whole milliseconds since 1970 UTC, rounded down. */
export function millisecondsOfTimestamp(time: Timestamp): number {
  return time.seconds * 1000 + Math.floor(time.nanoseconds / 1_000_000)
}

const rfc3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z$/

/** The time of an RFC 3339 text in UTC, as CometBFT prints it. Rejects `timestamp`. */
export function parseTimestamp(text: string): Timestamp {
  const match = rfc3339.exec(text)
  const milliseconds = match === null ? Number.NaN : Date.parse(`${match[1]}Z`)
  // `Date.parse` takes 30 February for 2 March, and 24:00 for the next day.
  if (match === null || Number.isNaN(milliseconds) || !new Date(milliseconds).toISOString().startsWith(match[1] ?? ''))
    throw new OnusError('timestamp', `expected an RFC 3339 time in UTC, got ${JSON.stringify(text.slice(0, 60))}`)
  return { seconds: milliseconds / 1000, nanoseconds: Number((match[2] ?? '').padEnd(9, '0')) }
}
