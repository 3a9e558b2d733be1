import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSuite } from '../lib/testRun.mjs'
import { temporaryTree } from './temporaryTree.mjs'

/** Runs files (name to text after the imports) as one suite: its results and what it wrote. */
async function runFiles(t, files, seconds = 60) {
  const head = "import { describe, test } from 'node:test'\n"
  const sources = Object.entries(files).map(([name, text]) => [`${name}.test.mjs`, head + text])
  const root = temporaryTree(t, Object.fromEntries(sources))
  const suite = {
    name: 'fixture',
    files: sources.map(([name]) => ({ source: `sources/${name}`, run: name })),
    concurrency: 1,
    seconds,
  }
  const lines = []
  const results = await runSuite(root, suite, { ONUS_FIXTURE: 'yes' }, (line) => lines.push(line))
  return { ...results, written: lines.join('\n') }
}

test('passes are counted as tests, not as groups; environment and printing reach the report', async (t) => {
  const { passed, failures, skips, written } = await runFiles(t, {
    a: "test('one', () => console.log(process.env.ONUS_FIXTURE))\ndescribe('group', () => { test('two', () => {}) })",
  })
  assert.deepEqual({ passed, failures, skips }, { passed: 2, failures: [], skips: [] })
  assert.match(written, /\| a\.test\.mjs: yes/)
})

test('skips keep their reasons, of tests, of groups and of tests marked as to do', async (t) => {
  const { passed, failures, skips } = await runFiles(t, {
    a: [
      "test('one', { skip: 'needs go: absent' }, () => {})",
      "test('two', (t) => t.skip('nightly: long'))",
      "test('three', { skip: true }, () => {})",
      "test('four', { todo: 'later' }, () => { throw new Error('x') })",
      "describe('outer', () => { describe('inner', { skip: 'whole group' }, () => { test('five', () => {}) }) })",
    ].join('\n'),
  })
  assert.equal(passed, 0)
  assert.deepEqual(failures, [])
  assert.deepEqual(
    skips.map(({ name, reason }) => `${name}: ${reason}`),
    [
      'one: needs go: absent',
      'two: nightly: long',
      'three: ',
      'four: marked as to do: later',
      'outer > inner: whole group',
    ],
  )
})

test('a failure is counted once, named with its groups and source, and shown with its stack', async (t) => {
  const { passed, failures, written } = await runFiles(t, {
    a: "describe('group', () => { test('bad', () => { throw new TypeError('boom') }); test('good', () => {}) })",
    b: "test('parent', async (t) => { await t.test('child', () => { throw new Error('inner') }) })",
  })
  assert.equal(passed, 1)
  assert.deepEqual(failures, [
    { file: 'sources/a.test.mjs', name: 'group > bad' },
    { file: 'sources/b.test.mjs', name: 'parent > child' },
  ])
  assert.match(written, /TypeError.*: boom\n\s+at .*a\.test\.mjs:2/)
})

test('a file that does not load, has no test, or ends badly after its tests is a failure', async (t) => {
  const { failures, written } = await runFiles(t, {
    a: "throw new Error('no load')",
    b: 'describe.name',
    c: "test('fine', () => {})\nprocess.on('exit', () => { process.exitCode = 3 })",
  })
  assert.deepEqual(
    failures.map(({ file }) => file),
    ['sources/a.test.mjs', 'sources/b.test.mjs', 'sources/c.test.mjs'],
  )
  assert.match(written, /no load/)
  assert.match(written, /this file has no test/)
})

test('a suite past its bound is killed, with the process group and the unfinished test named', async (t) => {
  const started = Date.now()
  const { failures } = await runFiles(t, { a: "test('endless', () => { for (;;); })" }, 2)
  assert.ok(Date.now() - started < 20_000)
  assert.equal(failures.length, 1)
  assert.match(failures[0].name, /not done within 2 s and was killed \(process group \d+\)/)
})
