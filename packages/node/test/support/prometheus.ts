/** A strict reader of Prometheus' text format 0.0.4 (prometheus.io, Exposition formats): anything that is not it fails. */
import assert from 'node:assert/strict'

export interface Metrics {
  readonly names: readonly string[]
  /** The value of one series; fails where there is none. */
  value(name: string, labels: Readonly<Record<string, string>>): number
}

const sampleForm = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const labelForm = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y
const suffixes = ['_bucket', '_sum', '_count']

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  labelForm.lastIndex = 0
  while (labelForm.lastIndex < text.length) {
    const found = labelForm.exec(text)
    assert.ok(found !== null, `labels ${text}`)
    const [, name = '', value = ''] = found
    assert.ok(!(name in labels), `label ${name} twice`)
    labels[name] = value
  }
  return labels
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  const value = Number(text)
  assert.ok(text !== '' && Number.isFinite(value), `value ${text}`)
  return value
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`
}

interface Histogram {
  last: number
  bound: number
  count: number | null
}

export function parseMetrics(text: string): Metrics {
  assert.ok(text.endsWith('\n'), 'the last line ends')
  const types = new Map<string, string>()
  const values = new Map<string, number>()
  const histograms = new Map<string, Histogram>()
  let family = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
    if (help !== null) {
      family = help[1] as string
      assert.ok(!types.has(family), `${family} twice`)
      continue
    }
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line)
    if (type !== null) {
      assert.equal(type[1], family, 'TYPE follows its HELP')
      types.set(family, type[2] as string)
      assert.equal(
        type[2] === 'counter',
        family.endsWith('_total'),
        `a counter ends in _total, nothing else: ${family}`,
      )
      continue
    }
    const [, name = '', labelText = '', number = ''] =
      sampleForm.exec(line) ?? assert.fail(`line ${JSON.stringify(line)}`)
    const kind = types.get(family)
    const base = kind === 'histogram' ? suffixes.map((suffix) => family + suffix) : [family]
    assert.ok(base.includes(name), `${name} stands under ${family}`)
    const labels = labelsOf(labelText)
    const value = numberOf(number)
    assert.ok(kind === 'gauge' || value >= 0, `${name} is not negative`)
    assert.ok(!values.has(keyOf(name, labels)), `${line} twice`)
    values.set(keyOf(name, labels), value)
    if (kind === 'histogram') countHistogram(histograms, family, name, labels, value)
  }
  for (const [name, { bound, last, count }] of histograms) {
    assert.equal(bound, Number.POSITIVE_INFINITY, `${name} ends with +Inf`)
    assert.equal(last, count, `${name} counts what is in its last bucket`)
  }
  return {
    names: [...types.keys()],
    value: (name, labels) => {
      const found = values.get(keyOf(name, labels))
      assert.ok(found !== undefined, `no ${name} ${JSON.stringify(labels)}`)
      return found
    },
  }
}

function countHistogram(
  histograms: Map<string, Histogram>,
  family: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  value: number,
): void {
  const known = histograms.get(family) ?? { last: 0, bound: Number.NEGATIVE_INFINITY, count: null }
  histograms.set(family, known)
  if (name.endsWith('_count')) known.count = value
  if (!name.endsWith('_bucket')) return
  const bound = numberOf(labels['le'] ?? '')
  assert.ok(bound > known.bound && value >= known.last, `${name} grows`)
  known.bound = bound
  known.last = value
}
