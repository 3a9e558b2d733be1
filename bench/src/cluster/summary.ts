/**
 * Rounds to figures and ratios. A ratio is taken within each round, where both sides met the same machine, and its
 * median over the rounds is the result; least and greatest stand beside it.
 */

import type { LoadResult } from '../load/meter.js'
import { quantile } from '../load/quantile.js'
import type { CpuUse } from '../system/cpuWindow.js'
import type { Medium } from '../system/media.js'
import type { Round } from './rounds.js'

/** Median of the rounds with the least and the greatest. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly greatest: number
}

export interface MediumSummary {
  readonly medium: Medium
  readonly ratios: Readonly<Record<RatioName, Spread>>
  readonly figures: Readonly<Record<FigureName, Spread>>
  readonly failed: number
  readonly firstFailure: string | null
  /** Windows that ended early because all that was signed was sent. */
  readonly ranOut: number
  /** The rival ran too slowly for anything to be said. */
  readonly isVoid: boolean
}

export const ratioNames = ['signedThroughput', 'batchedThroughput', 'latency', 'signedPerCpuSecond'] as const
export type RatioName = (typeof ratioNames)[number]

export const figureNames = [
  'signedPerSecond',
  'signedP50Ms',
  'signedP99Ms',
  'signedCallsPerBlock',
  'batchedPerSecond',
  'batchedP50Ms',
  'batchedCallsPerBlock',
  'kvstorePerSecond',
  'kvstoreHttpPerSecond',
  'kvstoreWebSocketPerSecond',
  'kvstoreP50Ms',
  'latencyP50Ms',
  'latencyP90Ms',
  'latencyP99Ms',
  'kvstoreLatencyP50Ms',
  'kvstoreLatencyP99Ms',
  'queriesPerSecond',
  'queryP50Ms',
  'nodePairMB',
  'startSeconds',
  'signedCpuMicroseconds',
  'batchedCpuMicroseconds',
  'kvstoreCpuMicroseconds',
  'clientSignMicroseconds',
  'clientCores',
  'kvstoreClientCores',
  'noiseCores',
  'kvstoreNoiseCores',
] as const
export type FigureName = (typeof figureNames)[number]

/** `security.md` has nothing on it: issue 4 declares a run void whose rival makes fewer, on tmpfs with four nodes. */
export const leastRivalPerSecond = 2000

function rate({ calls, seconds }: LoadResult): number {
  return calls / seconds
}

export function coresOf({ nodes, engines, client }: CpuUse): number {
  return nodes + engines + client
}

/** Calls a second of CPU of all processes together: other work on the machine hardly moves it. */
function perCpuSecond(result: LoadResult): number {
  return rate(result) / coresOf(result.cpu)
}

export function betterOf({ http, websocket }: Round['kvstore']): LoadResult {
  return rate(http) > rate(websocket) ? http : websocket
}

function ratiosOf({ onus, kvstore }: Round): Record<RatioName, number> {
  const rival = betterOf(kvstore)
  return {
    signedThroughput: rate(onus.signed) / rate(rival),
    batchedThroughput: rate(onus.batched) / rate(rival),
    latency: quantile(onus.latencies, 0.5) / quantile(kvstore.latencies, 0.5),
    signedPerCpuSecond: perCpuSecond(onus.signed) / perCpuSecond(rival),
  }
}

function figuresOf({ onus, kvstore }: Round): Record<FigureName, number> {
  const rival = betterOf(kvstore)
  const { signed, batched, queries } = onus
  return {
    signedPerSecond: rate(signed),
    signedP50Ms: signed.p50,
    signedP99Ms: signed.p99,
    signedCallsPerBlock: signed.calls / signed.blocks,
    batchedPerSecond: rate(batched),
    batchedP50Ms: batched.p50,
    batchedCallsPerBlock: batched.calls / batched.blocks,
    kvstorePerSecond: rate(rival),
    kvstoreHttpPerSecond: rate(kvstore.http),
    kvstoreWebSocketPerSecond: rate(kvstore.websocket),
    kvstoreP50Ms: rival.p50,
    latencyP50Ms: quantile(onus.latencies, 0.5),
    latencyP90Ms: quantile(onus.latencies, 0.9),
    latencyP99Ms: quantile(onus.latencies, 0.99),
    kvstoreLatencyP50Ms: quantile(kvstore.latencies, 0.5),
    kvstoreLatencyP99Ms: quantile(kvstore.latencies, 0.99),
    queriesPerSecond: rate(queries),
    queryP50Ms: queries.p50,
    nodePairMB: onus.pairBytes / 1e6,
    startSeconds: onus.startSeconds,
    signedCpuMicroseconds: 1e6 / perCpuSecond(signed),
    batchedCpuMicroseconds: 1e6 / perCpuSecond(batched),
    kvstoreCpuMicroseconds: 1e6 / perCpuSecond(rival),
    clientSignMicroseconds: signed.signMicroseconds,
    clientCores: signed.cpu.client,
    kvstoreClientCores: rival.cpu.client,
    noiseCores: signed.cpu.noise,
    kvstoreNoiseCores: rival.cpu.noise,
  }
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2
  return { median, least: sorted[0] ?? Number.NaN, greatest: sorted.at(-1) ?? Number.NaN }
}

function spreads<Name extends string>(
  names: readonly Name[],
  rows: readonly Record<Name, number>[],
): Record<Name, Spread> {
  const entries = names.map((name) => [name, spreadOf(rows.map((row) => row[name]))])
  return Object.fromEntries(entries) as Record<Name, Spread>
}

export function summarize(medium: Medium, nodes: number, rounds: readonly Round[]): MediumSummary {
  const loads = rounds.flatMap(({ onus, kvstore }) => [
    onus.signed,
    onus.batched,
    onus.queries,
    kvstore.http,
    kvstore.websocket,
  ])
  const figures = spreads(figureNames, rounds.map(figuresOf))
  return {
    medium,
    ratios: spreads(ratioNames, rounds.map(ratiosOf)),
    figures,
    failed: loads.reduce((sum, { failed }) => sum + failed, 0),
    firstFailure: loads.find(({ firstFailure }) => firstFailure !== null)?.firstFailure ?? null,
    ranOut: rounds.flatMap(({ onus }) => [onus.signed, onus.batched]).filter(({ ranOut }) => ranOut).length,
    isVoid: medium === 'tmpfs' && nodes === 4 && !(figures.kvstorePerSecond.median >= leastRivalPerSecond),
  }
}
