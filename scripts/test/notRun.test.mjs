import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isExcused, notRunTable, rowOf, rowsOfSkips } from '../lib/notRun.mjs'

test('skips are grouped by reason, with the remedy of the capability that the reason names', () => {
  const skips = ['a', 'b', 'c', 'd'].map((name) => ({ file: 'f', name, reason: 'needs go: no working Go on the path' }))
  const rows = rowsOfSkips('packages/node', [...skips, { file: 'f', name: 'e', reason: 'nightly: takes an hour' }])
  assert.deepEqual(rows, [
    {
      what: 'packages/node: a, b, c, and 1 more',
      reason: 'needs go: no working Go on the path',
      how: 'install Go from https://go.dev/dl and put it on the path',
      count: 4,
    },
    { what: 'packages/node: e', reason: 'nightly: takes an hour', how: 'npm run test:nightly', count: 1 },
  ])
})

test('only a nightly test in an ordinary run is excused', () => {
  assert.equal(isExcused(rowOf('x', 'nightly: long', 1), false), true)
  assert.equal(isExcused(rowOf('x', 'nightly: long', 1), true), false)
  assert.equal(isExcused(rowOf('x', 'needs go: absent', 1), false), false)
  assert.equal(isExcused(rowOf('x', '', 1), false), false)
})

test('the table has a head and a line per row, and is absent without rows', () => {
  assert.deepEqual(notRunTable([]), [])
  const lines = notRunTable([rowOf('test/browser (2 files)', 'needs chromium: none', 1)])
  assert.equal(lines.length, 4)
  assert.match(lines[3], /test\/browser \(2 files\) +needs chromium: none +install Chromium/)
})
