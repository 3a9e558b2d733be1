/** Memory over twenty minutes of load does not grow by more than 1 MB a minute (issue 4); nightly, by the benchmark. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const repository = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const skip = process.env['ONUS_NIGHTLY'] === '1' ? false : 'nightly: 20 minutes of load, npm run bench -- soak'

test('memory is flat after minute 5', { skip, timeout: 45 * 60_000 }, () => {
  const args = [join(repository, 'bench/dist/src/main.js'), 'soak', '--minutes', '20', '--json']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 40 * 60_000 })
  assert.equal(status, 0, stderr)
  const { figures } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { figures: Record<string, number> }
  console.log(JSON.stringify(figures))
  assert.equal(figures['failed'], 0)
  assert.ok((figures['memorySlopeMBPerMinute'] ?? Number.NaN) <= 1, JSON.stringify(figures))
})
