/**
 * Prometheus' text format 0.0.4 and a histogram with fixed bounds. Our own and not prom-client's: a counter of the hot
 * path is one addition to a field, not a lookup of labels (`docs/adr/0009-gateway-limits-and-metrics.md`).
 */

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** Counts of seconds by upper bounds, and their sum. */
export class Histogram {
  readonly bounds: readonly number[]
  readonly #counts: Float64Array
  sum = 0

  /** `bounds` in ascending order, without infinity. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(seconds: number): void {
    let place = 0
    while (place < this.bounds.length && seconds > (this.bounds[place] as number)) place++
    this.#counts[place] = (this.#counts[place] as number) + 1
    this.sum += seconds
  }

  /** How many were at most each bound; the last of all. */
  cumulative(): number[] {
    let total = 0
    return Array.from(this.#counts, (count) => {
      total += count
      return total
    })
  }
}

export type Labels = Readonly<Record<string, string>>

/** A value of a metric; `labels` tell the series of one metric apart. */
export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (character) => escapes[character] ?? '')}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function head(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
}

/** One metric with its samples, a line each. `help` has no line breaks. */
export function metricText(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  samples: readonly Sample[] | number,
): string {
  const list = typeof samples === 'number' ? [{ value: samples }] : samples
  return (
    head(name, type, help) + list.map(({ labels, value }) => `${name}${labelText(labels ?? {})} ${value}\n`).join('')
  )
}

export function histogramText(name: string, help: string, histogram: Histogram): string {
  const counts = histogram.cumulative()
  const buckets = counts.map((count, place) => {
    const bound = histogram.bounds[place]
    return `${name}_bucket{le="${bound ?? '+Inf'}"} ${count}\n`
  })
  const total = counts[counts.length - 1] ?? 0
  return `${head(name, 'histogram', help)}${buckets.join('')}${name}_sum ${histogram.sum}\n${name}_count ${total}\n`
}
