/** The opening of a session, and what it shares with calls: the session's place and expiries (`spec/transaction.md`). */

/** A place in the session tree and how many times it was opened before; u32 each. */
export interface SessionId {
  readonly slot: number
  readonly generation: number
}

/** The last block that may hold a transaction: both limits hold; time in milliseconds since 1970 UTC. */
export interface Expiry {
  readonly height: number
  readonly time: number
}

export interface Opening {
  readonly type: 'opening'
  /** Account that answers for the session and is the caller of its calls; 20 bytes. */
  readonly owner: Uint8Array
  /** Address of the key that signs the calls; equals `owner` in an `accountOpening`. */
  readonly key: Uint8Array
  readonly session: SessionId
  /** The session takes no calls in blocks past these. */
  readonly closes: Expiry
  readonly expiry: Expiry
  /** What the cluster's admission rule asks for, up to 255 bytes. */
  readonly admission: Uint8Array
}
