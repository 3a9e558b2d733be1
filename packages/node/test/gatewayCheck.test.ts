/** What a gateway checks before anything costs anything: size, gas, typed arguments; and what its errors look like. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkEnvelope } from '@onus/node/gateway/argumentCheck'
import { errorBody, httpStatusOf } from '@onus/node/gateway/errors'
import { OnusError } from '@onus/protocol/errors'
import { encodeCall } from '@onus/protocol/interface/call'
import type { Call } from '@onus/protocol/transaction'
import { decodeEnvelope } from '@onus/protocol/transaction'
import { argument, description } from './support/notes.js'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { seededBytes } from './support/seeded.js'
import { openSession, type Sent, sendCalls, testCluster } from './support/testNode.js'

const cluster = testCluster()
const { genesis } = cluster

const call = (counter: number, changes: Partial<Call> = {}): Sent =>
  sendCalls(cluster, 0, [counter], { argument, ...changes })

describe('check of an envelope against the interface', () => {
  const check = (sent: Sent): unknown => checkEnvelope(sent.bytes, description, genesis)

  test('takes openings and typed calls', () => {
    check(openSession(cluster, 0))
    check(sendCalls(cluster, 0, [0, 1, 2], { argument }))
  })

  test('names the call and the value that is wrong', () => {
    const { callGas, envelopeBytes } = genesis.limits
    const shortened = argument.slice(0, -1)
    const trailing = new Uint8Array([...argument, 0])
    const count = new Uint8Array(encodeCall(description, 'count', []))
    const utf8 = argument.slice()
    utf8[8] = 0xff
    const cases: readonly [string, RegExp, Sent][] = [
      ['gas-limit', /^calls\[0\]: /, call(0, { gasLimit: 0 })],
      ['gas-limit', /^calls\[0\]: /, call(0, { gasLimit: callGas + 1 })],
      ['no-such-entry', /^calls\[0\]: /, call(0, { argument: seededBytes('selector', 40) })],
      ['query-not-callable', /^calls\[0\]: /, call(0, { argument: count })],
      ['decode-trailing', /^calls\[0\]: 1 bytes/, call(0, { argument: trailing })],
      ['decode-short', /^calls\[0\]\.others\[1\]\.rating: /, call(0, { argument: shortened })],
      ['decode-utf8', /^calls\[0\]\.note\.text: /, call(0, { argument: utf8 })],
      ['too-large', /at most/, call(0, { argument: new Uint8Array(envelopeBytes) })],
    ]
    for (const [code, message, sent] of cases) assertRejects(code, () => check(sent), message)
    const second = rejectionOf(() => check(sendMixed([argument, trailing])))
    assert.deepEqual([second?.code, second?.path], ['decode-trailing', 'calls[1]'])
  })

  function sendMixed(requests: readonly Uint8Array[]): Sent {
    const parts = requests.map(
      (given, counter) => decodeEnvelope(call(counter, { argument: given }).bytes).bodies[0] as Uint8Array,
    )
    const body = Buffer.concat(
      parts.flatMap((part) => {
        const length = Buffer.alloc(4)
        length.writeUInt32BE(part.length)
        return [length, Buffer.from(part)]
      }),
    )
    const { bytes, signer } = call(0)
    return { bytes: new Uint8Array(Buffer.concat([Uint8Array.of(1, 0, parts.length), body, bytes.slice(-65)])), signer }
  }
})

describe('errors of the gateway', () => {
  test('have the HTTP status of the specification', () => {
    const table: Readonly<Record<number, readonly string[]>> = {
      400: ['truncated', 'gas-limit', 'decode-short', 'parameter', 'expiry-too-far', 'opening-limits'],
      401: ['signature-wrong'],
      404: ['no-such-entry', 'unknown-transaction', 'unknown-block', 'session-unknown'],
      409: ['counter-used', 'counter-gap', 'slot-taken'],
      410: ['expired', 'height-gone'],
      413: ['too-large'],
      422: ['query-trapped'],
      429: ['busy'],
      503: ['not-ready', 'dissenting', 'worker-died'],
      504: ['not-yet-certified', 'height-ahead'],
    }
    for (const [status, codes] of Object.entries(table))
      for (const code of codes) assert.equal(httpStatusOf(new OnusError(code, 'x')), Number(status), code)
  })

  test('are JSON with code and message, and remedy and path where there are any', () => {
    assert.deepEqual(JSON.parse(errorBody(new OnusError('busy', 'later', { remedy: 'wait', path: 'calls[1]' }))), {
      error: { code: 'busy', message: 'calls[1]: later', remedy: 'wait', path: 'calls[1]' },
    })
    assert.deepEqual(JSON.parse(errorBody(new OnusError('busy', 'later'))), {
      error: { code: 'busy', message: 'later' },
    })
  })
})
