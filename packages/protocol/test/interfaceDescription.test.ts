import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { toHex, utf8Bytes, utf8Text } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { nobleHasher } from '@onus/protocol/hash'
import type { Interface } from '@onus/protocol/interface/description'
import { formatInterface, parseInterface } from '@onus/protocol/interface/parseInterface'
import { eventSelectorOf, selectorOf, selectorTable } from '@onus/protocol/interface/selector'
import { eventSignatureOf, signatureOf } from '@onus/protocol/interface/signature'
import * as fc from 'fast-check'
import { vectors } from './interfaceVectors.js'

const json = (value: unknown): Uint8Array => utf8Bytes(JSON.stringify(value))

function rejects(code: string, bytes: Uint8Array): void {
  assert.throws(
    () => parseInterface(bytes),
    (error) => {
      assert.ok(error instanceof OnusError, String(error))
      assert.equal(error.code, code, error.message)
      return true
    },
  )
}

const entry = { name: 'add', kind: 'entry', params: [['text', 'string']], result: 'u32' }
const valid = { version: 1, types: {}, entries: [entry] }

/** A list in a list, `depth` times. */
function nestedList(depth: number): unknown {
  let type: unknown = 'u8'
  for (let i = 0; i < depth; i++) type = { list: type }
  return type
}

describe('parseInterface', () => {
  test('accepts the description of the vectors and gives it back byte for byte', () => {
    const bytes = formatInterface(vectors.description)
    assert.deepEqual(parseInterface(bytes), vectors.description)
    assert.equal(utf8Text(formatInterface(parseInterface(bytes))), utf8Text(bytes))
  })

  const withTypes = (types: unknown, params: unknown = []): Uint8Array =>
    json({ version: 1, types, entries: [{ name: 'add', kind: 'entry', params, result: null }] })
  const withEntry = (more: unknown): Uint8Array => json({ ...valid, entries: [{ ...entry, ...(more as object) }] })
  const withParam = (type: unknown): Uint8Array => withTypes({}, [['a', type]])

  test('a description without the keys of later versions has the bytes that it always had', () => {
    const text =
      '{"version":1,"types":{"E":{"enum":["a"]}},"entries":[{"name":"add","kind":"query","doc":"Adds.","params":[["e","E"]],"result":null}]}'
    assert.equal(utf8Text(formatInterface(parseInterface(utf8Bytes(text)))), text)
    assert.deepEqual(Object.keys(parseInterface(utf8Bytes(text))), ['version', 'types', 'entries'])
  })

  test('limits, gas, events and docs are read and written in this order', () => {
    const text =
      '{"version":1,"types":{"R":{"record":[["a","u8"]]}},"entries":[{"name":"add","kind":"entry","doc":"Adds.","params":[["r","R"],["o",{"option":{"map":["address","u256"]}}],["s","string"]],"result":{"result":["i128",null]},"limits":[["o",0],["s",4294967295]],"gas":70368744177664}],"events":[{"name":"added","doc":"Was added.","fields":[["r","R"]]},{"name":"empty","fields":[]}],"docs":{"R":"An R.","R.a":"Its a.","add(r)":"Which."}}'
    const description = parseInterface(utf8Bytes(text))
    assert.equal(utf8Text(formatInterface(description)), text)
    assert.equal(description.events?.[1]?.name, 'empty')
    assert.equal(description.docs?.['R.a'], 'Its a.')
  })

  const refused: readonly [what: string, code: string, bytes: Uint8Array][] = [
    ['no JSON', 'interface-json', utf8Bytes('{')],
    ['malformed UTF-8', 'interface-json', Uint8Array.of(0x22, 0xff, 0x22)],
    ['too many bytes', 'interface-size', new Uint8Array(300_000)],
    ['an array', 'interface-shape', json([])],
    ['null', 'interface-shape', json(null)],
    ['another version', 'interface-shape', json({ ...valid, version: 2 })],
    ['an unknown key', 'interface-shape', json({ ...valid, more: 1 })],
    ['an unknown key of an entry', 'interface-shape', json({ ...valid, entries: [{ ...entry, more: 1 }] })],
    ['another kind', 'interface-shape', json({ ...valid, entries: [{ ...entry, kind: 'event' }] })],
    [
      'no result',
      'interface-shape',
      json({ version: 1, types: {}, entries: [{ name: 'a', kind: 'entry', params: [] }] }),
    ],
    [
      'a doc that is no text',
      'interface-shape',
      json({ ...valid, entries: [{ name: 'a', kind: 'entry', doc: 1, params: [], result: null }] }),
    ],
    [
      'a long doc',
      'interface-size',
      json({ ...valid, entries: [{ name: 'a', kind: 'entry', doc: 'a'.repeat(5000), params: [], result: null }] }),
    ],
    ['a name with a space', 'interface-name', json({ ...valid, entries: [{ ...entry, name: 'a b' }] })],
    ['a long name', 'interface-name', json({ ...valid, entries: [{ ...entry, name: 'a'.repeat(65) }] })],
    ['an entry called then', 'interface-name', json({ ...valid, entries: [{ ...entry, name: 'then' }] })],
    ['two entries of one name', 'interface-name', json({ ...valid, entries: [entry, { ...entry, result: null }] })],
    [
      'two parameters of one name',
      'interface-name',
      withTypes({}, [
        ['a', 'u8'],
        ['a', 'u8'],
      ]),
    ],
    ['a parameter __proto__', 'interface-name', withTypes({}, [['__proto__', 'u8']])],
    ['a type __proto__', 'interface-name', utf8Bytes('{"version":1,"types":{"__proto__":{"record":[]}},"entries":[]}')],
    ['a type that takes a word', 'interface-name', withTypes({ u32: { record: [] } })],
    ['a type that takes a word of later', 'interface-name', withTypes({ tuple: { record: [] } })],
    ['a type that takes a new word', 'interface-name', withTypes({ address: { record: [] } })],
    ['an unknown type', 'interface-type', withParam('City')],
    ['an unknown type named as a method of objects', 'interface-type', withParam('toString')],
    ['a result of three', 'interface-shape', withParam({ result: ['u8', 'u8', 'u8'] })],
    ['a result of an unknown type', 'interface-type', withParam({ result: [null, 'City'] })],
    ['a result as map key', 'interface-type', withParam({ map: [{ result: [null, null] }, 'u8'] })],
    ['flags as map key', 'interface-type', withTypes({ F: { flags: ['a'] } }, [['a', { map: ['F', 'u8'] }]])],
    ['flags without cases', 'interface-type', withTypes({ F: { flags: [] } })],
    ['a flag twice', 'interface-name', withTypes({ F: { flags: ['a', 'a'] } })],
    ['65 flags', 'interface-size', withTypes({ F: { flags: Array.from({ length: 65 }, (_, i) => `f${i}`) } })],
    ['no limits', 'interface-shape', withEntry({ limits: [] })],
    ['a limit that is no pair', 'interface-shape', withEntry({ limits: ['text'] })],
    ['a limit below zero', 'interface-shape', withEntry({ limits: [['text', -1]] })],
    ['a limit in part', 'interface-shape', withEntry({ limits: [['text', 1.5]] })],
    ['a limit above u32', 'interface-shape', withEntry({ limits: [['text', 2 ** 32]] })],
    ['a limit as text', 'interface-shape', withEntry({ limits: [['text', '5']] })],
    ['a limit of an unknown parameter', 'interface-type', withEntry({ limits: [['name', 5]] })],
    [
      'two limits of one parameter',
      'interface-type',
      withEntry({
        limits: [
          ['text', 5],
          ['text', 5],
        ],
      }),
    ],
    [
      'limits in another order than the parameters',
      'interface-type',
      withEntry({
        params: [
          ['a', 'string'],
          ['b', 'bytes'],
        ],
        limits: [
          ['b', 5],
          ['a', 5],
        ],
      }),
    ],
    ['a limit of a number', 'interface-type', withEntry({ params: [['text', 'u32']], limits: [['text', 5]] })],
    [
      'a limit of a record',
      'interface-type',
      withEntry({ params: [['text', { result: ['string', null] }]], limits: [['text', 5]] }),
    ],
    ['gas of zero', 'interface-shape', withEntry({ gas: 0 })],
    ['gas above the limit', 'interface-shape', withEntry({ gas: 2 ** 46 + 1 })],
    ['gas as text', 'interface-shape', withEntry({ gas: '5' })],
    [
      'limits in front of the result',
      'interface-canonical',
      json({
        version: 1,
        types: {},
        entries: [{ name: 'add', kind: 'entry', params: [['text', 'string']], limits: [['text', 5]], result: 'u32' }],
      }),
    ],
    ['no events', 'interface-shape', json({ ...valid, events: [] })],
    ['an event without fields', 'interface-shape', json({ ...valid, events: [{ name: 'added' }] })],
    [
      'an unknown key of an event',
      'interface-shape',
      json({ ...valid, events: [{ name: 'added', fields: [], kind: 'event' }] }),
    ],
    ['an event with a name of spaces', 'interface-name', json({ ...valid, events: [{ name: ' ', fields: [] }] })],
    [
      'two events of one name',
      'interface-name',
      json({
        ...valid,
        events: [
          { name: 'a', fields: [] },
          { name: 'a', fields: [['a', 'u8']] },
        ],
      }),
    ],
    [
      'two fields of one name in an event',
      'interface-name',
      json({
        ...valid,
        events: [
          {
            name: 'a',
            fields: [
              ['a', 'u8'],
              ['a', 'u8'],
            ],
          },
        ],
      }),
    ],
    [
      'an unknown type in an event',
      'interface-type',
      json({ ...valid, events: [{ name: 'a', fields: [['a', 'City']] }] }),
    ],
    [
      'events in front of entries',
      'interface-canonical',
      json({ version: 1, types: {}, events: [{ name: 'a', fields: [] }], entries: [entry] }),
    ],
    ['no docs', 'interface-shape', json({ ...valid, docs: {} })],
    ['docs that are no text', 'interface-shape', json({ ...valid, docs: { 'add(text)': 5 } })],
    ['docs of what is not there', 'interface-name', json({ ...valid, docs: { 'add(name)': 'who' } })],
    ['long docs', 'interface-size', json({ ...valid, docs: { 'add(text)': 'a'.repeat(5000) } })],
    [
      'docs of __proto__',
      'interface-canonical',
      utf8Bytes(JSON.stringify({ ...valid, docs: {} }).replace('"docs":{}', '"docs":{"__proto__":"a"}')),
    ],
    ['an option in an option', 'interface-type', withParam({ option: { option: 'u8' } })],
    ['a float as map key', 'interface-type', withParam({ map: ['f64', 'u8'] })],
    ['a list as map key', 'interface-type', withParam({ map: [{ list: 'u8' }, 'u8'] })],
    ['bytes as map key', 'interface-type', withParam({ map: ['bytes', 'u8'] })],
    ['a map of one', 'interface-shape', withParam({ map: ['u8'] })],
    ['two words at once', 'interface-shape', withParam({ list: 'u8', option: 'u8' })],
    ['an unknown word', 'interface-shape', withParam({ tuple: ['u8'] })],
    ['an empty object as type', 'interface-shape', withParam({})],
    ['a number as type', 'interface-shape', withParam(5)],
    ['a list 17 deep', 'interface-size', withParam(nestedList(17))],
    [
      'a list 100,000 deep',
      'interface-size',
      utf8Bytes(
        `{"version":1,"types":{},"entries":[{"name":"a","kind":"entry","params":[["a",${'{"list":'.repeat(20_000)}"u8"${'}'.repeat(20_000)}]],"result":null}]}`,
      ),
    ],
    ['a list of nothing', 'interface-type', withTypes({ Empty: { record: [] } }, [['a', { list: 'Empty' }]])],
    [
      'a list of records of nothing',
      'interface-type',
      withTypes(
        {
          Empty: { record: [] },
          Two: {
            record: [
              ['a', 'Empty'],
              ['b', 'Empty'],
            ],
          },
        },
        [['a', { list: 'Two' }]],
      ),
    ],
    ['a record in itself', 'interface-type', withTypes({ Node: { record: [['next', 'Node']] } })],
    [
      'a record in itself over another',
      'interface-type',
      withTypes({ A: { record: [['b', 'B']] }, B: { record: [['a', 'A']] } }),
    ],
    [
      'a variant in itself',
      'interface-type',
      withTypes({
        Tree: {
          variant: [
            ['leaf', null],
            ['node', 'Tree'],
          ],
        },
      }),
    ],
    ['an enum without cases', 'interface-type', withTypes({ E: { enum: [] } })],
    ['a case twice', 'interface-name', withTypes({ E: { enum: ['a', 'a'] } })],
    ['257 cases', 'interface-size', withTypes({ E: { enum: Array.from({ length: 257 }, (_, i) => `c${i}`) } })],
    [
      '257 fields',
      'interface-size',
      withTypes({ R: { record: Array.from({ length: 257 }, (_, i) => [`f${i}`, 'u8']) } }),
    ],
    ['spaces', 'interface-canonical', utf8Bytes(JSON.stringify(valid, null, 1))],
    ['keys in another order', 'interface-canonical', json({ types: {}, version: 1, entries: [entry] })],
    ['a key twice', 'interface-canonical', utf8Bytes('{"version":1,"version":1,"types":{},"entries":[]}')],
    [
      'a type twice',
      'interface-canonical',
      utf8Bytes('{"version":1,"types":{"A":{"enum":["a"]},"A":{"enum":["b"]}},"entries":[]}'),
    ],
    ['a byte order mark', 'interface-json', utf8Bytes(`\ufeff${JSON.stringify(valid)}`)],
  ]
  for (const [what, code, bytes] of refused) test(`refuses ${what}`, () => rejects(code, bytes))

  test('refuses signatures that grow by doubling, quickly', () => {
    const types: Record<string, unknown> = { T0: { record: [['a', 'u8']] } }
    for (let i = 1; i < 60; i++)
      types[`T${i}`] = {
        record: [
          ['a', `T${i - 1}`],
          ['b', `T${i - 1}`],
        ],
      }
    const start = performance.now()
    rejects('interface-size', withTypes(types, [['a', 'T59']]))
    assert.ok(performance.now() - start < 1_000)
  })

  test('a description with changed bytes is refused with a typed error or is another description', () => {
    const bytes = formatInterface(vectors.description)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 32, max: 126 })), { minLength: 1, maxLength: 3 }),
        (changes) => {
          const changed = bytes.slice()
          for (const [at, byte] of changes) changed[at] = byte
          try {
            assert.equal(utf8Text(formatInterface(parseInterface(changed))), utf8Text(changed))
          } catch (error) {
            assert.ok(error instanceof OnusError && error.code.startsWith('interface-'), String(error))
          }
        },
      ),
      { seed: 3, numRuns: 1_500 },
    )
  })
})

describe('selectors', () => {
  test('signatures and selectors of the vectors', () => {
    assert.equal(vectors.signatures.length, vectors.description.entries.length)
    for (const { entry: name, signature, selector } of vectors.signatures) {
      const described = vectors.description.entries.find((candidate) => candidate.name === name)
      assert.ok(described !== undefined)
      assert.equal(signatureOf(vectors.description, described), signature)
      assert.equal(toHex(selectorOf(vectors.description, described)), selector)
    }
  })

  test('signatures and selectors of the events', () => {
    assert.equal(vectors.eventSignatures.length, vectors.description.events?.length)
    for (const { event: name, signature, selector } of vectors.eventSignatures) {
      const described = vectors.description.events?.find((candidate) => candidate.name === name)
      assert.ok(described !== undefined)
      assert.equal(eventSignatureOf(vectors.description, described), signature)
      assert.equal(toHex(eventSelectorOf(vectors.description, described)), selector)
      assert.equal(toHex(nobleHasher.keccak256(utf8Bytes(signature)).slice(0, 4)), selector)
    }
  })

  test('the hash is the Keccak of Ethereum: its best known selector', () => {
    const hash = nobleHasher.keccak256(utf8Bytes('transfer(address,uint256)'))
    assert.equal(toHex(hash.slice(0, 4)), 'a9059cbb')
  })

  const signature = (types: Interface['types'], type: string): string => {
    const described = { name: 'f', kind: 'entry', params: [['a', type]], result: null } as const
    return signatureOf({ version: 1, types, entries: [described] }, described)
  }

  test('a renamed type keeps the signature; a renamed, moved or retyped field changes it', () => {
    const base = signature(
      {
        City: {
          record: [
            ['latitude', 'f64'],
            ['longitude', 'f64'],
          ],
        },
      },
      'City',
    )
    assert.equal(base, 'f({latitude:f64,longitude:f64})->void')
    assert.equal(
      signature(
        {
          Town: {
            record: [
              ['latitude', 'f64'],
              ['longitude', 'f64'],
            ],
          },
        },
        'Town',
      ),
      base,
    )
    assert.notEqual(
      signature(
        {
          City: {
            record: [
              ['longitude', 'f64'],
              ['latitude', 'f64'],
            ],
          },
        },
        'City',
      ),
      base,
    )
    assert.notEqual(
      signature(
        {
          City: {
            record: [
              ['latitude', 'f32'],
              ['longitude', 'f64'],
            ],
          },
        },
        'City',
      ),
      base,
    )
    assert.notEqual(
      signature(
        {
          City: {
            record: [
              ['lat', 'f64'],
              ['longitude', 'f64'],
            ],
          },
        },
        'City',
      ),
      base,
    )
  })

  test('types inside themselves are written by their distance', () => {
    const types: Interface['types'] = {
      A: {
        record: [
          ['b', { list: 'B' }],
          ['self', { option: 'A' }],
        ],
      },
      B: {
        variant: [
          ['a', { list: 'A' }],
          ['none', null],
        ],
      },
    }
    assert.equal(signature(types, 'A'), 'f({b:list<variant{a:list<^1>,none}>,self:option<^0>})->void')
  })

  test('the table is computed once for a description', () => {
    assert.equal(selectorTable(vectors.description), selectorTable(vectors.description))
  })
})
