/**
 * What a node counts and shows to Prometheus (`docs/guides/gateway.md` lists it): requests by route and status, latency
 * from envelope to certificate, and the node's own measures, read when asked.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { Histogram, histogramText, metricText, type Sample } from './metrics.js'
import type { RateLimits } from './rateLimits.js'

/** The node's own measures at one moment. */
export interface NodeMeasures {
  readonly height: number
  readonly certifiedHeight: number
  /** Seconds since 1970 of the newest decided block. */
  readonly blockTime: number
  readonly state: string
  /** Envelopes that wait to be proposed, and different transactions that requests wait for. */
  readonly pool: number
  readonly waiting: number
  /** Transactions certified since the start. */
  readonly certifiedTransactions: number
  readonly links: number
  readonly dissents: number
  readonly votesSigned: number
  /** By code. */
  readonly votesRefused: Readonly<Record<string, number>>
  /** Calls under way by worker. */
  readonly workerQueues: Readonly<Record<string, number>>
}

/** Requests of one route by HTTP status. */
export interface RouteCount {
  readonly method: string
  readonly path: string
  /** Answers 200, apart from the others because these are the many. */
  good: number
  readonly others: Map<number, number>
}

export function countStatus(route: RouteCount, status: number): void {
  if (status === 200) route.good += 1
  else route.others.set(status, (route.others.get(status) ?? 0) + 1)
}

/** Upper bounds in seconds, from one block in memory to a cluster in trouble. */
const latencyBounds = [0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30]
const nanoseconds = 1e-9

export class GatewayMetrics {
  readonly certifyLatency: Histogram = new Histogram(latencyBounds)
  readonly #routes = new Map<string, RouteCount>()
  readonly #limits: RateLimits
  readonly #loopDelay: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 })
  /** Open event streams, and readers sent away because they were slow. */
  streams = 0
  slowReaders = 0
  /** Envelopes and questions for receipts that are not answered yet, by HTTP and call streams. */
  waitingRequests = 0

  constructor(limits: RateLimits) {
    this.#limits = limits
    this.#loopDelay.enable()
  }

  /** The counts of a route; the same ones for the same route. */
  route(method: string, path: string): RouteCount {
    const key = `${method} ${path}`
    const known = this.#routes.get(key)
    if (known !== undefined) return known
    const route = { method, path, good: 0, others: new Map<number, number>() }
    this.#routes.set(key, route)
    return route
  }

  close(): void {
    this.#loopDelay.disable()
  }

  /** The page for Prometheus. Event loop delays are those since the page before. */
  text(node: NodeMeasures): string {
    const page = [
      metricText('onus_height', 'gauge', 'Height of the newest decided block.', node.height),
      metricText('onus_certified_height', 'gauge', 'Height of the newest certificate.', node.certifiedHeight),
      metricText('onus_block_time_seconds', 'gauge', 'Time of the newest decided block.', node.blockTime),
      metricText('onus_state', 'gauge', '1 for the state that the node is in.', [
        { labels: { state: node.state }, value: 1 },
      ]),
      metricText('onus_pool_envelopes', 'gauge', 'Envelopes that wait to be proposed.', node.pool),
      metricText('onus_waiting_requests', 'gauge', 'Requests that wait for results.', this.waitingRequests),
      metricText('onus_waiting_transactions', 'gauge', 'Different transactions that they wait for.', node.waiting),
      metricText('onus_certified_transactions_total', 'counter', 'Transactions certified.', node.certifiedTransactions),
      metricText('onus_links_connected', 'gauge', 'Members that envelopes are passed on to.', node.links),
      metricText('onus_dissents', 'gauge', 'Decided blocks that this node finds wrong.', node.dissents),
      metricText('onus_votes_signed_total', 'counter', 'Votes and proposals signed.', node.votesSigned),
      metricText(
        'onus_votes_refused_total',
        'counter',
        'Requests to sign that were refused.',
        byLabel('code', node.votesRefused),
      ),
      metricText('onus_worker_queue', 'gauge', 'Calls to a worker under way.', byLabel('worker', node.workerQueues)),
      histogramText('onus_certify_seconds', 'From an envelope to its certified results.', this.certifyLatency),
      metricText('onus_http_requests_total', 'counter', 'Requests answered.', this.#requests()),
      metricText(
        'onus_rate_limited_total',
        'counter',
        'Requests refused by a rate.',
        byLabel('limit', this.#limits.refused),
      ),
      metricText('onus_event_streams', 'gauge', 'Open event streams.', this.streams),
      metricText('onus_event_streams_slow_total', 'counter', 'Readers of events sent away as slow.', this.slowReaders),
      ...this.#process(),
    ].join('')
    this.#loopDelay.reset()
    return page
  }

  #requests(): Sample[] {
    return [...this.#routes.values()].flatMap(({ method, path, good, others }) =>
      [[200, good] as const, ...others].map(([status, value]) => ({
        labels: { method, route: path, status: String(status) },
        value,
      })),
    )
  }

  #process(): string[] {
    const { rss, heapUsed, external } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    const delay = (value: number): number => (Number.isFinite(value) ? value * nanoseconds : 0)
    const quantiles = [0.5, 0.99].map((quantile) => ({
      labels: { quantile: String(quantile) },
      value: delay(this.#loopDelay.percentile(quantile * 100)),
    }))
    const largest = this.#loopDelay.count === 0 ? 0 : delay(this.#loopDelay.max)
    return [
      metricText('onus_event_loop_delay_seconds', 'gauge', 'Delay of the event loop since the last scrape.', [
        ...quantiles,
        { labels: { quantile: '1' }, value: largest },
      ]),
      metricText('process_resident_memory_bytes', 'gauge', 'Resident memory.', rss),
      metricText('nodejs_heap_used_bytes', 'gauge', 'Memory of the JavaScript heap of the event loop.', heapUsed),
      metricText('nodejs_external_memory_bytes', 'gauge', 'Memory beside the heap.', external),
      metricText('process_cpu_seconds_total', 'counter', 'CPU time of all threads.', (user + system) / 1e6),
      metricText('process_start_time_seconds', 'gauge', 'Start of the process.', performance.timeOrigin / 1000),
    ]
  }
}

function byLabel(name: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([label, value]) => ({ labels: { [name]: label }, value }))
}
