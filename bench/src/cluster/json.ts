/** The last line of `--json`: `{name, ratios, figures}` and what judges them. Names of the disk end in `Disk`. */
import type { Profile } from '../profile/profileRun.js'
import type { ClusterOptions } from './options.js'
import type { MediumSummary, Spread } from './summary.js'

/** Four significant digits; JSON has no NaN. */
function number(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : null
}

function named(
  summaries: readonly MediumSummary[],
  part: (summary: MediumSummary) => Readonly<Record<string, Spread>>,
  value: (spread: Spread) => unknown,
): Record<string, unknown> {
  const entries = summaries.flatMap((summary) =>
    Object.entries(part(summary)).map(([name, spread]) => [
      summary.medium === 'disk' ? `${name}Disk` : name,
      value(spread),
    ]),
  )
  return Object.fromEntries(entries)
}

function profileJson(profile: Profile): Record<string, unknown> {
  const { idle, cycle, busy } = profile
  return {
    idleStagesMs: Object.fromEntries(idle.stages.map(({ stage, p50 }) => [stage, number(p50)])),
    idleSignVoteMs: number(idle.signVote),
    idleEmptyProposals: number(idle.emptyProposals),
    busyBlockMs: Object.fromEntries(cycle.stages.map(({ stage, p50 }) => [stage, number(p50)])),
    busyFailedRounds: number(cycle.failedRounds),
    busySpans: Object.fromEntries(
      busy.map(({ name, perSecond, p50, p99 }) => [
        name,
        { perSecond: number(perSecond), p50Ms: number(p50), p99Ms: number(p99) },
      ]),
    ),
  }
}

export function jsonLine(options: ClusterOptions, summaries: readonly MediumSummary[], profile: Profile): string {
  const range = ({ least, greatest }: Spread): unknown => [number(least), number(greatest)]
  const median = (spread: Spread): unknown => number(spread.median)
  return JSON.stringify({
    name: 'cluster',
    ratios: named(summaries, ({ ratios }) => ratios, median),
    figures: {
      ...named(summaries, ({ figures }) => figures, median),
      eventLoopDelayMs: number(profile.loopDelay - profile.controlDelay),
    },
    void: summaries.some(({ isVoid }) => isVoid),
    failed: summaries.reduce((sum, { failed }) => sum + failed, 0),
    rounds: options.rounds,
    seconds: options.seconds,
    nodes: options.nodes,
    spread: {
      ratios: named(summaries, ({ ratios }) => ratios, range),
      figures: named(summaries, ({ figures }) => figures, range),
    },
    profile: profileJson(profile),
  })
}
