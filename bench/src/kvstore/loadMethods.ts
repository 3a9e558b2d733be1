/** What the rival's load source does for the benchmark; `loadProcess.ts` is the process that serves it. */
import type { LoadResult } from '../load/meter.js'
import type { Watched } from '../system/cpuWindow.js'

export type Transport = 'http' | 'websocket'

export interface KvstoreRun {
  readonly rpcPorts: readonly number[]
  readonly transport: Transport
  /** Transactions under way, spread evenly over the nodes. */
  readonly outstanding: number
  /** Length of a transaction. */
  readonly bytes: number
  readonly warmSeconds: number
  readonly seconds: number
  readonly watched: Watched
}

export interface KvstoreMethods {
  run(run: KvstoreRun): Promise<LoadResult>
  /** Milliseconds from broadcast to the event of the block, one transaction at a time with pauses, at node 1. */
  idle(argument: { readonly rpcPort: number; readonly bytes: number; readonly calls: number }): Promise<number[]>
}
