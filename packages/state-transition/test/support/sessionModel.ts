/**
 * The rules of sessions written a second time, as plainly as a reader of `spec/session.md` would: what a block makes of
 * one transaction, by a table of reasons in their order. Shares no code with the implementation.
 */
export interface ModelSession {
  readonly generation: number
  readonly owner: string
  readonly key: string
  /** Whether the session's calls are signed by a key that a wallet named. */
  readonly byWallet: boolean
  nextCounter: number
  readonly closesHeight: number
  readonly closesTime: number
}

export interface ModelMoment {
  readonly height: number
  readonly time: number
}

export interface ModelLimits {
  readonly expiryBlocks: number
  readonly expiryTime: number
  readonly capacity: number
  readonly sessionBlocks: number
  readonly sessionTime: number
  readonly callGas: number
}

export interface ModelCall {
  readonly slot: number
  readonly generation: number
  readonly counter: number
  readonly expiryHeight: number
  readonly expiryTime: number
  readonly gas: number
  readonly signer: string
  readonly byWallet: boolean
}

export interface ModelOpening {
  readonly slot: number
  readonly generation: number
  readonly owner: string
  readonly key: string
  readonly signer: string
  readonly byWallet: boolean
  readonly expiryHeight: number
  readonly expiryTime: number
  readonly closesHeight: number
  readonly closesTime: number
}

type Verdict =
  | 'executed'
  | 'sessionUnknown'
  | 'sessionKey'
  | 'expired'
  | 'expiryTooFar'
  | 'gasLimit'
  | 'counterUsed'
  | 'counterGap'
  | 'openingLimits'
  | 'slotTaken'

function first(rules: readonly (readonly [boolean, Verdict])[]): Verdict {
  return rules.find(([applies]) => applies)?.[1] ?? 'executed'
}

export class SessionModel {
  readonly limits: ModelLimits
  readonly sessions = new Map<number, ModelSession>()
  /** Places `slot/generation/counter` that were executed. */
  readonly executed = new Set<string>()

  constructor(limits: ModelLimits) {
    this.limits = limits
  }

  #isClosed(session: ModelSession, now: ModelMoment): boolean {
    return now.height > session.closesHeight || now.time > session.closesTime
  }

  #expiry(expiryHeight: number, expiryTime: number, now: ModelMoment): readonly (readonly [boolean, Verdict])[] {
    const { limits } = this
    return [
      [now.height > expiryHeight || now.time > expiryTime, 'expired'],
      [expiryHeight > now.height + limits.expiryBlocks || expiryTime > now.time + limits.expiryTime, 'expiryTooFar'],
    ]
  }

  call(call: ModelCall, now: ModelMoment): Verdict {
    const session = this.sessions.get(call.slot)
    const verdict =
      session === undefined || session.generation !== call.generation || this.#isClosed(session, now)
        ? 'sessionUnknown'
        : first([
            [call.signer !== session.key || call.byWallet !== session.byWallet, 'sessionKey'],
            [call.counter < session.nextCounter, 'counterUsed'],
            ...this.#expiry(call.expiryHeight, call.expiryTime, now),
            [call.gas < 1 || call.gas > this.limits.callGas, 'gasLimit'],
            [call.counter > session.nextCounter, 'counterGap'],
          ])
    if (verdict === 'executed' && session !== undefined) {
      this.executed.add(`${call.slot}/${call.generation}/${call.counter}`)
      session.nextCounter += 1
    }
    return verdict
  }

  open(opening: ModelOpening, now: ModelMoment): Verdict {
    const { limits } = this
    const held = this.sessions.get(opening.slot)
    const isFree =
      held === undefined
        ? opening.generation === 0
        : this.#isClosed(held, now) && opening.generation === held.generation + 1
    const verdict = first([
      [opening.signer !== opening.owner, 'sessionKey'],
      [!opening.byWallet && opening.key !== opening.owner, 'sessionKey'],
      [!isFree, 'slotTaken'],
      ...this.#expiry(opening.expiryHeight, opening.expiryTime, now),
      [opening.slot >= limits.capacity, 'openingLimits'],
      [opening.closesHeight > now.height + limits.sessionBlocks, 'openingLimits'],
      [opening.closesTime > now.time + limits.sessionTime, 'openingLimits'],
      [now.height > opening.closesHeight || now.time > opening.closesTime, 'openingLimits'],
    ])
    if (verdict === 'executed')
      this.sessions.set(opening.slot, {
        generation: opening.generation,
        owner: opening.owner,
        key: opening.key,
        byWallet: opening.byWallet,
        nextCounter: 0,
        closesHeight: opening.closesHeight,
        closesTime: opening.closesTime,
      })
    return verdict
  }
}
