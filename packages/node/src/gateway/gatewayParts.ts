/** What a gateway is made of and what it asks of the node. No code. */
import type { Results } from '@onus/protocol/gatewayMessages'
import type { Hasher } from '@onus/protocol/hash'
import type { Interface } from '@onus/protocol/interface/description'
import type { CertifiedBlocks } from './eventStream.js'
import type { GatewayMetrics } from './gatewayMetrics.js'
import type { NodeHealth } from './health.js'
import type { RateLimits } from './rateLimits.js'
import type { BlockReader } from './resultsJson.js'
import type { GatewaySettings } from './settings.js'

export interface SessionHint {
  readonly slot: number
  readonly generation: number
  readonly open: boolean
  readonly nextCounter: number
  readonly owner: string | null
  readonly key: string | null
  readonly closes: { readonly height: number; readonly time: number } | null
}

/** What the gateway asks of the node. Every method rejects with an `OnusError`. */
export interface GatewayBackend {
  readonly genesis: Uint8Array
  /** JSON of the interface description. */
  readonly description: Uint8Array
  readonly maximumEnvelopeBytes: number
  /** Encoded results once all transactions of the envelope are certified. */
  submit(envelope: Uint8Array, timeout: number): Promise<Uint8Array>
  /** The same, not encoded. */
  carry(envelope: Uint8Array, timeout: number): Promise<Results>
  receipt(id: Uint8Array, timeout: number): Promise<Uint8Array>
  certificate(height: number | null): Promise<Uint8Array>
  /** Encoded answer, or a rejection `query-trapped` with the guest's words when it trapped and the asker wants JSON. */
  query(argument: Uint8Array, height: number | null): Promise<Uint8Array>
  session(slot: number): Promise<SessionHint>
  freeSession(): Promise<{ slot: number; generation: number; height: number; time: number }>
  status(): Record<string, unknown>
}

/** What a gateway is made of. */
export interface GatewayParts {
  readonly backend: GatewayBackend
  readonly hasher: Hasher
  readonly description: Interface
  /** Addresses (20 bytes) in the order by which certificates name signers. */
  readonly members: readonly Uint8Array[]
  readonly blocks: CertifiedBlocks & BlockReader
  /** Hash of the newest manifest at or below a height; null before the first. */
  readonly manifestHashAt: (height: number) => Promise<Uint8Array | null>
  readonly node: NodeHealth
  readonly settings: GatewaySettings
  readonly limits: RateLimits
  readonly metrics: GatewayMetrics
  /** How long what waits here will take, in milliseconds. */
  readonly backlogDelay: () => number
  readonly onBug: (error: Error) => void
  /** Told each request when it is answered; null for none, which costs nothing. */
  readonly onRequest: ((line: RequestLine) => void) | null
}

export interface RequestLine {
  readonly method: string
  readonly url: string
  readonly status: number
  readonly milliseconds: number
  readonly address: string
}
