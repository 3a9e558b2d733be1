/** The helper of unit tests of backends: explicit time and callers, undone traps, counted gas. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { BuiltBackend } from '@onus/assemblyscript/build'
import { testBackend } from '@onus/cli/testing'
import { OnusError } from '@onus/protocol/errors'
import { buildSource } from './support/liveBackend.js'

const source = `
import { context } from "@onus/assemblyscript";
let last = "";
export function touch(word: string): string {
  if (word == "") throw new Error("no word");
  last = word;
  return word + " at " + context.time().toString() + " in block " + context.height().toString();
}
/** @query */
export function lastWord(): string { return last }
`

const description = {
  version: 1,
  types: {},
  entries: [
    { name: 'touch', kind: 'entry', params: [['word', 'string']], result: 'string' },
    { name: 'lastWord', kind: 'query', params: [], result: 'string' },
  ],
} as const

let built: BuiltBackend

before(async () => {
  built = await buildSource(source)
})

test('time and height are explicit', () => {
  const backend = testBackend(description, { wasm: built.wasm, time: 1_000 })
  assert.equal(backend.call.touch('a'), 'a at 1000 in block 1')
  backend.advanceTime(500)
  assert.equal(backend.call.touch('b'), 'b at 1500 in block 2')
  backend.setTime(7)
  assert.equal(backend.as(`0x${'22'.repeat(20)}`).call.touch('c'), 'c at 7 in block 3')
  assert.equal(backend.height, 3)
  assert.ok(backend.gasUsed > 0)
  assert.deepEqual(backend.events, [])
})

test('a trap undoes its call and tells why', () => {
  const backend = testBackend(description, { wasm: built.wasm })
  backend.call.touch('kept')
  assert.throws(
    () => backend.call.touch(''),
    (error) => error instanceof OnusError && error.code === 'call-trapped' && /no word/.test(error.message),
  )
  assert.equal(backend.query.lastWord(), 'kept')
})

test('two backends share nothing, and a missing module has a remedy', () => {
  testBackend(description, { wasm: built.wasm }).call.touch('x')
  assert.equal(testBackend(description, { wasm: built.wasm }).query.lastWord(), '')
  assert.throws(
    () => testBackend(description, { wasm: '/no/such.wasm' }),
    (error) => error instanceof OnusError && error.remedy === 'build it first: npx onus build',
  )
})
