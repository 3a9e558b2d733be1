/**
 * `npm start -- --once --json --out DIR` as a stranger runs it, on a part of the data; and the files that it writes,
 * checked by a program that shares no code with ours (`test/independent/check.py`, written from spec/).
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const main = join(root, 'packages/cli/dist/src/main.js')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(
  args: readonly string[],
  timeout: number,
  onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], { timeout, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk
      onOutput?.(stdout, (signal) => child.kill(signal))
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk
    })
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

test('one run: JSON as the last line, and samples that an independent program checks', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'onus-samples-'))
  try {
    const { code, stdout, stderr } = await run(
      ['start', '--once', '--json', '--records', '6000', '--out', folder],
      300_000,
    )
    assert.equal(code, 0, stderr)
    const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    assert.equal(summary.nodes, 4)
    assert.equal(summary.records, 6000)
    assert.equal(summary.failed, 0)
    assert.equal(summary.certified, summary.calls)
    assert.equal(summary.calls, 60 + 200)
    for (const name of ['p50Ms', 'p99Ms', 'callsPerSecond']) assert.ok(summary[name] > 0, name)
    assert.ok(['cometbft', 'embedded'].includes(summary.engine))
    assert.equal((await readdir(folder)).length, 3 + 2 * 100)
    if (spawnSync('python3', ['--version']).status !== 0) {
      context.diagnostic('needs python3: the independent check of the samples did not run')
      return
    }
    const check = spawnSync('python3', [join(root, 'test/independent/check.py'), folder], {
      encoding: 'utf8',
      timeout: 120_000,
    })
    assert.equal(check.status, 0, check.stderr)
    assert.match(check.stdout, /^100 receipts under \d+ certificates of 4 members: all right$/m)
    const sample = join(folder, 'certificate-001.bin')
    const changed = await readFile(sample)
    changed[changed.length >> 1] = (changed[changed.length >> 1] as number) ^ 1
    await writeFile(sample, changed)
    assert.notEqual(spawnSync('python3', [join(root, 'test/independent/check.py'), folder]).status, 0)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('Ctrl-C stops the cluster and its processes', async () => {
  const { code, stdout } = await run(['start', '--records', '200'], 200_000, (text, kill) => {
    if (text.includes('stays up')) kill('SIGINT')
  })
  assert.match(stdout, /The cluster stays up/)
  assert.ok(code === 0 || code === 130, `code ${code}`)
  const url = /(http:\/\/127\.0\.0\.1:\d+)\/v1\/status/.exec(stdout)?.[1]
  assert.ok(url !== undefined)
  await assert.rejects(fetch(`${url}/v1/status`))
})

test('usage errors say what was expected', async () => {
  for (const [args, expected] of [
    [['frobnicate'], /there is no command "frobnicate"/],
    [['start', '--nodes', '3'], /--nodes: expected 4 to 16, got "3"/],
    [['start', '--engine', 'raft'], /--engine: expected cometbft or embedded/],
    [['start', '--no-such'], /Unknown option '--no-such'/],
  ] as const) {
    const { code, stderr } = await run(args, 20_000)
    assert.equal(code, 1)
    assert.match(stderr, expected)
  }
})
