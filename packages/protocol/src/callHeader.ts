/**
 * The fixed header before the argument of every call (`spec/transaction.md` 5): 8 words that a backend can
 * read as its context. Each is derived from the signed transaction and the block, so all that a backend sees is proved
 * with the request. The seed is predictable by the proposer and by the client: it is no secret.
 */
import { concatBytes, wordOfBytes, wordOfInteger } from './bytes.js'
import { type Hasher, recordHash } from './hash.js'
import type { SessionId } from './opening.js'

export const callInputHeaderLength = 256

export interface CallContext {
  /** 20 bytes; zero in a query without a caller. */
  readonly caller: Uint8Array
  readonly session: SessionId
  readonly counter: number
  readonly height: number
  readonly milliseconds: number
  /** 32 bytes; zero in a query. */
  readonly transactionId: Uint8Array
  /** Hash of the manifest before the block, 32 bytes. */
  readonly previousManifest: Uint8Array
}

/** 256 bytes: caller, session (slot ‖ generation), counter, height, time in milliseconds, id, seed, zero. */
export function encodeCallHeader(hasher: Hasher, context: CallContext): Uint8Array {
  const { slot, generation } = context.session
  return concatBytes(
    wordOfBytes(context.caller),
    wordOfInteger((BigInt(slot) << 32n) | BigInt(generation)),
    wordOfInteger(context.counter),
    wordOfInteger(context.height),
    wordOfInteger(context.milliseconds),
    context.transactionId,
    recordHash(hasher, 'onus/seed/1', [context.previousManifest, context.transactionId]),
    new Uint8Array(32),
  )
}
