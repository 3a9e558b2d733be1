/** The samples of `docs/guides/assemblyscript.md`: each is built, and the calls below it give what stands there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type BuiltBackend, buildBackend } from '@onus/assemblyscript/build'
import { decodeOutput } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { encodeValue } from '@onus/protocol/interface/encodeValue'
import { argumentsOfJson, toJsonValue } from '@onus/protocol/interface/jsonValue'
import { selectorTable } from '@onus/protocol/interface/selector'
import { packageFolder } from './echo.js'
import { type Host, startHost } from './host.js'

interface Sample {
  readonly file: string
  readonly source: string
  readonly calls: readonly string[]
}

const guide = readFileSync(join(packageFolder, '../../docs/guides/assemblyscript.md'), 'utf8')
const samples = [...guide.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```\n\n```calls\n([\s\S]*?)```/g)].map(
  ([, file = '', source = '', calls = '']): Sample => ({ file, source, calls: calls.trimEnd().split('\n') }),
)

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onus-guide-'))
})
after(() => rm(folder, { recursive: true }))

async function build({ file, source }: Sample): Promise<BuiltBackend> {
  const entryFile = join(folder, file)
  await mkdir(dirname(entryFile), { recursive: true })
  await writeFile(entryFile, source)
  return buildBackend({ entryFile, baseDirectory: folder, optimize: 'fast' })
}

/** Request of a call as the guide writes it; limits are left to the backend, so that it is seen to refuse. */
function requestOf(description: Interface, name: string, args: unknown): Uint8Array {
  const entry = description.entries.find((candidate) => candidate.name === name)
  assert.ok(entry !== undefined, name)
  const values = argumentsOfJson(description, entry, args)
  const selector = selectorTable(description).selectors.get(name)
  assert.ok(selector !== undefined)
  const encoded = entry.params.map(([field, type], index) => encodeValue(description, type, values[index], field))
  return new Uint8Array(Buffer.concat([selector, ...encoded]))
}

/** Lines that the guide would have for a call. */
function linesOf(description: Interface, host: Host, call: string): string[] {
  const [, name = '', args = ''] = /^(\w+)\((.*)\)$/.exec(call) ?? []
  let output: Uint8Array
  try {
    output = host.invoke(requestOf(description, name, JSON.parse(`[${args}]`)))
  } catch (error) {
    return [`${call} ✖ ${(error as Error).message.split('\n')[0]}`]
  }
  const result = description.entries.find((entry) => entry.name === name)?.result ?? null
  const { value, events } = decodeOutput(description, name, output)
  const shown = result === null ? null : toJsonValue(description, result, value)
  return [
    `${call} → ${JSON.stringify(shown)}`,
    ...events.map(
      ({ name: event, value: fields }) => `  event ${event} ${JSON.stringify(eventJson(description, event, fields))}`,
    ),
    ...host.logs().map((text) => `  log ${text}`),
  ]
}

function eventJson(description: Interface, name: string, value: Record<string, unknown>): unknown {
  const fields = description.events?.find((event) => event.name === name)?.fields ?? []
  return Object.fromEntries(fields.map(([field, type]) => [field, toJsonValue(description, type, value[field])]))
}

describe('the guide', () => {
  test('has samples, and calls for every one of them', () => {
    assert.equal(samples.length, [...guide.matchAll(/```ts\n/g)].length)
    assert.ok(samples.length >= 7)
  })

  for (const sample of samples)
    test(sample.file, async () => {
      const { wasm, interface: description } = await build(sample)
      let host = startHost(wasm)
      const done: string[] = []
      for (const line of sample.calls.filter((candidate) => !candidate.startsWith('  '))) {
        const call = line.split(/ [→✖] /)[0] as string
        const lines = linesOf(description, host, call)
        done.push(...lines)
        if (!lines[0]?.includes('✖')) continue
        // This host undoes nothing: what was there before is made again.
        host = startHost(wasm)
        for (const again of done.filter((text) => / → /.test(text)))
          linesOf(description, host, again.split(' → ')[0] as string)
      }
      assert.deepEqual(done, sample.calls)
    })
})
