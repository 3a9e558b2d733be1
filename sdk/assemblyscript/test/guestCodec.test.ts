import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { concatBytes, equalBytes, fromHex, toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { decodeCall, decodeResult, encodeCall } from '@onus/protocol/interface/call'
import type { Entry, Interface } from '@onus/protocol/interface/description'
import { encodeValue } from '@onus/protocol/interface/encodeValue'
import { selectorTable } from '@onus/protocol/interface/selector'
import * as fc from 'fast-check'
import { type BadInputVectors, echoBackend, type InterfaceVectors, readVectors } from './echo.js'
import { type Host, startHost, testHeader } from './host.js'
import { valueArbitrary } from './values.js'

const vectors = readVectors('interface.json') as InterfaceVectors
const badInput = readVectors('interface-bad-input.json') as BadInputVectors

let wasm: Uint8Array<ArrayBuffer>
let description: Interface
let host: Host

before(async () => {
  const built = await echoBackend()
  wasm = built.wasm
  description = built.interface
  host = startHost(wasm)
})

/** First line of the message with which the guest refuses, or undefined if it answers. */
function refusalOf(guest: Host, request: Uint8Array): string | undefined {
  try {
    guest.invoke(request)
    return undefined
  } catch (error) {
    return (error as Error).message.split('\n')[0]
  }
}

/** Entries that return their first argument, whatever it is. */
function echoes(): Entry[] {
  return description.entries.filter(({ name, limits }) => name.startsWith('echo') && limits === undefined)
}

describe('guest codec', () => {
  test('the vectors are made for this backend', () => {
    assert.deepEqual(description, vectors.description)
  })

  test('echo entries answer the vectors with their own bytes', () => {
    let echoed = 0
    for (const { entry, request } of vectors.requests.filter((vector) => vector.entry.startsWith('echo'))) {
      const output = host.invoke(fromHex(request))
      if (entry === 'echoTasks' || entry === 'echoLimited') continue
      assert.equal(toHex(output), request.slice(8), entry)
      echoed++
    }
    assert.ok(echoed >= 55)
  })

  test('random values of every type come back', () => {
    for (const entry of echoes()) {
      const values = fc.tuple(...entry.params.map(([, type]) => valueArbitrary(description, type)))
      fc.assert(
        fc.property(values, (args) => {
          const output = host.invoke(encodeCall(description, entry.name, args))
          assert.deepEqual(decodeResult(description, entry.name, output), args[0])
        }),
        { seed: 4, numRuns: 60 },
      )
    }
  })

  test('outputs with events are those of the vectors', () => {
    for (const { entry, request, output } of vectors.outputs)
      assert.equal(toHex(startHost(wasm).invoke(fromHex(request))), output, entry)
    assert.ok(vectors.outputs.length >= 4)
  })

  test('bad input is refused with the code of the vector', () => {
    for (const { name, request, code } of badInput.cases)
      assert.equal(refusalOf(startHost(wasm), fromHex(request)), code, name)
  })

  test('gateway and guest agree on every request, good or bad', () => {
    const entries = echoes()
    const requests = fc.constantFrom(...entries).chain((entry) =>
      fc.tuple(...entry.params.map(([, type]) => valueArbitrary(description, type))).chain((args) => {
        const good = encodeCall(description, entry.name, args)
        const change = fc.record({
          at: fc.integer({ min: 4, max: Math.max(4, good.length - 1) }),
          byte: fc.integer({ min: 0, max: 255 }),
          cut: fc.constantFrom(0, 0, -1, 1),
        })
        return change.map(({ at, byte, cut }) => {
          const changed = new Uint8Array(Math.max(4, good.length + cut))
          changed.set(good.subarray(0, changed.length))
          if (at < changed.length) changed[at] = byte
          return changed
        })
      }),
    )
    let guest = startHost(wasm)
    const verdicts = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(requests, (request) => {
        let code: string | undefined
        try {
          decodeCall(description, request)
        } catch (error) {
          assert.ok(error instanceof OnusError)
          code = error.code
        }
        assert.equal(refusalOf(guest, request), code, toHex(request))
        if (code === undefined) verdicts.accepted++
        else {
          verdicts.refused++
          guest = startHost(wasm)
        }
      }),
      { seed: 5, numRuns: 2_000 },
    )
    assert.ok(verdicts.accepted > 300 && verdicts.refused > 300, JSON.stringify(verdicts))
  })

  test('a map leaves the guest in key order, whatever the order of insertion', () => {
    const output = host.invoke(encodeCall(description, 'header', []))
    const map = decodeResult(description, 'header', output) as Map<string, string>
    assert.deepEqual([...map.keys()], [...map.keys()].sort())
  })

  test('a result without an encoding traps', () => {
    assert.equal(refusalOf(startHost(wasm), encodeCall(description, 'badResult', [0])), 'encode-utf8')
    assert.equal(refusalOf(startHost(wasm), encodeCall(description, 'badResult', [1])), 'encode-utf8')
    assert.equal(refusalOf(startHost(wasm), encodeCall(description, 'notANumber', [])), 'encode-nan')
  })

  test('64 records inside each other leave the guest, 65 do not', () => {
    const deepest = decodeResult(description, 'deep', host.invoke(encodeCall(description, 'deep', [64])))
    assert.equal(toHex(encodeValue(description, 'Tree', deepest, 'tree')).length, 64 * 16)
    assert.equal(refusalOf(startHost(wasm), encodeCall(description, 'deep', [65])), 'encode-depth')
  })

  test('throw gives its message, file and line', () => {
    assert.throws(() => startHost(wasm).invoke(encodeCall(description, 'badResult', [2])), {
      message: /^říkal jsem ne 🐎\n {4}at assembly\/test\/echo\.ts:\d+:3$/,
    })
  })

  test('a large request and a large result pass', () => {
    const lists = Array.from({ length: 300 }, (_, i) => Array.from({ length: 1_000 }, (_, j) => i * j))
    const output = host.invoke(encodeCall(description, 'echoLists', [lists]))
    assert.deepEqual(decodeResult(description, 'echoLists', output), lists)
    const text = 'é🐎'.repeat(200_000)
    assert.equal(
      decodeResult(description, 'echoString', host.invoke(encodeCall(description, 'echoString', [text]))),
      text,
    )
  })
})

describe('context', () => {
  test('all fields of the header reach the guest', () => {
    const output = host.invoke(encodeCall(description, 'header', []))
    const seen = Object.fromEntries(decodeResult(description, 'header', output) as Map<string, string>)
    assert.deepEqual(seen, {
      caller: `0x${'c1'.repeat(20)}`,
      callerLength: '20',
      session: String(testHeader.session),
      counter: String(testHeader.counter),
      height: String(testHeader.height),
      time: String(testHeader.time),
      transactionId: Array(32).fill(0x1d).join(),
      seed: [...testHeader.seed].join(),
    })
  })

  test('Math.random depends on the seed of the call and on nothing else', () => {
    const request = encodeCall(description, 'random', [])
    const first = startHost(wasm).invoke(request)
    const again = startHost(wasm)
    again.invoke(selectorOnly('nothing'))
    assert.ok(equalBytes(again.invoke(request), first))
    assert.ok(equalBytes(again.invoke(request), first))
    const other = startHost(wasm, { ...testHeader, seed: new Uint8Array(32).fill(9) })
    assert.ok(!equalBytes(other.invoke(request), first))
    const numbers = decodeResult(description, 'random', first) as number[]
    for (const number of numbers) assert.ok(number >= 0 && number < 1)
    assert.notEqual(numbers[0], numbers[1])
  })

  test('bytes behind the selector of an entry without parameters are refused', () => {
    assert.equal(refusalOf(startHost(wasm), concatBytes(selectorOnly('nothing'), Uint8Array.of(0))), 'decode-trailing')
  })
})

function selectorOnly(name: string): Uint8Array {
  const selector = selectorTable(description).selectors.get(name)
  assert.ok(selector !== undefined)
  return selector
}
