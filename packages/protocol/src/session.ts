/**
 * Sessions (`spec/session.md`): a client's ordered line of transactions. Each lives in one leaf of a tree of depth 24;
 * its id is the slot and how often the slot was opened before. A transaction reads and writes that one leaf only, so
 * every update and rejection is provable over one leaf (S6).
 */
import { wordLength } from './bytes.js'
import { type Hasher, recordHash } from './hash.js'
import type { Expiry } from './opening.js'

export const sessionTreeDepth = 24

export interface Session {
  /** Caller of the session's calls, 20 bytes. */
  readonly owner: Uint8Array
  /** Address whose key signs the calls, 20 bytes. */
  readonly key: Uint8Array
  /** Envelope kind that its calls must have (1 or 2). */
  readonly callKind: number
  /** Openings of this slot before this one. */
  readonly generation: number
  /** Counter that the next call must carry. */
  readonly nextCounter: number
  readonly closes: Expiry
}

/** Leaf of a session, 32 bytes; a slot never opened is 32 zero bytes. */
export function sessionLeaf(hasher: Hasher, session: Session | null): Uint8Array {
  if (session === null) return new Uint8Array(wordLength)
  return recordHash(hasher, 'onus/session/1', [
    session.owner,
    session.key,
    session.callKind,
    session.generation,
    session.nextCounter,
    session.closes.height,
    session.closes.time,
  ])
}

/** A point in block time: the height of a block and its time in whole milliseconds. */
export interface BlockMoment {
  readonly height: number
  readonly milliseconds: number
}

/** Whether a limit lies before the block. */
export function isPast(limit: Expiry, block: BlockMoment): boolean {
  return block.height > limit.height || block.milliseconds > limit.time
}
