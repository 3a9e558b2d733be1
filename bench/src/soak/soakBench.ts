/** `npm run bench -- soak`: one cluster under steady load, a line a minute, then the slope. Nothing passes or fails. */
import { startOnusCluster } from '../onus/onusCluster.js'
import { checkLedger, startOnusLoad } from '../onus/onusRound.js'
import { programs } from '../programs.js'
import { checkMedia, withFolder } from '../system/media.js'
import { createProgress } from '../system/progress.js'
import { parseSoakOptions, type SoakOptions, soakHelp } from './options.js'

/** Before it V8 still compiles and heaps find their size. */
const settledMinutes = 5
const windowSeconds = 20
const million = 1_000_000

interface Sample {
  /** Minutes since the load began. */
  readonly minute: number
  /** Of each node with its CometBFT. */
  readonly bytes: readonly number[]
}

/** Slope of the least-squares line through points. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)]
  const above = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0)
  return above / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0)
}

export interface SoakResult {
  readonly calls: number
  readonly failed: number
  readonly seconds: number
  readonly samples: readonly Sample[]
}

/** MB a minute of the node whose memory grows most. */
function worstSlope(samples: readonly Sample[]): number {
  const settled = samples.filter(({ minute }) => minute >= settledMinutes)
  const nodes = settled[0]?.bytes.map((_, node) => node) ?? []
  return Math.max(
    ...nodes.map((node) => slopeOf(settled.map(({ minute, bytes }) => [minute, (bytes[node] as number) / million]))),
  )
}

async function soak(options: SoakOptions, folder: string, say: (text: string) => void): Promise<SoakResult> {
  const built = await programs({ update: say, done: say })
  const cluster = await startOnusCluster({ folder, nodes: 4, ...built })
  const load = startOnusLoad()
  try {
    const { localnet, watched } = cluster
    const { genesisBytes: genesis, gatewayUrls } = localnet
    await load.call('open', { genesis, gatewayUrls, sessions: options.sessions })
    const samples: Sample[] = []
    const startedAt = performance.now()
    const minutes = (): number => (performance.now() - startedAt) / 60_000
    let calls = 0
    let failed = 0
    while (minutes() < options.minutes) {
      const window = {
        sessions: options.sessions,
        callsPerEnvelope: 1,
        warmSeconds: 1,
        seconds: windowSeconds,
        watched,
      }
      const result = await load.call('run', window)
      calls += result.calls
      failed += result.failed
      cluster.check()
      const sample = { minute: minutes(), bytes: cluster.memory() }
      samples.push(sample)
      const sizes = sample.bytes.map((bytes) => (bytes / million).toFixed(0)).join(' ')
      say(
        `minute ${sample.minute.toFixed(1)}: ${(result.calls / result.seconds).toFixed(0)} calls/s, MB of the nodes: ${sizes}`,
      )
    }
    await checkLedger(load)
    return { calls, failed, seconds: samples.length * windowSeconds, samples }
  } finally {
    await load.stop()
    await cluster.stop()
  }
}

/** Exit code. Rejects `usage`, `no-tmpfs`, `no-go`, and what ends a cluster. */
export async function soakBench(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(soakHelp)
    return 0
  }
  const options = parseSoakOptions(args)
  await checkMedia(['tmpfs'])
  const progress = createProgress()
  const result = await withFolder('tmpfs', (folder) => soak(options, folder, (text) => progress.update(text)))
  const slope = worstSlope(result.samples)
  const last = Math.max(...(result.samples.at(-1)?.bytes ?? [])) / million
  const rate = result.calls / result.seconds
  process.stdout.write(
    `${result.calls} calls certified in windows (${rate.toFixed(0)}/s), ${result.failed} failed\n` +
      `largest node with its CometBFT at the end ${last.toFixed(0)} MB; the one that grows most ${slope.toFixed(2)} MB a minute after minute ${settledMinutes}\n`,
  )
  const number = (value: number): number | null => (Number.isFinite(value) ? Number(value.toPrecision(4)) : null)
  const figures = {
    memorySlopeMBPerMinute: number(slope),
    nodePairMB: number(last),
    callsPerSecond: number(rate),
    failed: result.failed,
    minutes: options.minutes,
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ name: 'soak', ratios: {}, figures })}\n`)
  return 0
}
