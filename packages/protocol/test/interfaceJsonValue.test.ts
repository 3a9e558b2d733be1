/** The JSON form of interface values: every value comes back as the same bytes, and what is no value is refused by path. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OnusError } from '@onus/protocol/errors'
import { decodeValue } from '@onus/protocol/interface/decodeValue'
import type { Entry, Interface, TypeExpression } from '@onus/protocol/interface/description'
import { encodeValue } from '@onus/protocol/interface/encodeValue'
import { argumentsOfJson, fromJsonValue, toJsonValue } from '@onus/protocol/interface/jsonValue'
import * as fc from 'fast-check'
import { arbitraryTypes, typeArbitrary, valueArbitrary } from './interfaceArbitraries.js'

const entry: Entry = {
  name: 'put',
  kind: 'entry',
  params: [
    ['amount', 'u64'],
    ['note', { option: 'string' }],
  ],
  result: null,
}
const description: Interface = { version: 1, types: arbitraryTypes, entries: [entry] }

function throughJson(type: TypeExpression, value: unknown): unknown {
  return fromJsonValue(description, type, JSON.parse(JSON.stringify(toJsonValue(description, type, value))), 'value')
}

function refusal(run: () => unknown): [string, string | undefined] {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof OnusError, String(error))
    return [error.code, error.path]
  }
  return assert.fail('nothing was refused')
}

describe('JSON of interface values', () => {
  test('random values of random types keep their bytes', () => {
    const typed = typeArbitrary.chain((type) => fc.tuple(fc.constant(type), valueArbitrary(description, type)))
    fc.assert(
      fc.property(typed, ([type, value]) => {
        const bytes = encodeValue(description, type, value, 'value')
        const decoded = decodeValue(description, type, bytes, 'value')
        assert.deepEqual(encodeValue(description, type, throughJson(type, decoded), 'value'), bytes)
      }),
      { seed: 20261123, numRuns: 1500 },
    )
  })

  test('has the forms that the specification names', () => {
    const json = (type: TypeExpression, value: unknown): unknown => toJsonValue(description, type, value)
    assert.equal(json('u64', 2n ** 64n - 1n), '18446744073709551615')
    assert.equal(json('i128', -5n), '-5')
    assert.equal(json('u32', 7), 7)
    assert.equal(json('bytes', Uint8Array.of(0, 255)), '0x00ff')
    assert.deepEqual(json({ map: ['u8', 'bool'] }, new Map([[1, true]])), [[1, true]])
    assert.equal(json({ option: 'u8' }, null), null)
    assert.deepEqual(json({ result: [null, 'u64'] }, { tag: 'err', value: 3n }), { tag: 'err', value: '3' })
    assert.deepEqual(json('Shape', { tag: 'none' }), { tag: 'none' })
    assert.deepEqual(json({ list: 'f64' }, [-0, Number.POSITIVE_INFINITY, 0.5]), ['-0', 'Infinity', 0.5])
    const address = `0x${'ab'.repeat(20)}`
    assert.equal(json('address', address), address)
  })

  test('an exact JSON number is taken for a large integer, an inexact one is not', () => {
    assert.equal(fromJsonValue(description, 'u64', 12, 'value'), 12n)
    for (const wrong of [2 ** 53, 1.5, '1e3', '0x10', '01', '', null, '9'.repeat(79)])
      assert.deepEqual(
        refusal(() => fromJsonValue(description, 'u64', wrong, 'value')),
        ['argument-type', 'value'],
      )
  })

  test('what is of another shape is refused with its path', () => {
    const cases: readonly [string, string, TypeExpression, unknown][] = [
      ['argument-type', 'value', { list: 'u8' }, {}],
      ['argument-type', 'value[1]', { list: 'bytes' }, ['0x', '0xabc']],
      ['argument-type', 'value[0]', { map: ['u8', 'u8'] }, [[1]]],
      [
        'argument-range',
        'value',
        { map: ['u8', 'u8'] },
        [
          [1, 1],
          [1, 2],
        ],
      ],
      ['argument-type', 'value', 'Shape', { tag: 'none', value: 1 }],
      ['argument-type', 'value', 'Shape', { tag: 'circle', value: 1, more: 2 }],
      ['argument-type', 'value', 'Node', []],
      ['argument-type', 'value.name', 'Node', { name: 3, parent: null, children: [], color: 'red' }],
      ['argument-range', 'value', 'Shape', { tag: 'square' }],
    ]
    for (const [code, path, type, json] of cases)
      assert.deepEqual(
        refusal(() => encodeValue(description, type, fromJsonValue(description, type, json, 'value'), 'value')),
        [code, path],
        JSON.stringify(json),
      )
  })

  test('JSON that goes too deep is refused before it is followed', () => {
    let json: unknown = { tag: 'none' }
    for (let i = 0; i < 70_000; i++) json = { tag: 'group', value: [json] }
    assert.equal(refusal(() => fromJsonValue(description, 'Shape', json, 'value'))[0], 'argument-range')
  })

  test('arguments stand in order or by name', () => {
    assert.deepEqual(argumentsOfJson(description, entry, ['5', 'x']), [5n, 'x'])
    assert.deepEqual(argumentsOfJson(description, entry, ['5']), [5n, null])
    assert.deepEqual(argumentsOfJson(description, entry, { amount: '5' }), [5n, null])
    assert.deepEqual(
      refusal(() => argumentsOfJson(description, entry, [1, null, 2])),
      ['argument-count', undefined],
    )
    for (const wrong of [{ amount: 1, notes: 'x' }, 'text', null, 5])
      assert.equal(refusal(() => argumentsOfJson(description, entry, wrong))[0], 'argument-type')
    assert.deepEqual(
      refusal(() => argumentsOfJson(description, entry, JSON.parse('{"__proto__": {"amount": 1}}'))),
      ['argument-type', undefined],
    )
    assert.deepEqual(
      refusal(() => argumentsOfJson(description, entry, {})),
      ['argument-type', 'amount'],
    )
  })

  test('arbitrary JSON is a value or a typed refusal', () => {
    fc.assert(
      fc.property(typeArbitrary, fc.jsonValue(), (type, json) => {
        try {
          encodeValue(description, type, fromJsonValue(description, type, json, 'value'), 'value')
        } catch (error) {
          assert.ok(error instanceof OnusError, String(error))
        }
      }),
      { seed: 7, numRuns: 2000 },
    )
  })
})
