/** Rates, origins, back-pressure and settings of a gateway, and what its log writes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addressKey, isLoopback } from '@onus/node/gateway/addressKey'
import { sessionOfEnvelope, takeWithin } from '@onus/node/gateway/callLimit'
import type { NodeMeasures } from '@onus/node/gateway/gatewayMetrics'
import { readinessOf } from '@onus/node/gateway/health'
import { LaterError } from '@onus/node/gateway/laterError'
import { Histogram, histogramText, metricText } from '@onus/node/gateway/metrics'
import { RateLimits } from '@onus/node/gateway/rateLimits'
import { defaultSettings, gatewaySettings, logSettings } from '@onus/node/gateway/settings'
import { Throughput } from '@onus/node/gateway/throughput'
import { TokenBuckets } from '@onus/node/gateway/tokenBuckets'
import { trapHint } from '@onus/node/gateway/trapHint'
import { createLog } from '@onus/node/log'
import { OnusError } from '@onus/protocol/errors'
import { encodeQueryAnswer } from '@onus/protocol/gatewayMessages'
import fc from 'fast-check'
import { parseMetrics } from './support/prometheus.js'
import { rejectionOf } from './support/rejection.js'
import { cluster, withGateway } from './support/stubGateway.js'
import { openSession, sendCalls } from './support/testNode.js'

describe('token buckets', () => {
  test('never give more than the burst and the rate, whatever is asked when', () => {
    const rate = { perSecond: 10, burst: 25 }
    const asks = fc.array(fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 1, max: 25 })), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(asks, (list) => {
        const buckets = new TokenBuckets(rate, 10)
        let now = 1000
        let given = 0
        for (const [pause, cost] of list) {
          now += pause
          const wait = buckets.take('a', cost, now)
          if (wait === 0) given += cost
          else assert.equal(buckets.take('a', cost, now + wait), 0, 'the time that was told is enough')
          if (wait > 0) {
            now += wait
            given += cost
          }
          assert.ok(given <= rate.burst + ((now - 1000) / 1000) * rate.perSecond + 1e-6)
        }
      }),
      { seed: 3, numRuns: 300 },
    )
  })

  test('keys do not share, and there are never more than so many', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 100)
    for (let i = 0; i < 1000; i++) assert.equal(buckets.take(`key ${i}`, 1, 0), 0)
    assert.ok(buckets.size <= 100)
    assert.equal(buckets.take('key 999', 1, 0), 1000)
    assert.equal(buckets.take('key 999', 1, 1000), 0)
  })

  test('a flood of keys costs little for each, however few buckets are full, and washes no debt away', () => {
    const keys = 100_000
    const buckets = new TokenBuckets({ perSecond: 1, burst: 2 }, keys)
    buckets.charge('debtor', 4, 0)
    // A key each 10 us, full again after a second: with as many as there may be, one becomes full for each new one.
    const now = (key: number): number => key / 100
    for (let i = 0; i < keys; i++) buckets.charge(`key ${i}`, 1, now(i))
    const before = process.cpuUsage()
    for (let i = keys; i < 3 * keys; i++) buckets.charge(`key ${i}`, 1, now(i))
    const { user } = process.cpuUsage(before)
    assert.ok(user < 4e6, `${user} us for ${2 * keys} new keys`)
    assert.ok(buckets.size <= keys)
    assert.ok(buckets.size > keys / 2, `${buckets.size} are held`)
    assert.ok(buckets.level('debtor', now(3 * keys)) < 2)
    // The newest, of which none is full.
    for (let i = keys; i < 3 * keys; i++) buckets.charge(`other ${i}`, 1, now(3 * keys))
    assert.equal(buckets.size, keys)
  })

  test('a debt is at most a bucket and is paid before more is given', () => {
    const buckets = new TokenBuckets({ perSecond: 10, burst: 20 }, 10)
    buckets.charge('a', 1000, 0)
    assert.equal(buckets.level('a', 0), -20)
    assert.equal(buckets.take('a', 1, 0), 2100)
    assert.equal(buckets.take('a', 1, 2100), 0)
  })
})

test('an address counts as one user', () => {
  for (const [address, key] of [
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:DB8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ] as const)
    assert.equal(addressKey(address), key)
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) assert.equal(isLoopback(address), true)
  for (const address of ['10.0.0.127', '::2', '1127.0.0.1']) assert.equal(isLoopback(address), false)
})

describe('rate of a session', () => {
  const rates = { key: { perSecond: 10, burst: 20 }, address: null }

  test('is charged for what is taken, and for nothing else', async () => {
    const limits = new RateLimits(rates)
    const { bytes } = sendCalls(cluster, 7, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.deepEqual(sessionOfEnvelope(bytes), { session: '7.0', calls: 10 })
    const refuse = (): Promise<boolean> => Promise.reject(new OnusError('signature-wrong', 'no'))
    for (let i = 0; i < 50; i++) await assert.rejects(takeWithin(limits, bytes, refuse), { code: 'signature-wrong' })
    const take = (): Promise<boolean> => Promise.resolve(true)
    await takeWithin(limits, bytes, take)
    // What the pool holds already costs as much as one call.
    for (let i = 0; i < 2; i++) await takeWithin(limits, bytes, () => Promise.resolve(false))
    await takeWithin(limits, bytes, take)
    await assert.rejects(takeWithin(limits, bytes, take), (error) => {
      assert.ok(error instanceof LaterError && error.code === 'rate-limited')
      assert.ok(error.retryAfter > 0 && error.retryAfter <= 300)
      return true
    })
    await takeWithin(limits, sendCalls(cluster, 8, [0]).bytes, take)
    assert.deepEqual(limits.refused, { key: 1, address: 0 })
    const opening = openSession(cluster, 7).bytes
    assert.equal(sessionOfEnvelope(opening), null)
    await takeWithin(limits, opening, take)
  })
})

describe('over HTTP', { timeout: 30_000 }, () => {
  const answer = encodeQueryAnswer({ height: 1, trapped: false, output: new Uint8Array(8) })
  const query = async (): Promise<Uint8Array> => answer
  const rates = { key: null, address: { perSecond: 1, burst: 3 } }
  const measures: NodeMeasures = {
    height: 1,
    certifiedHeight: 1,
    blockTime: 1,
    state: 'validating',
    pool: 0,
    waiting: 1,
    certifiedTransactions: 0,
    links: 3,
    dissents: 0,
    votesSigned: 0,
    votesRefused: {},
    workerQueues: {},
  }
  const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address })
  const ask = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/v1/queries/total`, { headers })

  test('an address behind the proxy has its rate, and is told when to come back', () =>
    withGateway({ rates, trustedProxies: 1 }, { query }, async ({ url, metrics }) => {
      for (let i = 0; i < 3; i++) assert.equal((await ask(url, from('6.6.6.6, 9.9.9.9'))).status, 200)
      // The entry that the proxy wrote counts, not what the client wrote before it.
      const refused = await ask(url, from('7.7.7.7, 9.9.9.9'))
      const { error } = (await refused.json()) as { error: { code: string } }
      assert.deepEqual([refused.status, error.code, refused.headers.get('retry-after')], [429, 'rate-limited', '1'])
      assert.equal(refused.headers.get('ratelimit-policy'), '"address";q=3;w=3')
      assert.equal(refused.headers.get('ratelimit'), '"address";r=0;t=1')
      assert.equal((await ask(url, from('9.9.9.8'))).status, 200)
      assert.ok(metrics.route('GET', '/v1/queries/:name').others.get(429) === 1)
    }))

  test('without a proxy the header is nothing, and the machine itself has no rate', () =>
    withGateway({ rates }, { query }, async ({ url }) => {
      for (let i = 0; i < 10; i++) assert.equal((await ask(url, from('9.9.9.9'))).status, 200)
    }))

  test('malformed envelopes use up an address, good ones do not', () => {
    const submit = async (bytes: Uint8Array): Promise<Uint8Array> => {
      if (bytes.length === 1) return answer
      throw new OnusError('signature-wrong', 'no')
    }
    return withGateway({ rates, trustedProxies: 1 }, { submit }, async ({ url }) => {
      const post = async (length: number): Promise<number> => {
        const headers = { 'content-type': 'application/octet-stream', ...from('9.9.9.9') }
        const response = await fetch(`${url}/v1/envelopes`, { method: 'POST', headers, body: Buffer.alloc(length) })
        await response.arrayBuffer()
        return response.status
      }
      for (let i = 0; i < 10; i++) assert.equal(await post(1), 200)
      for (let i = 0; i < 3; i++) assert.equal(await post(2), 401)
      assert.equal(await post(1), 429)
    })
  })

  test('back-pressure tells how long what waits will take', () => {
    const submit = async (): Promise<never> => {
      throw new OnusError('busy', 'full')
    }
    return withGateway({}, { submit }, async ({ url }) => {
      const headers = { 'content-type': 'application/octet-stream' }
      const response = await fetch(`${url}/v1/envelopes`, { method: 'POST', headers, body: 'x' })
      assert.deepEqual([response.status, response.headers.get('retry-after')], [429, '8'])
    })
  })

  test('a body of another type is refused with the types that are taken', () =>
    withGateway({}, {}, async ({ url }) => {
      const types = [{}, { 'content-type': 'application/x-www-form-urlencoded' }, { 'content-type': 'text/plain' }]
      for (const headers of types)
        for (const path of ['/v1/envelopes', '/v1/queries/total']) {
          // A buffer goes without a type of its own.
          const response = await fetch(url + path, { method: 'POST', headers, body: Buffer.from('[]') })
          const { error } = (await response.json()) as { error: { code: string; remedy?: string } }
          assert.deepEqual([response.status, error.code], [415, 'http'])
          for (const type of ['application/json', 'application/octet-stream']) assert.ok(error.remedy?.includes(type))
        }
    }))

  test('requests that wait are counted, also for the same transaction', async () => {
    let finish: (bytes: Uint8Array) => void = () => undefined
    const certified = new Promise<Uint8Array>((resolve) => {
      finish = resolve
    })
    const submit = (): Promise<Uint8Array> => certified
    await withGateway({}, { submit }, async ({ url, metrics }) => {
      const headers = { 'content-type': 'application/octet-stream' }
      const post = (): Promise<Response> => fetch(`${url}/v1/envelopes`, { method: 'POST', headers, body: 'x' })
      const waiting = Array.from({ length: 20 }, post)
      for (let wait = 0; metrics.waitingRequests < 20 && wait < 500; wait++)
        await new Promise((resolve) => setTimeout(resolve, 5))
      assert.equal(parseMetrics(metrics.text(measures)).value('onus_waiting_requests', {}), 20)
      assert.equal(parseMetrics(metrics.text(measures)).value('onus_waiting_transactions', {}), 1)
      finish(answer)
      for (const response of await Promise.all(waiting)) assert.equal(response.status, 200)
      assert.equal(parseMetrics(metrics.text(measures)).value('onus_waiting_requests', {}), 0)
    })
  })

  test('only pages of the listed origins may call', () =>
    withGateway({ origins: ['https://app.example'] }, { query }, async ({ url }) => {
      const allowed = async (origin: string): Promise<(string | null)[]> => {
        const { headers } = await ask(url, { origin })
        return [headers.get('access-control-allow-origin'), headers.get('vary')]
      }
      assert.deepEqual(await allowed('https://app.example'), ['https://app.example', 'origin'])
      assert.deepEqual(await allowed('https://other.example'), [null, 'origin'])
      const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://other.example' } })
      assert.equal(preflight.headers.get('access-control-allow-origin'), null)
      assert.deepEqual(preflight.status, 204)
    }))
})

test('throughput is of the last seconds, and a backlog is divided by it', () => {
  const throughput = new Throughput()
  assert.equal(throughput.delayOf(500, 0), 30_000)
  for (let second = 0; second < 20; second++) throughput.count(100, second * 1000)
  assert.equal(throughput.perSecond(19_500), 100)
  assert.equal(throughput.delayOf(500, 19_500), 5000)
  assert.equal(throughput.delayOf(1, 19_500), 1000)
  assert.equal(throughput.perSecond(24_000), 37.5)
  assert.equal(throughput.perSecond(60_000), 0)
  assert.equal(throughput.total, 2000)
})

test('a node is ready while it validates, certifies and reaches a quorum', () => {
  const good = {
    state: 'validating',
    certifiedHeight: 9,
    contentHeight: 9,
    sinceDecision: 3_600_000,
    pool: 0,
    members: 4,
    reached: 3,
  }
  const failing = (changes: Partial<typeof good>): string[] =>
    readinessOf({ ...good, ...changes })
      .filter(({ ok }) => !ok)
      .map(({ name }) => name)
  assert.deepEqual(failing({}), [], 'an hour at rest is no fault')
  assert.deepEqual(failing({ state: 'dissenting' }), ['validating'])
  assert.deepEqual(failing({ contentHeight: 10 }), ['fresh'])
  assert.deepEqual(failing({ contentHeight: 10, sinceDecision: 500 }), [])
  assert.deepEqual(failing({ pool: 3 }), ['fresh'])
  assert.deepEqual(failing({ reached: 2 }), ['links'])
})

test('metrics escape what labels hold, and histograms add up', () => {
  const histogram = new Histogram([0.1, 1])
  for (const seconds of [0.05, 0.1, 0.5, 7]) histogram.observe(seconds)
  assert.deepEqual(histogram.cumulative(), [2, 3, 4])
  const text =
    metricText('a_total', 'counter', 'Help.', [{ labels: { path: 'x"\\\n{},=' }, value: 3 }]) +
    histogramText('b', 'Help.', histogram)
  const metrics = parseMetrics(text)
  assert.equal(metrics.value('a_total', { path: 'x\\"\\\\\\n{},=' }), 3)
  assert.equal(metrics.value('b_bucket', { le: '+Inf' }), 4)
  assert.equal(metrics.value('b_sum', {}), 7.65)
})

test('a trap tells words and places, however it is written', () => {
  assert.deepEqual(trapHint('no such note\n    at remove (a.ts:1:2)\n    at b.ts:3:4\nmore'), {
    message: 'no such note',
    trace: ['remove (a.ts:1:2)', 'b.ts:3:4'],
  })
  assert.deepEqual(trapHint(''), { message: '', trace: [] })
  assert.equal(trapHint(`${'x'.repeat(5000)}${'\n    at y'.repeat(100)}`).trace.length, 32)
})

describe('settings', () => {
  const read = (value: unknown): unknown => gatewaySettings({ value, path: 'gateway' })

  test('have defaults, and take what is given', () => {
    assert.deepEqual(read({ host: 'x', port: 1 }), defaultSettings)
    const given = {
      origins: ['https://app.example', 'http://localhost:3000'],
      trustedProxies: 2,
      rates: { key: null, address: { perSecond: 5, burst: 6 } },
      envelopesInFlight: 100,
      jsonBytes: 2048,
      events: { ...defaultSettings.events, streams: 3 },
    }
    assert.deepEqual(read(given), { ...defaultSettings, ...given })
    assert.deepEqual(logSettings({ value: { level: 'warn' }, path: 'log' }), { level: 'warn', requests: false })
  })

  test('name what is wrong', () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [{ origin: 'any' }, 'gateway.origin'],
      [{ origins: 'all' }, 'gateway.origins'],
      [{ origins: ['https://app.example/path'] }, 'gateway.origins[0]'],
      [{ origins: ['*'] }, 'gateway.origins[0]'],
      [{ trustedProxies: 17 }, 'gateway.trustedProxies'],
      [{ rates: { key: { perSecond: 1 } } }, 'gateway.rates.key.burst'],
      [{ rates: { key: { perSecond: 0, burst: 1 } } }, 'gateway.rates.key.perSecond'],
      [{ rates: { ip: null } }, 'gateway.rates.ip'],
      [{ events: { bufferBytes: 1 } }, 'gateway.events.bufferBytes'],
      [{ events: [] }, 'gateway.events'],
      [{ jsonBytes: '65536' }, 'gateway.jsonBytes'],
      [{ jsonBytes: 1.5 }, 'gateway.jsonBytes'],
    ]
    for (const [value, path] of cases) assert.equal(rejectionOf(() => read(value))?.path, path, JSON.stringify(value))
    assert.equal(rejectionOf(() => logSettings({ value: { level: 'debug' }, path: 'log' }))?.path, 'log.level')
  })
})

describe('logs', () => {
  const written = (least?: 'warn'): { lines: Record<string, unknown>[]; log: ReturnType<typeof createLog> } => {
    const lines: Record<string, unknown>[] = []
    const log = createLog(
      (line) => {
        assert.match(line, /^[^\n]*\n$/)
        lines.push(JSON.parse(line))
      },
      { node: 'node 1' },
      least,
    )
    return { lines, log }
  }

  test('are a line each, with time, level and message that nothing replaces', () => {
    const { lines, log } = written()
    log.info('two\nlines', { height: 3, level: 'none', time: 0, message: 'other' })
    const [line] = lines
    assert.deepEqual(
      [line?.['level'], line?.['message'], line?.['height'], line?.['node']],
      ['info', 'two\nlines', 3, 'node 1'],
    )
    assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('write whatever they are given', () => {
    const { lines, log } = written()
    const round: Record<string, unknown> = {}
    round['self'] = round
    log.error('odd', {
      big: 2n ** 64n,
      bytes: Uint8Array.of(1, 255),
      error: new OnusError('busy', 'full'),
      none: undefined,
    })
    log.warn('round', { round })
    const [odd, unwritable] = lines
    assert.deepEqual([odd?.['big'], odd?.['bytes']], ['18446744073709551616', '01ff'])
    const { code, message, stack } = (odd?.['error'] ?? {}) as Record<string, string>
    assert.deepEqual([code, message], ['busy', 'full'])
    assert.match(stack ?? '', /gatewayLimits/)
    assert.match(String(unwritable?.['unwritable']), /circular/)
  })

  test('leave out what is below their level', () => {
    const { lines, log } = written('warn')
    log.info('no')
    log.warn('yes')
    log.error('yes')
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['warn', 'error'],
    )
  })
})
