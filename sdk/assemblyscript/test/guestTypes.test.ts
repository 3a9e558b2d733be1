/** What authors use beside the codec: wide integers, addresses as keys, results, events, logs, limits. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { decodeOutput, decodeResult, encodeCall } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { integerTypes } from '@onus/protocol/interface/integers'
import * as fc from 'fast-check'
import { echoBackend } from './echo.js'
import { type Host, startHost } from './host.js'

let wasm: Uint8Array<ArrayBuffer>
let description: Interface
let host: Host

before(async () => {
  const built = await echoBackend()
  wasm = built.wasm
  description = built.interface
  host = startHost(wasm)
})

const call = (name: string, ...args: unknown[]): unknown =>
  decodeResult(description, name, host.invoke(encodeCall(description, name, args)))

/** First line of the message of a call that traps. */
function trapOf(name: string, ...args: unknown[]): string {
  try {
    startHost(wasm).invoke(encodeCall(description, name, args))
  } catch (error) {
    return (error as Error).message.split('\n')[0] as string
  }
  return assert.fail(`${name} did not trap`)
}

function atMost(value: bigint, most: bigint): bigint {
  if (value <= most) return value
  return most
}

describe('wide integers', () => {
  const calculate = (type: string, operation: string, a: bigint, b: bigint): string =>
    call('wide', type, operation, String(a), String(b)) as string

  /** What the operation gives on bigints; undefined where the guest must trap. */
  function expected(type: string, operation: string, a: bigint, b: bigint): bigint | undefined {
    const { minimum, maximum } = integerTypes.get(type) as { minimum: bigint; maximum: bigint }
    if ((operation === '/' || operation === '%') && b === 0n) return undefined
    const results: Record<string, () => bigint> = {
      '+': () => a + b,
      '-': () => a - b,
      '*': () => a * b,
      '/': () => a / b,
      '%': () => a % b,
      '&': () => a & b,
      '|': () => a | b,
      '^': () => a ^ b,
    }
    const result = (results[operation] as () => bigint)()
    return result < minimum || result > maximum ? undefined : result
  }

  for (const type of ['u128', 'u256', 'i128', 'i256']) {
    const { minimum, maximum, size } = integerTypes.get(type) as { minimum: bigint; maximum: bigint; size: number }
    const bits = BigInt(8 * size)
    /** All sizes, edges of limbs and of the type. */
    const numbers = fc
      .oneof(
        fc
          .tuple(fc.bigInt({ min: 0n, max: bits }), fc.bigInt({ min: -2n, max: 2n }))
          .map(([at, off]) => (1n << at) + off),
        fc.bigInt({ min: 0n, max: bits }).chain((at) => fc.bigInt({ min: -(1n << at), max: 1n << at })),
        fc.constantFrom(0n, 1n, -1n, minimum, maximum, 1_000_000_000n, 0xffff_ffffn, 0xffff_ffff_ffff_ffffn),
      )
      .map((value) => (value < minimum ? -value : value))
      .map((value) => atMost(value, maximum))

    test(`${type}: operations agree with bigints, or trap where the result does not fit`, () => {
      const operations = ['+', '-', '*', '/', '%', ...(minimum === 0n ? ['&', '|', '^'] : [])]
      const seen = { fits: 0, traps: 0 }
      fc.assert(
        fc.property(fc.constantFrom(...operations), numbers, numbers, (operation, a, b) => {
          const result = expected(type, operation, a, b)
          if (result === undefined) {
            assert.throws(
              () => calculate(type, operation, a, b),
              new RegExp(`^Error: ${type}: .*(too large|below zero|range|zero)`),
            )
            host = startHost(wasm)
            seen.traps++
          } else {
            assert.equal(calculate(type, operation, a, b), String(result), `${a} ${operation} ${b}`)
            seen.fits++
          }
        }),
        { seed: 6, numRuns: 1_500 },
      )
      assert.ok(seen.fits > 400 && seen.traps > 20, JSON.stringify(seen))
    })

    test(`${type}: order`, () => {
      fc.assert(
        fc.property(numbers, numbers, (a, b) => {
          const orders = [a === b, a !== b, a < b, a > b, a <= b, a >= b].map(Number).join('')
          assert.equal(calculate(type, '<=>', a, b), orders)
        }),
        { seed: 7, numRuns: 200 },
      )
    })

    if (minimum === 0n)
      test(`${type}: shifts`, () => {
        fc.assert(
          fc.property(numbers, fc.integer({ min: 0, max: 8 * size + 3 }), (a, by) => {
            assert.equal(calculate(type, '<<', a, BigInt(by)), String((a << BigInt(by)) & maximum))
            assert.equal(calculate(type, '>>', a, BigInt(by)), String(a >> BigInt(by)))
          }),
          { seed: 8, numRuns: 300 },
        )
      })

    test(`${type}: texts that are no number of it trap`, () => {
      for (const text of ['', '-', 'a', '1a', ' 1', '+1', '0x1', '1.0', String(maximum + 1n), String(minimum - 1n)])
        assert.equal(trapOf('wide', type, '+', text, '0'), `expected a decimal ${type}`, text)
    })
  }
})

describe('values as keys', () => {
  test('equal addresses and equal integers are one key of Map and Set', () => {
    const a = `0x${'0a'.repeat(20)}`
    const b = `0x${'0a'.repeat(19)}0b`
    assert.deepEqual(
      call('count', a),
      new Map(
        [
          [a, 1n],
          ['addresses', 1n],
          ['counts', 1n],
        ].sort() as [string, bigint][],
      ),
    )
    assert.equal((call('count', a.toUpperCase().replace('0X', '0x')) as Map<string, bigint>).get(a), 2n)
    const counted = call('count', b) as Map<string, bigint>
    assert.deepEqual([counted.get(b), counted.get('addresses'), counted.get('counts')], [1n, 2n, 2n])
    assert.match(trapOf('count', '0x12'), /^expected an address/)
    assert.match(trapOf('count', `0x${'0g'.repeat(20)}`), /^expected an address/)
  })
})

describe('results', () => {
  test('a value and an error', () => {
    assert.deepEqual(call('divide', 7, 2), { tag: 'ok', value: 3 })
    assert.deepEqual(call('divide', 7, 0), { tag: 'err', value: 'division by zero' })
    assert.equal(trapOf('trap', 4, 0), 'the result is an error')
  })
})

describe('events', () => {
  test('are those that were emitted, in order, as they were then', () => {
    const { value, events } = decodeOutput(
      description,
      'deposit',
      host.invoke(encodeCall(description, 'deposit', [5n, [7, 8]])),
    )
    assert.equal(value, 3)
    const shape = { tag: 'Nothing', value: {} }
    assert.deepEqual(events, [
      { name: 'deposit', value: { from: `0x${'c1'.repeat(20)}`, amount: 5n } },
      { name: 'moved', value: { name: '', from: 7, path: [], shape } },
      { name: 'moved', value: { name: '', from: 8, path: [7], shape } },
    ])
  })

  test('of a call that trapped are not in the next', () => {
    assert.throws(() => call('deposit', 5n, [1, 2, 3, 4]), /too many/)
    const { events } = decodeOutput(description, 'announce', host.invoke(encodeCall(description, 'announce', [])))
    assert.equal(events.length, 1)
    assert.deepEqual(host.invoke(encodeCall(description, 'echoU8', [5])), Uint8Array.of(5))
  })

  test('many and large ones pass', () => {
    const values = Array.from({ length: 3 }, (_, index) => index)
    for (let i = 0; i < 50; i++) {
      const output = host.invoke(encodeCall(description, 'deposit', [BigInt(i), values]))
      assert.equal(decodeOutput(description, 'deposit', output).events.length, 4)
    }
  })

  test('a query that emits traps', () => {
    assert.match(trapOf('emitsInQuery'), /^emit: only entries emit events/)
  })
})

describe('logs', () => {
  test('console.log gives text, whatever is in it', () => {
    call('logs', ['one', '', 'říkal 🐎'])
    assert.deepEqual(host.logs(), ['one', '', 'říkal 🐎'])
    call('nothing')
    assert.deepEqual(host.logs(), [])
  })
})
