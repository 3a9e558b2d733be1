/**
 * Where the time of one call goes at rest: the way of a call cut into stages that follow each other without a gap, from
 * the spans of all nodes. Calls come one at a time, so what lies within a call's time belongs to it.
 */
import { quantile } from '../load/quantile.js'
import type { IdleCall } from '../onus/loadMethods.js'
import type { ProbeReport, Span } from './probeReport.js'

/** In the order of the way; each ends where the next begins. */
export const stageNames = [
  'client: encode, sign, batch',
  'request to gateway',
  'gateway check',
  'signature worker',
  'submit to pool',
  'wake to proposal',
  'propose (execute, seal)',
  'proposal to this node',
  'process (execute, compare)',
  'votes',
  'finalize',
  'commit fetch',
  'certificate, answer',
  'answer to client',
  'client: verify',
] as const
export type StageName = (typeof stageNames)[number]

export interface StageTime {
  readonly stage: StageName
  /** Milliseconds. */
  readonly p50: number
  readonly mean: number
}

export interface IdleProfile {
  readonly stages: readonly StageTime[]
  /** Calls whose whole way was seen, and all calls. */
  readonly matched: number
  readonly calls: number
  /** Proposals without content that came before the one with the call, per call. */
  readonly emptyProposals: number
  /** Milliseconds, p50, of signing one vote: twice in `votes`, by each node, with the guard against double signing. */
  readonly signVote: number
}

function within(report: ProbeReport, from: number, to: number): Span[] {
  return report.spans.filter(({ start }) => start >= from && start <= to)
}

function first(spans: readonly Span[], name: string, fits: (span: Span) => boolean = () => true): Span | undefined {
  return spans.find((span) => span.name === name && fits(span))
}

/** Ends of all stages but the last of one call, in order; null where a span is missing. */
function boundaries(call: IdleCall, reports: readonly ProbeReport[]): number[] | null {
  const all = reports.map((report) => within(report, call.sent - 1, call.answered).sort((a, b) => a.start - b.start))
  const taker = all.find((spans) => first(spans, 'gateway') !== undefined)
  if (taker === undefined) return null
  const gateway = first(taker, 'gateway')
  const recover = first(taker, 'worker recover')
  const submit = first(taker, 'worker submit')
  const finalize = first(taker, 'finalizeBlock', ({ hasContent }) => hasContent)
  const isOfBlock = (span: Span): boolean => span.hasContent && span.height === finalize?.height
  const process = first(taker, 'processProposal', isOfBlock)
  const proposals = all.flatMap((spans) => spans.filter((span) => span.name === 'prepareProposal' && isOfBlock(span)))
  const propose = proposals.filter(({ end }) => process !== undefined && end <= process.start).at(-1)
  const fetches = taker.filter(({ name, height }) => name === 'fetch commit' && height === finalize?.height)
  const [fetch, fetched] = [fetches[0], fetches.at(-1)]
  if (!gateway || !recover || !submit || !finalize || !process || !propose || !fetch || !fetched) return null
  return [
    call.sent,
    gateway.start,
    recover.start,
    recover.end,
    submit.end,
    propose.start,
    propose.end,
    process.start,
    process.end,
    finalize.start,
    fetch.start,
    fetched.end,
    gateway.end,
    call.answered,
  ]
}

function emptyProposalsOf(call: IdleCall, reports: readonly ProbeReport[]): number {
  return reports
    .flatMap((report) => within(report, call.sent, call.answered))
    .filter(({ name, hasContent }) => name === 'prepareProposal' && !hasContent).length
}

function signTimes(call: IdleCall, reports: readonly ProbeReport[]): number[] {
  return reports
    .flatMap((report) => within(report, call.sent, call.answered))
    .flatMap(({ name, start, end }) => (name === 'sign vote' ? [end - start] : []))
}

export function profileIdleCalls(calls: readonly IdleCall[], reports: readonly ProbeReport[]): IdleProfile {
  const rows = calls.flatMap((call) => {
    const ends = boundaries(call, reports)
    if (ends === null) return []
    const points = [call.issued, ...ends, call.verified]
    return [stageNames.map((_, index) => (points[index + 1] as number) - (points[index] as number))]
  })
  const empty = calls.reduce((sum, call) => sum + emptyProposalsOf(call, reports), 0)
  return {
    stages: stageNames.map((stage, index) => {
      const times = rows.map((row) => row[index] as number)
      return { stage, p50: quantile(times, 0.5), mean: times.reduce((sum, one) => sum + one, 0) / times.length }
    }),
    matched: rows.length,
    calls: calls.length,
    emptyProposals: empty / calls.length,
    signVote: quantile(
      calls.flatMap((call) => signTimes(call, reports)),
      0.5,
    ),
  }
}

/** A timed method under load. */
export interface BusySpan {
  readonly name: string
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** The spans of all nodes that began within a window, by name; most time first. */
export function profileBusy(reports: readonly ProbeReport[], from: number, to: number): BusySpan[] {
  const byName = new Map<string, number[]>()
  for (const report of reports)
    for (const { name, start, end } of within(report, from, to)) {
      const times = byName.get(name)
      if (times === undefined) byName.set(name, [end - start])
      else times.push(end - start)
    }
  const seconds = (to - from) / 1000
  const total = (times: readonly number[]): number => times.reduce((sum, one) => sum + one, 0)
  return [...byName]
    .sort(([, a], [, b]) => total(b) - total(a))
    .map(([name, times]) => ({
      name,
      perSecond: times.length / reports.length / seconds,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
    }))
}
