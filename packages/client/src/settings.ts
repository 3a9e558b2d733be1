/** Options of `connect` and their defaults. */
import { OnusError } from '@onus/protocol/errors'
import type { Genesis } from '@onus/protocol/genesis'
import type { Hasher } from '@onus/protocol/hash'
import type { Interface } from '@onus/protocol/interface/description'
import type { Curve } from '@onus/protocol/signature'
import { maximumCallsPerEnvelope } from '@onus/protocol/transaction'
import type { OpenWebSocket } from './callStream.js'
import type { ExportedSession } from './exportedSession.js'
import type { Fetch } from './http.js'
import type { WalletAccount } from './wallet.js'

/** Milliseconds. */
export interface Timeouts {
  /** One request to one node, to the last byte; default 5,000. */
  readonly request: number
  /** From a call to its certificate, all retries included; default 30,000. */
  readonly call: number
  /** After which a second node is asked while the first may still answer; grows with the node's usual time; default 500. */
  readonly hedge: number
}

export interface ConnectOptions<I extends Interface> {
  /** Pinned by the caller: the genesis file or its decoding. All trust comes from here. */
  readonly genesis: Uint8Array | Genesis
  /** URLs of gateways. Queries need f+1 of them, resilience more. */
  readonly nodes: readonly string[]
  /** The generated description, `as const`. */
  readonly interface: I
  /** Private key (32 bytes) of the caller's account, or a wallet; a fresh random key when absent. */
  readonly account?: Uint8Array | WalletAccount
  /** What `exportSession` of an earlier client gave. */
  readonly session?: ExportedSession
  /** What the cluster's admission rule asks for, up to 255 bytes. */
  readonly admission?: Uint8Array
  /** Most calls under one signature, 1 to 1,024; default 256. */
  readonly maximumBatch?: number
  /** Most envelopes on their way at once; default 16. */
  readonly maximumInFlight?: number
  /** Gas that a call may use; default what the interface says of its entry, or the cluster's limit for a call. */
  readonly gasLimit?: number
  readonly timeouts?: Partial<Timeouts>
  /** Native implementations; default those of noble. */
  readonly hasher?: Hasher
  readonly curve?: Curve
  /** Default the platform's. */
  readonly fetch?: Fetch
  /**
   * Opens WebSockets, by which calls go when they can; default the platform's. Node 20 has none: give
   * `(url, protocol) => new WebSocket(url, protocol)` of the package `ws`. `null` for none.
   */
  readonly webSocket?: OpenWebSocket | null
}

export interface Settings {
  readonly timeouts: Timeouts
  readonly maximumBatch: number
  readonly maximumInFlight: number
  /** null: as the interface says. */
  readonly gasLimit: number | null
  readonly admission: Uint8Array
  readonly fetch: Fetch
  readonly webSocket: OpenWebSocket | null
}

function platformWebSocket(): OpenWebSocket | null {
  return typeof globalThis.WebSocket === 'function' ? (url, protocol) => new globalThis.WebSocket(url, protocol) : null
}

function checkedInteger(name: string, value: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < 1 || value > most)
    throw new OnusError('option-range', `expected 1 to ${most}, got ${value}`, { path: name })
  return value
}

/** Rejects `option-range`. */
export function settingsOf(options: ConnectOptions<Interface>, genesis: Genesis): Settings {
  const { limits } = genesis
  const mostCalls = Math.min(maximumCallsPerEnvelope, limits.blockTransactions)
  const longest = 2 ** 31 - 1
  const { request = 5_000, call = 30_000, hedge = 500 } = options.timeouts ?? {}
  const admission = options.admission ?? new Uint8Array(0)
  if (admission.length > 255) throw new OnusError('option-range', 'expected at most 255 bytes', { path: 'admission' })
  return {
    timeouts: {
      request: checkedInteger('timeouts.request', request, longest),
      call: checkedInteger('timeouts.call', call, longest),
      hedge: checkedInteger('timeouts.hedge', hedge, longest),
    },
    maximumBatch: checkedInteger('maximumBatch', options.maximumBatch ?? Math.min(256, mostCalls), mostCalls),
    maximumInFlight: checkedInteger('maximumInFlight', options.maximumInFlight ?? 16, 4096),
    gasLimit: options.gasLimit === undefined ? null : checkedInteger('gasLimit', options.gasLimit, limits.callGas),
    admission,
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    webSocket: options.webSocket === undefined ? platformWebSocket() : options.webSocket,
  }
}
