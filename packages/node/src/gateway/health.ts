/**
 * What operators and their machines ask (`docs/guides/gateway.md`): is the process alive, should it get requests, and
 * what does it count. Asks only what is in memory.
 */
import type { GatewayMetrics, NodeMeasures } from './gatewayMetrics.js'
import { prometheusContentType } from './metrics.js'
import type { AddRoute } from './routeTable.js'

/** One condition of readiness; `detail` is for people. */
export interface ReadinessCheck {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

export interface NodeHealth {
  measures(): NodeMeasures
  readiness(): readonly ReadinessCheck[]
}

const jsonType = 'application/json; charset=utf-8'

export function addHealthRoutes(add: AddRoute, node: NodeHealth, metrics: GatewayMetrics): void {
  add('GET', '/healthz', async () => ({ json: { status: 'alive' } }))
  add('GET', '/readyz', async () => {
    const checks = node.readiness()
    const ready = checks.every(({ ok }) => ok)
    return { type: jsonType, text: JSON.stringify({ ready, checks }), status: ready ? 200 : 503 }
  })
  add('GET', '/metrics', async () => ({ type: prometheusContentType, text: metrics.text(node.measures()) }))
}

export interface ReadinessView {
  readonly state: string
  /** Heights of the newest certificate and of the newest decided block with content. */
  readonly certifiedHeight: number
  readonly contentHeight: number
  /** Milliseconds since the last decision here. */
  readonly sinceDecision: number
  readonly pool: number
  /** Members with this one, and those that envelopes reach, this one counted. */
  readonly members: number
  readonly reached: number
}

/** Envelopes wait, and no block came for so long: consensus stands. */
const longestWait = 30_000
/** Certificates follow their blocks within milliseconds. */
const longestUncertified = 10_000

export function readinessOf(view: ReadinessView): ReadinessCheck[] {
  const { state, certifiedHeight, contentHeight, sinceDecision, pool, members, reached } = view
  const isUncertified = certifiedHeight < contentHeight
  const isStuck = pool > 0 && sinceDecision > longestWait
  const isLate = isUncertified && sinceDecision > longestUncertified
  const seconds = (sinceDecision / 1000).toFixed(1)
  return [
    { name: 'validating', ok: state === 'validating', detail: `the node is ${state}` },
    {
      name: 'fresh',
      ok: !isStuck && !isLate,
      detail: isUncertified
        ? `block ${contentHeight} is decided since ${seconds} s and not certified`
        : `certified to ${certifiedHeight}, ${pool} envelopes wait, last decision ${seconds} s ago`,
    },
    {
      name: 'links',
      // What a quorum needs: with fewer the others do not hear of what this node takes.
      ok: reached * 3 > members * 2,
      detail: `envelopes reach ${reached} of ${members} members`,
    },
  ]
}
