import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { type BuiltBackend, buildBackend } from '@onus/assemblyscript/build'
import { equalBytes, utf8Text } from '@onus/protocol/bytes'
import { decodeResult, encodeCall } from '@onus/protocol/interface/call'
import { interfaceSectionName } from '@onus/protocol/interface/description'
import { formatInterface, parseInterface } from '@onus/protocol/interface/parseInterface'
import { echoBackend, packageFolder } from './echo.js'
import { startHost } from './host.js'

let built: BuiltBackend
before(async () => {
  built = await echoBackend()
})

describe('module', () => {
  test('imports four functions, exports invoke and memory', () => {
    const module = new WebAssembly.Module(built.wasm)
    const imports = WebAssembly.Module.imports(module).map(({ module: from, name, kind }) => `${from}.${name} ${kind}`)
    assert.deepEqual(imports.sort(), [
      'onus.input_read function',
      'onus.input_size function',
      'onus.log_write function',
      'onus.output_write function',
    ])
    const exports = WebAssembly.Module.exports(module).map(({ name, kind }) => `${name} ${kind}`)
    assert.deepEqual(exports.sort(), ['invoke function', 'memory memory'])
  })

  test('the custom section is the description, in its canonical bytes', () => {
    const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(built.wasm), interfaceSectionName)
    assert.ok(section !== undefined)
    const bytes = new Uint8Array(section)
    assert.deepEqual(parseInterface(bytes), built.interface)
    assert.equal(utf8Text(formatInterface(built.interface)), utf8Text(bytes))
  })

  test('the memory has a maximum and the instructions are those of the profile', () => {
    assert.match(built.text, /\(memory \$0 \d+ 4096\)/)
    const outside =
      /\b(v128|[if]\d+x\d+|memory\.init|data\.drop|table\.\w+|elem\.drop|ref\.\w+|return_call\w*|\w+\.atomic\.\w+|memory\.atomic\w*)\b/
    assert.equal(built.text.match(outside)?.[0], undefined)
    assert.doesNotMatch(built.text, /\(import "env"/)
  })

  test('initialisers are the start function', () => {
    assert.match(built.text, /\(start \$~start\)/)
  })

  test('function names are kept for traps, and no path of this machine is inside', () => {
    const module = new WebAssembly.Module(built.wasm)
    const [names] = WebAssembly.Module.customSections(module, 'name')
    assert.ok(names !== undefined)
    assert.match(Buffer.from(names).toString('latin1'), /assembly\/test\/echo\/__onus_dispatch/)
    assert.ok(!Buffer.from(built.wasm).toString('latin1').includes(packageFolder))
    const map = JSON.parse(built.sourceMap) as { sources: string[]; sourcesContent: string[] }
    assert.ok(map.sources.includes('assembly/test/echo.ts'))
    assert.equal(map.sources.length, map.sourcesContent.length)
    assert.ok(!built.sourceMap.includes(packageFolder))
  })

  test('the layout names classes with their fields, and the variables', () => {
    const node = built.layout.classes.find(({ name }) => name === 'assembly/test/model/Task')
    assert.deepEqual(
      node?.fields.map(({ name, offset, type }) => `${offset} ${name}: ${type}`),
      [
        '0 name: ~lib/string/String',
        '4 id: u32',
        '8 owner: ~lib/string/String | null',
        '12 status: i32',
        '16 amount: u64',
        '24 tags: ~lib/array/Array<~lib/string/String>',
        '28 history: ~lib/array/Array<i32>',
      ],
    )
    const calls = built.layout.variables.find(({ name }) => name === 'assembly/test/echo/calls')
    assert.equal(calls?.type, 'u64')
    assert.match(built.text, /\(global \$assembly\/test\/echo\/calls \(mut i64\)/)
  })

  test('a memory base leaves room below the data', async () => {
    const entryFile = join(packageFolder, 'assembly/test/collections.ts')
    const { text } = await buildBackend({ entryFile, memoryBase: 1 << 20, optimize: 'fast' })
    const addresses = [...text.matchAll(/\(data \$[\d.]+ \(i32\.const (\d+)\)/g)].map((match) => Number(match[1]))
    assert.ok(addresses.length > 0 && Math.min(...addresses) >= 1 << 20)
  })

  test('two builds, in two places, give the same bytes', async () => {
    const again = await buildBackend({ entryFile: join(packageFolder, 'assembly/test/echo.ts') })
    assert.ok(equalBytes(again.wasm, built.wasm))
    const elsewhere = await mkdtemp(join(tmpdir(), 'onus-build-'))
    try {
      await cp(join(packageFolder, 'assembly/test'), join(elsewhere, 'assembly/test'), { recursive: true })
      const moved = await buildBackend({
        entryFile: join(elsewhere, 'assembly/test/echo.ts'),
        baseDirectory: elsewhere,
      })
      assert.ok(equalBytes(moved.wasm, built.wasm))
      assert.equal(moved.sourceMap, built.sourceMap)
    } finally {
      await rm(elsewhere, { recursive: true })
    }
  })

  test('outDir receives module and source map', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'onus-build-'))
    try {
      const entryFile = join(packageFolder, 'assembly/test/collections.ts')
      const other = await buildBackend({ entryFile, outDir: folder, name: 'numbers', maximumMemoryPages: 64 })
      assert.ok(equalBytes(await readFile(join(folder, 'numbers.wasm')), other.wasm))
      assert.equal(await readFile(join(folder, 'numbers.wasm.map'), 'utf8'), other.sourceMap)
      assert.match(other.description, /^export const numbers = \{$/m)
      assert.match(other.text, /\(memory \$0 \d+ 64\)/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('the backend of the first steps', () => {
  const source = `class Note { constructor(public id: u32, public text: string) {} }
const notes = new Array<Note>();
export function add(text: string): u32 { notes.push(new Note(notes.length, text)); return notes.length - 1 }
/** @query */
export function list(from: u32, max: u32): Note[] { return notes.slice(from, from + max) }
`
  test('ordinary functions are entries, and state is kept between calls', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'onus-build-'))
    try {
      await writeFile(join(folder, 'notes.ts'), source)
      const { wasm, interface: description } = await buildBackend({ entryFile: join(folder, 'notes.ts') })
      assert.deepEqual(
        description.entries.map(({ name, kind }) => `${kind} ${name}`),
        ['entry add', 'query list'],
      )
      const host = startHost(wasm)
      const call = (name: string, ...args: unknown[]): unknown =>
        decodeResult(description, name, host.invoke(encodeCall(description, name, args)))
      assert.equal(call('add', 'buy milk'), 0)
      assert.equal(call('add', 'sell it'), 1)
      assert.deepEqual(call('list', 0, 10), [
        { id: 0, text: 'buy milk' },
        { id: 1, text: 'sell it' },
      ])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('memory', () => {
  test('stays flat over a million calls that allocate, and two replicas stay equal', () => {
    const calls = 1_000_000
    const requests = Array.from({ length: 64 }, (_, i) =>
      encodeCall(built.interface, 'churn', [`key ${i}`, 'x'.repeat(50 + i)]),
    )
    const replicas = [startHost(built.wasm), startHost(built.wasm)] as const
    const sizes: number[] = []
    let output: Uint8Array = new Uint8Array()
    for (let i = 0; i < calls; i++) {
      const request = requests[(i * 7) % 64] as Uint8Array
      output = replicas[0].invoke(request)
      if (i < 20_000) replicas[1].invoke(request)
      if (i === 19_999) assert.ok(equalBytes(replicas[0].memory(), replicas[1].memory()))
      if (i % 50_000 === 0) sizes.push(replicas[0].memoryBytes())
    }
    assert.equal(decodeResult(built.interface, 'churn', output), BigInt(calls))
    assert.ok(Math.max(...sizes) <= 4 * 2 ** 20, `memory grew: ${sizes.map((size) => size / 2 ** 20).join(' ')} MiB`)
    assert.equal(sizes.at(-1), sizes[2])
  })
})

describe('collections', () => {
  test('PagedArray and HashIndex agree with Array and Map', async () => {
    const { wasm, interface: description } = await buildBackend({
      entryFile: join(packageFolder, 'assembly/test/collections.ts'),
    })
    const host = startHost(wasm)
    const call = (name: string, ...args: unknown[]): unknown =>
      decodeResult(description, name, host.invoke(encodeCall(description, name, args)))
    assert.equal(call('push', [1n, 2n, 3n]), 3)
    assert.equal(call('extend', 5_000), 5_000)
    assert.equal(call('extend', 10), 5_000)
    assert.equal(call('push', [7n]), 5_001)
    assert.deepEqual([call('get', 2), call('get', 3), call('get', 4_999), call('get', 5_000)], [3n, 0n, 0n, 7n])
    call('set', 4_096, 9n)
    assert.equal(call('get', 4_096), 9n)
    assert.throws(() => call('get', 5_001), /index beyond the end/)
    assert.throws(() => call('set', 5_001, 1n), /index beyond the end/)

    const modulus = 10_007
    const expected = new Map<number, number[]>()
    for (let batch = 0; batch < 40; batch++) {
      const added = Array.from({ length: 500 }, (_, i) => ((batch * 500 + i) * 2_654_435) % 1_000_003)
      call('add', added, modulus)
      for (const key of added) expected.set(key % modulus, [...(expected.get(key % modulus) ?? []), key])
    }
    for (let hash = 0; hash < modulus; hash += 13) {
      const keys = (expected.get(hash) ?? []).sort((a, b) => a - b)
      assert.deepEqual(call('find', hash, modulus), keys)
    }
  })
})
