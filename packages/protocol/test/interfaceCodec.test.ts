import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { equalBytes, fromHex, toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import {
  decodeCall,
  decodeOutput,
  decodeResult,
  encodeCall,
  encodeOutput,
  encodeResult,
} from '@onus/protocol/interface/call'
import { decodeValue } from '@onus/protocol/interface/decodeValue'
import type { Entry, Interface, TypeExpression } from '@onus/protocol/interface/description'
import { encodeValue } from '@onus/protocol/interface/encodeValue'
import * as fc from 'fast-check'
import { arbitraryTypes, typeArbitrary, valueArbitrary } from './interfaceArbitraries.js'
import { badInput, vectorEvent, vectors, vectorValue } from './interfaceVectors.js'

const description: Interface = { version: 1, types: arbitraryTypes, entries: [] }
const encode = (type: TypeExpression, value: unknown): Uint8Array => encodeValue(description, type, value, 'value')
const decode = (type: TypeExpression, bytes: Uint8Array): unknown => decodeValue(description, type, bytes, 'value')

function rejects(code: string, path: string | undefined, run: () => unknown): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof OnusError, String(error))
    assert.equal(error.code, code)
    if (path !== undefined) assert.equal(error.path, path)
    return true
  })
}

describe('interface vectors', () => {
  test('requests encode to the bytes of the vectors and decode to the arguments', () => {
    for (const { entry, args, request } of vectors.requests) {
      const params = vectors.description.entries.find(({ name }) => name === entry)?.params ?? []
      const values = params.map(([, type], index) => vectorValue(vectors.description, type, args[index]))
      assert.equal(toHex(encodeCall(vectors.description, entry, values)), request, entry)
      const decoded = decodeCall(vectors.description, fromHex(request))
      assert.equal(decoded.entry.name, entry)
      assert.deepEqual(decoded.args, values)
    }
  })

  test('bad input is refused with the code of the vector', () => {
    assert.ok(badInput.cases.length >= 100)
    for (const { name, request, code } of badInput.cases) {
      assert.throws(
        () => decodeCall(vectors.description, fromHex(request)),
        (error) => error instanceof OnusError && error.code === code,
        `${name}: expected ${code}`,
      )
    }
  })

  test('outputs decode to value and events and encode to the bytes of the vectors', () => {
    const { description: backend } = vectors
    for (const { entry, value, events, output } of vectors.outputs) {
      const { result } = backend.entries.find(({ name }) => name === entry) as Entry
      const expected = {
        value: result === null ? undefined : vectorValue(backend, result, value),
        events: events.map(({ name, value: fields }) => ({ name, value: vectorEvent(backend, name, fields) })),
      }
      assert.deepEqual(decodeOutput(backend, entry, fromHex(output)), expected)
      assert.deepEqual(decodeResult(backend, entry, fromHex(output)), expected.value)
      assert.equal(toHex(encodeOutput(backend, entry, expected.value, expected.events)), output)
    }
    assert.ok(vectors.outputs.length >= 4)
  })

  test('bad outputs are refused with the code of the vector', () => {
    assert.ok(badInput.outputs.length >= 14)
    for (const { name, entry, output, code } of badInput.outputs)
      assert.throws(
        () => decodeOutput(vectors.description, entry, fromHex(output)),
        (error) => error instanceof OnusError && error.code === code,
        `${name}: expected ${code}`,
      )
  })

  test('bytes written by hand', () => {
    assert.equal(toHex(encode('u256', 1n << 192n)), `${'00'.repeat(24)}0100000000000000`)
    assert.equal(toHex(encode('i128', -2n)), `fe${'ff'.repeat(15)}`)
    assert.equal(toHex(encode('address', `0x${'00'.repeat(19)}ff`)), `${'00'.repeat(19)}ff`)
    assert.equal(toHex(encode({ result: ['u8', null] }, { tag: 'ok', value: 5 })), '0105')
    assert.equal(toHex(encode({ result: ['u8', null] }, { tag: 'err' })), '00')
    assert.equal(toHex(encode('Rights', { own: true, read: true })), '05')
    assert.equal(toHex(encode('Bits', { bit16: true, bit9: true })), '000201')
    assert.throws(() => decode('Bits', fromHex('000002')), { code: 'decode-flags' })
    assert.equal(toHex(encode('u32', 1)), '01000000')
    assert.equal(toHex(encode('i64', -2n)), 'feffffffffffffff')
    assert.equal(toHex(encode('u128', 1n << 64n)), '00000000000000000100000000000000')
    assert.equal(toHex(encode('f64', 1)), '000000000000f03f')
    assert.equal(toHex(encode('string', 'é')), '02000000c3a9')
    assert.equal(toHex(encode({ option: 'u8' }, 5)), '0105')
    assert.equal(toHex(encode({ list: 'bool' }, [true, false])), '020000000100')
    assert.equal(toHex(encode('Color', 'blue')), '02')
    assert.equal(toHex(encode('Shape', { tag: 'none' })), '02')
    assert.equal(
      toHex(
        encode(
          { map: ['u8', 'u8'] },
          new Map([
            [2, 20],
            [1, 10],
          ]),
        ),
      ),
      '020000000' + '10a0214',
    )
  })
})

describe('interface codec', () => {
  test('decode undoes encode for values of every type', () => {
    const pairs = typeArbitrary.chain((type) => fc.tuple(fc.constant(type), valueArbitrary(description, type)))
    fc.assert(
      fc.property(pairs, ([type, value]) => {
        assert.deepEqual(decode(type, encode(type, value)), value)
      }),
      { seed: 1, numRuns: 1_500 },
    )
  })

  test('whatever bytes are accepted are the encoding of their value; nothing but OnusError is thrown', () => {
    // Bytes near valid encodings, so that the fuzz gets past the first length.
    const inputs = typeArbitrary.chain((type) =>
      fc.tuple(
        fc.constant(type),
        fc.oneof(
          fc.uint8Array({ maxLength: 24 }),
          fc
            .tuple(
              valueArbitrary(description, type),
              fc.nat(),
              fc.integer({ min: 0, max: 255 }),
              fc.constantFrom(0, 0, 0, -1, 1),
            )
            .map(([value, at, byte, cut]) => {
              const bytes = encode(type, value)
              const longer = new Uint8Array(Math.max(0, bytes.length + cut))
              longer.set(bytes.subarray(0, longer.length))
              if (longer.length > 0) longer[at % longer.length] = byte
              return longer
            }),
        ),
      ),
    )
    let accepted = 0
    fc.assert(
      fc.property(inputs, ([type, bytes]) => {
        let value: unknown
        try {
          value = decode(type, bytes)
        } catch (error) {
          assert.ok(error instanceof OnusError && error.code.startsWith('decode-'), String(error))
          return
        }
        accepted++
        assert.ok(equalBytes(encode(type, value), bytes))
      }),
      { seed: 2, numRuns: 5_000 },
    )
    assert.ok(accepted > 300, `only ${accepted} inputs were accepted`)
  })

  test('map keys are ordered by value: UTF-8 bytes, signed integers, cases', () => {
    const text = encode(
      { map: ['string', 'bool'] },
      new Map([
        ['🐎', true],
        ['～', true],
        ['b', true],
        ['ab', true],
      ]),
    )
    assert.deepEqual(
      [...(decode({ map: ['string', 'bool'] }, text) as Map<string, boolean>).keys()],
      ['ab', 'b', '～', '🐎'],
    )
    const numbers = encode(
      { map: ['i32', 'bool'] },
      new Map([
        [2_147_483_647, true],
        [-2_147_483_648, true],
        [-1, false],
      ]),
    )
    assert.deepEqual(
      [...(decode({ map: ['i32', 'bool'] }, numbers) as Map<number, boolean>).keys()],
      [-2_147_483_648, -1, 2_147_483_647],
    )
    const cases = encode(
      { map: ['Color', 'bool'] },
      new Map([
        ['blue', true],
        ['red', false],
      ]),
    )
    assert.equal(toHex(cases), '0200000000000201')
  })

  test('a list cannot make the decoder allocate more than its bytes', () => {
    const millions = Uint8Array.from([0xff, 0xff, 0xff, 0x7f, 0, 0])
    rejects('decode-short', 'value', () => decode({ list: 'u8' }, millions))
    // A list of elements of no size is refused by parseInterface; a description that was not parsed cannot hurt either.
    const empty: Interface = { version: 1, types: { Empty: { record: [] } }, entries: [] }
    rejects('decode-short', 'value', () => decodeValue(empty, { list: 'Empty' }, millions, 'value'))
  })

  test('64 records inside each other are accepted, 65 are not, in both directions', () => {
    const nested = (levels: number): unknown => {
      let node: unknown = null
      for (let i = 0; i < levels; i++) node = { name: '', parent: node, children: [], color: 'red' }
      return node
    }
    const bytes = encode('Node', nested(64))
    assert.deepEqual(decode('Node', bytes), nested(64))
    rejects('argument-range', undefined, () => encode('Node', nested(65)))
    const loop: Record<string, unknown> = { name: '', children: [], color: 'red' }
    loop['parent'] = loop
    rejects('argument-range', undefined, () => encode('Node', loop))
    // 100,000 options of a record inside itself: refused before the stack ends.
    const deep = new Uint8Array(500_000)
    for (let i = 4; i < deep.length; i += 5) deep[i] = 1
    rejects('decode-depth', undefined, () => decode('Node', deep))
  })
})

describe('argument errors', () => {
  const cases: readonly [type: TypeExpression, value: unknown, code: string | undefined, path: string | undefined][] = [
    ['u32', 7n, 'argument-type', 'value'],
    ['u64', 7, 'argument-type', 'value'],
    ['u32', '7', 'argument-type', 'value'],
    ['string', 7, 'argument-type', 'value'],
    ['bool', 0, 'argument-type', 'value'],
    ['bytes', [1], 'argument-type', 'value'],
    [{ list: 'u8' }, 'ab', 'argument-type', 'value'],
    [{ list: 'u8' }, [1, '2'], 'argument-type', 'value[1]'],
    [
      { list: 'Node' },
      [{ name: 'a', children: [{ name: 5, children: [], color: 'red' }], color: 'red' }],
      'argument-type',
      'value[0].children[0].name',
    ],
    [{ map: ['string', 'u8'] }, { a: 1 }, 'argument-type', 'value'],
    [{ map: ['string', 'u8'] }, new Map([['a', 300]]), 'argument-range', 'value[a]'],
    [{ map: ['u8', 'u8'] }, new Map([['a', 1]]), 'argument-type', 'value[a]'],
    ['Node', { name: 'a', color: 'red' }, 'argument-type', 'value.children'],
    ['Node', { name: 'a', children: [], color: 'red', colour: 1 }, 'argument-type', 'value'],
    ['Node', [], 'argument-type', 'value'],
    ['Color', 'pink', 'argument-range', 'value'],
    ['Color', 1, 'argument-type', 'value'],
    ['Shape', { tag: 'square' }, 'argument-range', 'value'],
    ['Shape', 'circle', 'argument-type', 'value'],
    ['Shape', { tag: 'circle' }, 'argument-type', 'value.circle'],
    ['u8', 256, 'argument-range', 'value'],
    ['u8', -1, 'argument-range', 'value'],
    ['i8', -129, 'argument-range', 'value'],
    ['u32', 1.5, 'argument-range', 'value'],
    ['u64', -1n, 'argument-range', 'value'],
    ['u64', 1n << 64n, 'argument-range', 'value'],
    ['u128', 1n << 128n, 'argument-range', 'value'],
    ['u256', 1n << 256n, 'argument-range', 'value'],
    ['u256', -1n, 'argument-range', 'value'],
    ['i256', -(1n << 255n) - 1n, 'argument-range', 'value'],
    ['i128', 1n << 127n, 'argument-range', 'value'],
    ['i128', 5, 'argument-type', 'value'],
    ['address', new Uint8Array(20), 'argument-type', 'value'],
    ['address', '0x00', 'argument-range', 'value'],
    ['address', '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', undefined, undefined],
    ['address', '0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', 'argument-range', 'value'],
    ['address', '0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED', undefined, undefined],
    [{ result: ['u8', 'u8'] }, 5, 'argument-type', 'value'],
    [{ result: ['u8', 'u8'] }, { tag: 'okay', value: 5 }, 'argument-type', 'value'],
    [{ result: ['u8', 'u8'] }, { tag: 'err', value: 500 }, 'argument-range', 'value.err'],
    ['Rights', { read: 1 }, 'argument-type', 'value'],
    ['Rights', { reed: true }, 'argument-type', 'value'],
    ['Rights', ['read'], 'argument-type', 'value'],
    [
      { map: ['address', 'u8'] },
      new Map([
        [`0x${'ab'.repeat(20)}`, 1],
        [`0x${'AB'.repeat(20)}`, 2],
      ]),
      'argument-range',
      `value[0x${'AB'.repeat(19)}]`,
    ],
    ['i64', 1n << 63n, 'argument-range', 'value'],
    ['f64', Number.NaN, 'argument-range', 'value'],
    ['f32', 1e39, 'argument-range', 'value'],
    ['string', '\ud800', 'argument-range', 'value'],
    ['string', 'a\udc00b', 'argument-range', 'value'],
  ]
  for (const [type, value, code, path] of cases)
    test(`${JSON.stringify(type)} ${code === undefined ? 'accepted' : `refuses ${code} at ${path}`}`, () => {
      if (code === undefined) assert.equal(encode(type, value).length, 20)
      else rejects(code, path, () => encode(type, value))
    })

  test('messages say what was expected and what came', () => {
    assert.throws(() => encodeCall(vectors.description, 'join', ['a', 'b']), {
      code: 'argument-type',
      message: 'count: expected a number (u8), got a string',
    })
    rejects('argument-count', undefined, () => encodeCall(vectors.description, 'nothing', [1]))
    rejects('argument-entry', undefined, () => encodeCall(vectors.description, 'missing', []))
    rejects('argument-type', 'count', () => encodeCall(vectors.description, 'join', ['a']))
  })

  test('a parameter beyond its limit is refused with its path, before it is sent and by the gateway', () => {
    const { description: backend } = vectors
    const args = ['four', new Uint8Array(3), [1], new Map(), null]
    const changed = (index: number, value: unknown): unknown[] => args.map((arg, at) => (at === index ? value : arg))
    assert.ok(encodeCall(backend, 'echoLimited', args).length > 4)
    rejects('argument-range', 'text', () => encodeCall(backend, 'echoLimited', changed(0, 'ééé')))
    rejects('argument-range', 'bytes', () => encodeCall(backend, 'echoLimited', changed(1, new Uint8Array(4))))
    rejects('argument-range', 'list', () => encodeCall(backend, 'echoLimited', changed(2, [1, 2, 3])))
    rejects('argument-range', 'maybe', () => encodeCall(backend, 'echoLimited', changed(4, ['', '', '', '', ''])))
    // The limit is of the list, not of what is in it.
    assert.ok(encodeCall(backend, 'echoLimited', changed(4, ['longer than four'])).length > 4)
    const unlimited: Interface = {
      ...backend,
      entries: backend.entries.map(({ limits, ...entry }) => ({ ...entry, ...(limits === undefined ? {} : {}) })),
    }
    const request = encodeCall(unlimited, 'echoLimited', changed(2, [1, 2, 3]))
    rejects('decode-limit', 'list', () => decodeCall(backend, request))
  })

  test('trailing options may be left out', () => {
    assert.equal(
      toHex(encodeCall(vectors.description, 'join', ['a', 1])),
      toHex(encodeCall(vectors.description, 'join', ['a', 1, null])),
    )
  })

  test('results: nothing is no byte, anything else is one value', () => {
    assert.equal(decodeResult(vectors.description, 'nothing', new Uint8Array()), undefined)
    rejects('decode-short', 'events', () => decodeResult(vectors.description, 'nothing', new Uint8Array(1)))
    const { events, ...silent } = vectors.description
    assert.ok(events !== undefined)
    rejects('decode-trailing', 'events', () => decodeResult(silent, 'nothing', new Uint8Array(1)))
    assert.equal(decodeResult(vectors.description, 'join', encodeResult(vectors.description, 'join', 'ab')), 'ab')
    rejects('decode-short', 'result', () => decodeResult(vectors.description, 'join', new Uint8Array(3)))
  })
})
