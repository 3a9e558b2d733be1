import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quantile, rounded } from '@onus/cli/demo/statistics'
import { createProgress } from '@onus/cli/progress'

function recorder(isTTY: boolean): { stream: NodeJS.WriteStream; written: string[] } {
  const written: string[] = []
  const stream = { isTTY, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream
  return { stream, written }
}

test('on a terminal one line is rewritten', () => {
  const { stream, written } = recorder(true)
  const progress = createProgress(stream)
  progress.update('one')
  progress.update('two')
  progress.done('three')
  assert.deepEqual(written, ['\r\u001b[K  … one', '\r\u001b[K  … two', '\r\u001b[K✔ three\n'])
})

test('elsewhere whole lines come, and not one for each step', () => {
  const { stream, written } = recorder(false)
  const progress = createProgress(stream)
  for (let step = 0; step < 100; step++) progress.update(`step ${step}`)
  progress.done('ready')
  assert.deepEqual(written, ['  … step 0\n', '✔ ready\n'])
})

test('quantiles are elements, and none of nothing', () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2)
  assert.equal(quantile([3, 1, 2], 0.99), 3)
  assert.equal(quantile([5], 0), 5)
  assert.ok(Number.isNaN(quantile([], 0.5)))
  assert.equal(rounded(1.2345), 1.2)
})
