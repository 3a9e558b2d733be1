/**
 * Envelopes waiting for a block, bounded in bytes and number, each session and each gateway to a share (S10). Their
 * signers are known. Lives in the execution worker, which alone knows which of them can execute. A stranger is an
 * envelope whose session is not open (yet): anyone can make those for nothing, so they get a small part of the room.
 */
import { createHash, hash } from 'node:crypto'
import type { SignedEnvelope } from '@onus/state-transition/blockExecution'

export interface Candidate extends SignedEnvelope {
  /** `envelopeKey` of its bytes. */
  readonly key: string
  readonly ids: readonly Uint8Array[]
  /** The gateway that took it: 0 this one, others by their place among the peers from 1. */
  readonly origin: number
}

/**
 * What an envelope is known by here: SHA-256 of its bytes as a Latin-1 string. Nothing shorter will do: parts of a
 * signature can be copied into an envelope of a session that is not open, and would keep the right one out.
 */
export function envelopeKey(bytes: Uint8Array): string {
  return typeof hash === 'function'
    ? hash('sha256', bytes, 'binary')
    : createHash('sha256').update(bytes).digest('binary')
}

/** A proposer looks at every waiting envelope (2 us each), so it counts as at least so many bytes. */
const leastBytes = 1024
/** Parts of the room that strangers, one session, and what one other gateway passes on get at most. */
const strangerShare = 64
const sessionShare = 16
const originShare = 4
/** Gateways take turns in a block, so many envelopes each. */
const turn = 16

/** Why an envelope is not taken: the pool, or the share of strangers, of its session or of its gateway, is full. */
export type PoolRefusal = 'full' | 'strangers' | 'session' | 'origin'

/** Sums by a key; no entry for 0. */
class Sums<Key> {
  readonly #sums = new Map<Key, number>()

  of(key: Key): number {
    return this.#sums.get(key) ?? 0
  }

  add(key: Key, amount: number): void {
    const sum = this.of(key) + amount
    if (sum === 0) this.#sums.delete(key)
    else this.#sums.set(key, sum)
  }
}

/** The session of the first transaction; the envelope counts for it alone. */
function sessionOf({ envelope }: Candidate): string {
  const session = envelope.transactions[0]?.session
  return session === undefined ? '' : `${session.slot}.${session.generation}`
}

function costOf({ bytes }: Candidate): number {
  return Math.max(leastBytes, bytes.length)
}

export class TransactionPool {
  readonly #candidates = new Map<string, Candidate>()
  readonly #byOrigin = new Map<number, Map<string, Candidate>>()
  readonly #strangers = new Set<string>()
  readonly #origins = new Sums<number>()
  readonly #sessions = new Sums<string>()
  readonly #maximumCost: number
  #cost = 0
  #strangerCost = 0

  /** `maximumBytes` of envelopes, each counted with at least 1,024. */
  constructor(maximumBytes: number) {
    this.#maximumCost = maximumBytes
  }

  get size(): number {
    return this.#candidates.size
  }

  get(key: string): Candidate | undefined {
    return this.#candidates.get(key)
  }

  #refusalOf(candidate: Candidate, isStranger: boolean): PoolRefusal | null {
    const cost = costOf(candidate)
    const room = this.#maximumCost
    if (this.#cost + cost > room) return 'full'
    if (isStranger) return this.#strangerCost + cost > room / strangerShare ? 'strangers' : null
    if (candidate.origin !== 0 && this.#origins.of(candidate.origin) + cost > room / originShare) return 'origin'
    // A lone envelope always has its place, however long.
    const held = this.#sessions.of(sessionOf(candidate))
    return held > 0 && held + cost > room / sessionShare ? 'session' : null
  }

  /** Takes an envelope; null when it is in the pool. */
  add(candidate: Candidate, isStranger: boolean): PoolRefusal | null {
    const { key, origin } = candidate
    if (this.#candidates.has(key)) return null
    const refusal = this.#refusalOf(candidate, isStranger)
    if (refusal !== null) return refusal
    this.#candidates.set(key, candidate)
    const others = this.#byOrigin.get(origin)
    if (others === undefined) this.#byOrigin.set(origin, new Map([[key, candidate]]))
    else others.set(key, candidate)
    if (isStranger) this.#strangers.add(key)
    this.#count(candidate, isStranger, 1)
    return null
  }

  remove(key: string): void {
    const candidate = this.#candidates.get(key)
    if (candidate === undefined) return
    this.#candidates.delete(key)
    this.#byOrigin.get(candidate.origin)?.delete(key)
    this.#count(candidate, this.#strangers.delete(key), -1)
  }

  #count(candidate: Candidate, isStranger: boolean, sign: 1 | -1): void {
    const cost = sign * costOf(candidate)
    this.#cost += cost
    this.#origins.add(candidate.origin, cost)
    this.#sessions.add(sessionOf(candidate), cost)
    if (isStranger) this.#strangerCost += cost
  }

  /** In the order of arrival for each gateway, the gateways in turns: none fills a block while another waits. */
  *values(): Generator<Candidate> {
    const open = [...this.#byOrigin.values()].filter(({ size }) => size > 0).map((held) => held.values())
    while (open.length > 0)
      for (const [index, candidates] of [...open.entries()].reverse())
        for (let taken = 0; taken < turn; taken++) {
          const { value, done } = candidates.next()
          if (done === true) {
            open.splice(index, 1)
            break
          }
          yield value
        }
  }
}
