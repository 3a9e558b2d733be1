/**
 * Where the time between blocks goes under load, from the spans of all nodes: each height from its proposal to the next
 * one's. Points in time are those of the median node, for a block waits for more than two thirds and not for the last.
 */
import { quantile } from '../load/quantile.js'
import type { ProbeReport, Span } from './probeReport.js'

export const cycleNames = [
  'propose (execute, seal)',
  'proposal to the median node',
  'process (execute, compare)',
  'votes',
  'finalize and commit',
  'until the next proposal',
] as const

export interface BlockCycle {
  /** Milliseconds, in the order of `cycleNames`. */
  readonly stages: readonly { readonly stage: string; readonly p50: number; readonly mean: number }[]
  readonly blocks: number
  /** Proposals beyond the first, per block: rounds that failed. */
  readonly failedRounds: number
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

function byHeight(spans: readonly Span[], name: string): Map<number, Span[]> {
  const heights = new Map<number, Span[]>()
  for (const span of spans) {
    if (span.name !== name) continue
    const list = heights.get(span.height)
    if (list === undefined) heights.set(span.height, [span])
    else list.push(span)
  }
  return heights
}

const starts = (spans: readonly Span[]): number[] => spans.map(({ start }) => start)
const ends = (spans: readonly Span[]): number[] => spans.map(({ end }) => end)

export function profileBlocks(reports: readonly ProbeReport[], from: number, to: number): BlockCycle {
  const spans = reports
    .flatMap((report) => report.spans)
    .filter(({ start }) => start >= from && start <= to)
    .sort((a, b) => a.start - b.start)
  const prepares = byHeight(spans, 'prepareProposal')
  const processes = byHeight(spans, 'processProposal')
  const finalizes = byHeight(spans, 'finalizeBlock')
  const rows: number[][] = []
  let proposals = 0
  for (const [height, finalized] of finalizes) {
    const prepared = prepares.get(height) ?? []
    const proposal = prepared.at(-1)
    const next = prepares.get(height + 1)?.[0]
    if (proposal === undefined || next === undefined || !proposal.hasContent) continue
    // Only of the round that was decided: earlier ones ended before its proposal began.
    const judged = (processes.get(height) ?? []).filter(({ start }) => start >= proposal.end)
    if (judged.length === 0) continue
    proposals += prepared.length
    const points = [
      proposal.start,
      proposal.end,
      median(starts(judged)),
      median(ends(judged)),
      median(starts(finalized)),
      median(ends(finalized)),
      next.start,
    ]
    rows.push(cycleNames.map((_, index) => (points[index + 1] as number) - (points[index] as number)))
  }
  return {
    stages: cycleNames.map((stage, index) => {
      const times = rows.map((row) => row[index] as number)
      return { stage, p50: median(times), mean: times.reduce((sum, one) => sum + one, 0) / times.length }
    }),
    blocks: rows.length,
    failedRounds: proposals / rows.length - 1,
  }
}
