/** The form in which a session leaves a client; `session.ts` makes and reads it. */
import type { Expiry } from '@onus/protocol/opening'

/** A session to go on with elsewhere; plain JSON. Whoever has it can call in its name. */
export interface ExportedSession {
  readonly slot: number
  readonly generation: number
  /** Private key, 64 hexadecimal digits. */
  readonly key: string
  /** Whether a wallet opened it for this key. */
  readonly byWallet: boolean
  readonly closes: Expiry
  readonly nextCounter: number
}
