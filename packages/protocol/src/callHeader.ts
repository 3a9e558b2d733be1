/**
 * The fixed header before the argument of every call (`spec/transaction.md` 5): 8 words that a backend can
 * read as its context. Each is derived from the signed transaction and the block, so all that a backend sees is proved
 * with the request. The seed is predictable by the proposer and by the client: it is no secret.
 */
import { putInteger, wordLength } from './bytes.js'
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

const noRoom = new Uint8Array(0)
const integerAt = { counter: 64, height: 96, milliseconds: 128 } as const

/**
 * The input of a call: 256 bytes of header (caller, session as slot ‖ generation, counter, height, time in milliseconds,
 * id, seed, zero), then the argument. It is written into `into` if that has the room, else into new bytes.
 */
export function encodeCallInput(
  hasher: Hasher,
  context: CallContext,
  argument: Uint8Array,
  into: Uint8Array = noRoom,
): Uint8Array {
  const { slot, generation } = context.session
  const length = callInputHeaderLength + argument.length
  const input = length <= into.length ? into.subarray(0, length).fill(0) : new Uint8Array(length)
  input.set(context.caller, wordLength - context.caller.length)
  const view = new DataView(input.buffer, input.byteOffset)
  view.setUint32(56, slot)
  view.setUint32(60, generation)
  putInteger(input, integerAt.counter, context.counter)
  putInteger(input, integerAt.height, context.height)
  putInteger(input, integerAt.milliseconds, context.milliseconds)
  input.set(context.transactionId, 160)
  input.set(recordHash(hasher, 'onus/seed/1', [context.previousManifest, context.transactionId]), 192)
  input.set(argument, callInputHeaderLength)
  return input
}
