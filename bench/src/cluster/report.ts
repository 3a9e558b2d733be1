/** What a person reads: cost model, figures with their spread, ratios, and where the time goes. */
import { availableParallelism } from 'node:os'
import { outstandingTransactions } from '../kvstore/kvstoreRound.js'
import { envelopeBytes } from '../ledger/ledgerCalls.js'
import { batchSessions, callsPerBatch, singleSessions } from '../onus/onusRound.js'
import type { Profile } from '../profile/profileRun.js'
import type { ClusterOptions } from './options.js'
import { type FigureName, leastRivalPerSecond, type MediumSummary, type RatioName, type Spread } from './summary.js'

export function costModel({ nodes, rounds, seconds }: ClusterOptions): string {
  return [
    '',
    `Onus and CometBFT's kvstore, ${nodes} nodes each on one machine with ${availableParallelism()} cores; ${rounds} rounds of ${seconds} s.`,
    'Cost model: everything runs on the same cores, so throughput is CPU. One certified call costs, on every node, one',
    `signature recovery, one execution by the proposer and one by each other node, and ${envelopeBytes} bytes of block; on the node that`,
    'took it also HTTP and a receipt proof; in the client, signing before the window, and one receipt check within it.',
    'A block costs each node CometBFT, two signatures, hashing of the pages that it wrote. One kvstore transaction of the',
    'same bytes costs one RPC, gossip to all, and one ABCI call in the process; nobody signs, executes or proves it.',
    `Closed loops: ${singleSessions} sessions with one call each; ${batchSessions} sessions with one envelope of ${callsPerBatch} calls; kvstore ${outstandingTransactions} transactions.`,
    'A call counts when its certificate and receipt verified; a transaction when its block was announced.',
  ].join('\n')
}

function text(value: number): string {
  if (!Number.isFinite(value)) return 'none'
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

function spreadText({ median, least, greatest }: Spread, unit: string): string {
  return `${text(median).padStart(8)} ${unit.padEnd(10)} (${text(least)} to ${text(greatest)})`
}

const figureLines: readonly (readonly [FigureName, string, string])[] = [
  ['signedPerSecond', 'calls signed alone', '/s'],
  ['batchedPerSecond', '100 calls a signature', '/s'],
  ['kvstoreHttpPerSecond', 'kvstore over HTTP', '/s'],
  ['kvstoreWebSocketPerSecond', 'kvstore over WebSocket', '/s'],
  ['signedP50Ms', 'busy call to certificate, p50', 'ms'],
  ['signedP99Ms', 'busy call to certificate, p99', 'ms'],
  ['batchedP50Ms', 'busy envelope of 100 calls to certificate, p50', 'ms'],
  ['kvstoreP50Ms', 'busy kvstore commit, p50', 'ms'],
  ['signedCallsPerBlock', 'calls signed alone in a block', ''],
  ['batchedCallsPerBlock', 'batched calls in a block', ''],
  ['latencyP50Ms', 'call at rest, p50', 'ms'],
  ['latencyP90Ms', 'call at rest, p90', 'ms'],
  ['latencyP99Ms', 'call at rest, p99', 'ms'],
  ['kvstoreLatencyP50Ms', 'kvstore commit at rest, p50', 'ms'],
  ['kvstoreLatencyP99Ms', 'kvstore commit at rest, p99', 'ms'],
  ['queriesPerSecond', 'queries of one node', '/s'],
  ['queryP50Ms', 'query, p50', 'ms'],
  ['nodePairMB', 'memory of Node + CometBFT (PSS)', 'MB'],
  ['startSeconds', 'start to ready', 's'],
  ['signedCpuMicroseconds', 'CPU of a call signed alone, all processes', 'us'],
  ['batchedCpuMicroseconds', 'CPU of a batched call, all processes', 'us'],
  ['kvstoreCpuMicroseconds', 'CPU of a kvstore transaction, all processes', 'us'],
  ['clientSignMicroseconds', 'client: sign one call', 'us CPU'],
  ['clientCores', 'client: while calls signed alone', 'cores'],
  ['kvstoreClientCores', 'client: while the kvstore runs', 'cores'],
  ['noiseCores', 'noise while calls signed alone', 'cores'],
  ['kvstoreNoiseCores', 'noise while the kvstore runs', 'cores'],
]

const ratioLines: readonly (readonly [RatioName, string])[] = [
  ['signedThroughput', 'signedThroughput: calls signed alone / kvstore'],
  ['batchedThroughput', 'batchedThroughput: 100 calls a signature / kvstore'],
  ['latency', 'latency: call at rest p50 / kvstore commit p50'],
  ['signedPerCpuSecond', 'signedPerCpuSecond: the first, per CPU second used'],
]

export function summaryText(summary: MediumSummary): string {
  const { medium, figures, ratios, isVoid, failed, firstFailure, ranOut } = summary
  const rival = figures.kvstorePerSecond.median
  return [
    '',
    `On ${medium}: median of the rounds (least to greatest)`,
    ...figureLines.map(([name, label, unit]) => `  ${label.padEnd(50)} ${spreadText(figures[name], unit)}`),
    ...ratioLines.map(([name, label]) => `  ${label.padEnd(50)} ${spreadText(ratios[name], '')}`),
    `  failed: ${failed}${firstFailure === null ? '' : `, the first: ${firstFailure}`}`,
    ...(ranOut > 0 ? [`  ${ranOut} windows ended early: the calls signed for them were used up`] : []),
    ...(isVoid
      ? [
          `  VOID: the kvstore made ${text(rival)} tx/s, less than ${leastRivalPerSecond}. The machine was too busy or is too slow: nothing above counts.`,
        ]
      : []),
  ].join('\n')
}

function idleLines({ idle }: Profile): string[] {
  const total = idle.stages.reduce((sum, { mean }) => sum + mean, 0)
  return [
    `Where the time of a call at rest goes (${idle.matched} of ${idle.calls} calls, with the probe):`,
    ...idle.stages.map(
      ({ stage, p50, mean }) =>
        `  ${stage.padEnd(30)} p50 ${text(p50).padStart(6)} ms   mean ${text(mean).padStart(6)} ms ${((mean / total) * 100).toFixed(0).padStart(4)} %`,
    ),
    `  signing one vote, p50: ${text(idle.signVote)} ms; empty proposals before the one with the call: ${text(idle.emptyProposals)} a call`,
  ]
}

function cycleLines({ cycle }: Profile): string[] {
  const total = cycle.stages.reduce((sum, { mean }) => sum + mean, 0)
  return [
    `Where the time between blocks goes under load (${cycle.blocks} blocks, ${text(cycle.failedRounds)} failed rounds a block):`,
    ...cycle.stages.map(
      ({ stage, p50, mean }) =>
        `  ${stage.padEnd(30)} p50 ${text(p50).padStart(6)} ms   mean ${text(mean).padStart(6)} ms ${((mean / total) * 100).toFixed(0).padStart(4)} %`,
    ),
  ]
}

function busyLines({ busy, busyCpu, busyCallsPerSecond, busyCallsPerBlock }: Profile): string[] {
  const perCall = (cores: number): string => `${text((cores / busyCallsPerSecond) * 1e6)} us`
  const { nodes, nodeLoops, engines, client, noise } = busyCpu
  return [
    `Under load (${text(busyCallsPerSecond)} calls/s signed alone, ${text(busyCallsPerBlock)} in a block), each node, from call to result of:`,
    ...busy.map(
      ({ name, perSecond, p50, p99 }) =>
        `  ${name.padEnd(30)} ${text(perSecond).padStart(6)} /s   p50 ${text(p50).padStart(6)} ms   p99 ${text(p99).padStart(6)} ms`,
    ),
    `  CPU of a call, all nodes together: event loops ${perCall(nodeLoops)}, workers and compiler ${perCall(nodes - nodeLoops)}, CometBFT ${perCall(engines)}, client ${perCall(client)}; noise ${text(noise)} cores`,
  ]
}

export function profileText(profile: Profile): string {
  const { loopDelay, controlDelay } = profile
  return [
    '',
    ...idleLines(profile),
    '',
    ...cycleLines(profile),
    '',
    ...busyLines(profile),
    '',
    `Event loop delay under load, p99: worst node ${text(loopDelay)} ms, empty process ${text(controlDelay)} ms`,
    '',
  ].join('\n')
}
