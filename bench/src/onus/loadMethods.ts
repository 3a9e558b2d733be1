/** What the load source of Onus does for the benchmark; `loadProcess.ts` is the process that serves it. */
import type { LoadResult } from '../load/meter.js'
import type { Watched } from '../system/cpuWindow.js'

export interface LoadOpening {
  readonly genesis: Uint8Array
  readonly gatewayUrls: readonly string[]
  readonly sessions: number
}

export interface LoadRun {
  /** Of those that were opened, the first so many; each has one envelope under way. */
  readonly sessions: number
  readonly callsPerEnvelope: number
  readonly warmSeconds: number
  readonly seconds: number
  readonly watched: Watched
}

export interface SignedLoadResult extends LoadResult {
  /** CPU microseconds of the load source to make and sign one call, before the window. */
  readonly signMicroseconds: number
  /** The signed calls ran out before the window's end, which was then. */
  readonly ranOut: boolean
}

/** Milliseconds of the monotonic clock. */
export interface IdleCall {
  readonly issued: number
  /** The envelope is signed and on its way. */
  readonly sent: number
  readonly answered: number
  readonly verified: number
}

export interface LoadMethods {
  /** Opens sessions, each at its node. */
  open(opening: LoadOpening): Promise<void>
  run(run: LoadRun): Promise<SignedLoadResult>
  /** Calls by `@onus/client`, one at a time with pauses; the client chooses the node. */
  idle(argument: { readonly calls: number }): Promise<IdleCall[]>
  /** Queries to node 1 over so many connections. */
  query(argument: {
    readonly connections: number
    readonly warmSeconds: number
    readonly seconds: number
    readonly watched: Watched
  }): Promise<LoadResult>
  /** The sum of all balances, as f+1 nodes say. */
  total(argument: null): Promise<bigint>
}
