/** Arguments typed by the interface from words, and values for people. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { printValue } from '@onus/cli/values/printValue'
import { readArguments, shellWord } from '@onus/cli/values/readArguments'
import { entryText } from '@onus/cli/values/typeText'
import { OnusError } from '@onus/protocol/errors'
import { encodeCall } from '@onus/protocol/interface/call'
import type { Entry, Interface, TypeExpression } from '@onus/protocol/interface/description'
import fc from 'fast-check'

const description: Interface = {
  version: 1,
  types: {
    Note: {
      record: [
        ['id', 'u32'],
        ['text', 'string'],
        ['tags', { map: ['string', 'u64'] }],
      ],
    },
    Color: { enum: ['red', 'green'] },
    Shape: {
      variant: [
        ['dot', null],
        ['circle', 'f64'],
      ],
    },
  },
  entries: [],
}

function entryWith(...types: readonly TypeExpression[]): Entry {
  const params = types.map((type, index) => [`p${index}`, type] as const)
  return { name: 'go', kind: 'entry', params, result: null }
}

function read(type: TypeExpression, word: string): unknown {
  const entry = entryWith(type)
  const [value] = readArguments(description, entry, [word])
  encodeCall({ ...description, entries: [entry] }, 'go' as never, [value] as never)
  return value
}

function complaint(type: TypeExpression, word: string): string {
  try {
    read(type, word)
  } catch (error) {
    assert.ok(error instanceof OnusError)
    assert.match(error.message, /\(not sent\)$/)
    return error.message
  }
  return assert.fail(`${word} was taken for ${JSON.stringify(type)}`)
}

describe('words become typed values', () => {
  test('of every kind', () => {
    assert.equal(read('string', 'buy milk'), 'buy milk')
    assert.equal(read('string', '"7"'), '7')
    assert.equal(read('u32', '7'), 7)
    assert.equal(read('i32', '-7'), -7)
    assert.equal(read('u64', '18446744073709551615'), 18446744073709551615n)
    assert.equal(read('u64', '7'), 7n)
    assert.equal(read('f64', '0.5'), 0.5)
    assert.equal(read('bool', 'true'), true)
    assert.deepEqual(read('bytes', '0x00ff'), Uint8Array.of(0, 255))
    assert.equal(read({ option: 'string' }, 'null'), null)
    assert.equal(read({ option: 'string' }, 'x'), 'x')
    assert.deepEqual(read({ list: 'u64' }, '[1, 18446744073709551615]'), [1n, 18446744073709551615n])
    assert.equal(read('Color', 'green'), 'green')
    assert.deepEqual(read('Shape', '{"tag":"circle","value":1.5}'), { tag: 'circle', value: 1.5 })
    assert.deepEqual(read('Note', '{"id":1,"text":"x","tags":{"a":12345678901234567890}}'), {
      id: 1,
      text: 'x',
      tags: new Map([['a', 12345678901234567890n]]),
    })
  })

  test('trailing options may be left out', () => {
    assert.deepEqual(readArguments(description, entryWith('u32', { option: 'u32' }), ['1']), [1])
    assert.throws(
      () => readArguments(description, entryWith('u32', { option: 'u32' }), []),
      /expected 1 to 2 arguments, got 0/,
    )
  })

  test('any text comes through the word that the complaint proposes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => read('string', JSON.stringify(text)) === text),
      { numRuns: 300, seed: 8 },
    )
  })
})

describe('what is refused before it is sent', () => {
  test('a number where a text is wanted, with the words that do', () => {
    assert.equal(
      complaint('string', '7'),
      `go(p0: string): argument 1 is a number. Try: onus call go '"7"'   (not sent)`,
    )
    assert.match(complaint('string', 'true'), /is a boolean\. Try: onus call go '"true"'/)
  })

  test('other types, by path', () => {
    assert.match(complaint('u32', 'seven'), /"seven" is neither JSON nor u32/)
    assert.match(complaint('u32', '"7"'), /is a text.*Try: onus call go 7/)
    assert.match(complaint('u8', '256'), /0 to 255/)
    assert.match(complaint('u32', '1.5'), /integer/)
    assert.match(complaint('Note', '{"id":1}'), /text/)
    assert.match(complaint('Note', '{"id":"x","text":"a","tags":{}}'), /p0\.id: expected a number/)
    assert.match(complaint({ list: 'u32' }, '7'), /Try: onus call go '\[7\]'/)
    assert.match(complaint('Color', 'blue'), /one of red, green/)
    assert.match(complaint('bytes', 'hello'), /0x-hexadecimal/)
  })

  test('too few arguments get an example that is taken', () => {
    const entry = entryWith('string', 'Note', { list: 'Color' }, 'Shape', 'u64')
    assert.throws(
      () => readArguments(description, entry, []),
      (error: OnusError) => {
        assert.match(error.message, /expected 5 arguments, got 0/)
        assert.match(error.remedy ?? '', /onus call go text '\{"id":1,"text":"text"/)
        return true
      },
    )
  })

  test('never anything but an OnusError, whatever the word', () => {
    const types: TypeExpression[] = [
      'u8',
      'u64',
      'string',
      'bytes',
      'Note',
      'Shape',
      'Color',
      { list: 'Note' },
      { option: 'bool' },
    ]
    const word = fc.oneof(fc.string(), fc.json())
    fc.assert(
      fc.property(fc.constantFrom(...types), word, (type, text) => {
        try {
          read(type, text)
        } catch (error) {
          assert.ok(error instanceof OnusError, String(error))
        }
      }),
      { numRuns: 2_000, seed: 4 },
    )
  })
})

test('values for people', () => {
  assert.equal(printValue([{ id: 0, text: 'buy milk' }]), '[{ id: 0, text: "buy milk" }]')
  assert.equal(printValue(new Map([['a', 1n]])), 'Map { "a" => 1 }')
  assert.equal(printValue(Uint8Array.of(1, 255)), '0x01ff')
  assert.equal(printValue([]), '[]')
  assert.equal(printValue(null), 'null')
  const long = printValue(Array.from({ length: 40 }, (_, id) => ({ id })))
  assert.equal(long.split('\n').length, 42)
})

test('types as a developer writes them', () => {
  const entry: Entry = {
    name: 'find',
    kind: 'query',
    params: [
      ['by', { option: 'string' }],
      ['in', { list: { option: 'u32' } }],
      ['map', { map: ['u32', 'Note'] }],
    ],
    result: { list: 'Note' },
  }
  assert.equal(
    entryText(description, entry),
    'find(by: string | null, in: (u32 | null)[], map: Map<u32, Note>): Note[]',
  )
})

test('words for a shell', () => {
  assert.equal(shellWord('plain-1.txt'), 'plain-1.txt')
  assert.equal(shellWord("it's"), `'it'\\''s'`)
})
