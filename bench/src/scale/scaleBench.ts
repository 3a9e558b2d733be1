/** `npm run bench -- scale`: one cluster of each size, one after the other, then a table. Nothing passes or fails. */
import { programs } from '../programs.js'
import { checkMedia, withFolder } from '../system/media.js'
import { createProgress } from '../system/progress.js'
import { parseScaleOptions, scaleHelp } from './options.js'
import { runScaleRound, type ScaleRound } from './scaleRound.js'

const columns: readonly [title: string, value: (round: ScaleRound) => string][] = [
  ['nodes', ({ nodes }) => String(nodes)],
  ['start s', ({ startSeconds }) => startSeconds.toFixed(1)],
  ['failed', ({ failed }) => String(failed)],
  ['calls/s', ({ callsPerSecond }) => callsPerSecond.toFixed(0)],
  ['p50 ms', ({ p50 }) => p50.toFixed(0)],
  ['p99 ms', ({ p99 }) => p99.toFixed(0)],
  ['single p50 ms', ({ idleP50 }) => idleP50.toFixed(0)],
  ['blocks', ({ blocks }) => String(blocks)],
  ['MB in all', ({ megabytes }) => megabytes.toFixed(0)],
]

function table(rounds: readonly ScaleRound[]): string {
  const rows = [columns.map(([title]) => title), ...rounds.map((round) => columns.map(([, value]) => value(round)))]
  return rows.map((row) => row.map((cell) => cell.padStart(14)).join('')).join('\n')
}

function jsonLine(rounds: readonly ScaleRound[]): string {
  const number = (value: number): number | null => (Number.isFinite(value) ? Number(value.toPrecision(4)) : null)
  const first = rounds[0]
  const ratios = rounds
    .slice(1)
    .map((round) => [`latency${round.nodes}`, number(round.p50 / (first?.p50 ?? Number.NaN))])
  const figures = rounds.flatMap((round) => [
    [`failed${round.nodes}`, round.failed],
    [`callsPerSecond${round.nodes}`, number(round.callsPerSecond)],
    [`p50Ms${round.nodes}`, number(round.p50)],
    [`p99Ms${round.nodes}`, number(round.p99)],
    [`singleP50Ms${round.nodes}`, number(round.idleP50)],
    [`startSeconds${round.nodes}`, number(round.startSeconds)],
    [`totalMB${round.nodes}`, number(round.megabytes)],
  ])
  return JSON.stringify({ name: 'scale', ratios: Object.fromEntries(ratios), figures: Object.fromEntries(figures) })
}

/** Exit code. Rejects `usage`, `no-tmpfs`, `no-go`, and what ends a cluster. */
export async function scaleBench(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(scaleHelp)
    return 0
  }
  const options = parseScaleOptions(args)
  await checkMedia(['tmpfs'])
  const progress = createProgress()
  const { module, cometbft } = await programs(progress)
  const rounds: ScaleRound[] = []
  for (const nodes of options.nodes) {
    const say = (text: string): void => progress.update(`${nodes} nodes: ${text}`)
    rounds.push(await withFolder('tmpfs', (folder) => runScaleRound({ folder, nodes, module, cometbft }, options, say)))
    progress.done(`${nodes} nodes`)
  }
  process.stdout.write(`${table(rounds)}\n`)
  if (options.json) process.stdout.write(`${jsonLine(rounds)}\n`)
  return 0
}
