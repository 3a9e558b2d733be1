/**
 * The backend developer's journey (`journeys.md`) with the real command line, in an empty folder: new, build, test, dev,
 * call, a wrong call, query, an edit that keeps the state, one that cannot, a broken build, a trap, a liar, quit.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const clone = join(root, 'packages/cli/bin/onus.mjs')
/** One step, on a machine that others use too. */
const patience = 120_000

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let folder = ''
let project = ''
let environment: NodeJS.ProcessEnv = {}

function run(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: environment, timeout: patience, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** The project's own `onus`, as `npx onus` finds it. */
function onus(...args: readonly string[]): Promise<Ended> {
  return run(join(project, 'node_modules/.bin/onus'), args, project)
}

async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await onus(...args, '--json')
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.length, 1, `${stdout}\n${stderr}`)
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>
}

class Dev {
  readonly child: ChildProcess
  text = ''

  constructor() {
    this.child = spawn(join(project, 'node_modules/.bin/onus'), ['dev', '--port', '17000'], {
      cwd: join(project, 'src'),
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.text += chunk
      })
  }

  /** What is printed from `start` on, once `pattern` stands in it. */
  async says(pattern: RegExp, start = 0): Promise<string> {
    const end = Date.now() + patience
    while (!pattern.test(this.text.slice(start))) {
      assert.ok(Date.now() < end && this.child.exitCode === null, `waited for ${pattern}:\n${this.text}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return this.text.slice(start)
  }

  /** Saves an edited backend; gives what is printed of it. */
  async save(edit: (source: string) => string, pattern: RegExp): Promise<string> {
    const file = join(project, 'src/backend.ts')
    const start = this.text.length
    await writeFile(file, edit(await readFile(file, 'utf8')))
    return this.says(pattern, start)
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode
    const ended = new Promise<number | null>((resolve) => this.child.once('exit', resolve))
    this.child.kill(signal)
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 30_000)
    const code = await ended
    clearTimeout(timer)
    return code
  }
}

let dev: Dev | null = null

function running(): Dev {
  assert.ok(dev !== null, 'onus dev was started')
  return dev
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onus-journey-'))
  project = join(folder, 'notes')
  // The test runner marks its children with it: one that runs tests itself would print nothing.
  const { NODE_TEST_CONTEXT: _runner, ...rest } = process.env
  environment = { ...rest, ONUS_KEYS: join(folder, 'keys') }
})

after(async () => {
  await dev?.end('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

describe('a backend developer', { timeout: 900_000 }, () => {
  test('makes a project, and not over another one', async () => {
    const made = await run(process.execPath, [clone, 'new', 'notes'], folder)
    assert.equal(made.code, 0, made.stderr)
    assert.match(
      made.stdout,
      /^✔ notes\/ {3}backend, typed client, web page, tests\n {2}next: cd notes && npx onus dev$/m,
    )
    const again = await run(process.execPath, [clone, 'new', 'notes'], folder)
    assert.equal(again.code, 1)
    assert.match(again.stderr, /✖ .*notes is not empty \(.*\)\n {2}choose another name: onus new notes-2/)
  })

  test('builds and tests it without a cluster', async () => {
    const built = await json('build')
    assert.equal(built['name'], 'notes')
    assert.equal((built['entries'] as unknown[]).length, 2)
    const tested = await run('npm', ['test'], project)
    assert.equal(tested.code, 0, tested.stdout + tested.stderr)
    assert.match(tested.stdout, /pass 2/)
  })

  test('is told what to do without a cluster', async () => {
    const { code, stdout, stderr } = await onus('call', 'add', 'x')
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /✖ no cluster is running for .*\n {2}start one here: npx onus dev/)
    const error = (await json('status'))['error'] as { code: string; remedy: string }
    assert.equal(error.code, 'no-cluster')
  })

  test('starts four nodes that agree', async () => {
    dev = new Dev()
    const text = await dev.says(/Ctrl-C/)
    assert.match(text, /backend \.+ notes\.wasm [\d.]+ KB {2}\(1 entry, 1 query\)/)
    assert.match(text, /cluster \.+ 4 nodes, (CometBFT|embedded engine) · block \d+ · 4 of 4 agree/)
    assert.doesNotMatch(text, /Ethereum|Swarm|ETH/)
    const misplaced = await onus('dev', '--lie')
    assert.equal(misplaced.code, 2)
    assert.match(misplaced.stderr, /--lie belongs to `onus dev break`\n.*npx onus dev break 3 --lie/)
    const second = await onus('dev')
    assert.equal(second.code, 1)
    assert.match(second.stderr, /runs for this project already.*\n.*npx onus dev stop/)
  })

  test('calls, wrongly too, and asks', async () => {
    const called = await onus('call', 'add', 'buy milk')
    assert.equal(called.code, 0, called.stderr)
    assert.equal(called.stdout, '0\n')
    assert.match(called.stderr, /certified by [34] of 4 · block \d+ · \d+ ms/)
    const wrong = await onus('call', 'add', '7')
    assert.equal(wrong.code, 1)
    assert.equal(wrong.stdout, '')
    assert.equal(wrong.stderr, `✖ add(text: string): argument 1 is a number. Try: onus call add '"7"'   (not sent)\n`)
    const proposed = await json('call', 'add', '"7"')
    assert.equal(proposed['value'], 1)
    const asked = await onus('query', 'list', '0', '10')
    assert.equal(asked.stdout, '[{ id: 0, text: "buy milk" }, { id: 1, text: "7" }]\n')
    assert.match(asked.stderr, /verified at block \d+/)
    assert.deepEqual((await json('call', 'list', '0', '1'))['value'], [{ id: 0, text: 'buy milk' }])
    const unknown = await onus('call', 'ad', 'x')
    assert.match(unknown.stderr, /there is no entry "ad"\n {2}what there is:\n {4}add\(text: string\): u32/)
  })

  test('sees where a call trapped', async () => {
    const { code, stderr } = await onus('call', 'add', '""')
    assert.equal(code, 1)
    assert.match(
      stderr,
      /✖ a note has 1 to 1,000 characters\n {4}at add \(src\/backend\.ts:\d+:\d+\)\n.*throw new Error/,
    )
    assert.match(stderr, /trap certified by [34] nodes · block \d+ · its writes are undone/)
    assert.doesNotMatch(stderr, /src\/backend\/add/)
    assert.equal(((await json('call', 'add', '""'))['error'] as { code: string }).code, 'call-trapped')
  })

  test('saves, and keeps the state', async () => {
    const text = await running().save(
      (source) =>
        source.replace('return notes.length - 1', 'return notes.length + 99').replace('a note has', 'each note has'),
      /reloaded in|✖/,
    )
    assert.match(text, /✔ backend\.ts saved · .* · reloaded in [\d.]+ s · state kept/)
    assert.equal((await json('call', 'add', 'after the edit'))['value'], 102)
    assert.equal(((await json('query', 'list', '0', '10'))['value'] as unknown[]).length, 3)
  })

  test('breaks the build, and nothing else', async () => {
    const text = await running().save(
      (source) => `${source}\nexport function broken(: u32 {}\n`,
      /goes on with the last build/,
    )
    assert.match(text, /✖ src\/backend\.ts:\d+:\d+: /)
    assert.equal(((await json('query', 'list', '0', '10'))['value'] as unknown[]).length, 3)
    await running().save(
      (source) => source.replace(/\nexport function broken.*\n/, ''),
      /nothing to reload|reloaded in/,
    )
  })

  test('is told why the state could not be kept', async () => {
    const text = await running().save(
      (source) => source.replace('public text: string)', 'public text: string, public done: bool = false)'),
      /reloaded in [\s\S]*\n {4}\S.*\n/,
    )
    assert.match(text, /state starts empty, because it does not fit the new code:\n {4}class Note: field done is new\n/)
    assert.deepEqual((await json('query', 'list', '0', '10'))['value'], [])
    assert.match(await readFile(join(project, 'notes.interface.ts'), 'utf8'), /done/)
  })

  test('makes a node lie, and sees it left out', async () => {
    const broken = await onus('dev', 'break', '3', '--lie')
    assert.equal(broken.code, 0, broken.stderr)
    assert.match(broken.stdout, /node 3 now signs a wrong result/)
    const called = await json('call', 'add', 'with a liar')
    assert.equal(called['value'], 100)
    assert.equal((called['certifiedBy'] as unknown[]).length, 3)
    const wrong = await onus('dev', 'break', '5', '--lie')
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /there is no node 5; this cluster has 1 to 4/)
  })

  test('opens the page, whose modules a browser can load', async () => {
    const file = JSON.parse(await readFile(join(project, '.onus/dev.json'), 'utf8')) as { dev: { web: string } }
    const get = async (path: string): Promise<string> => {
      const response = await fetch(new URL(path, file.dev.web), { signal: AbortSignal.timeout(10_000) })
      assert.equal(response.status, 200, path)
      return response.text()
    }
    assert.match(await get('/'), /<script type="importmap">/)
    assert.match(await get('/onus/modules/@onus/client/connect'), /export async function connect/)
    assert.match(await get('/onus/modules/@noble/hashes/sha2.js'), /export/)
    assert.match(await get('/onus/cluster.js'), /interface: \{"version":1/)
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/onus/modules/@noble/../../package.json'])
      assert.equal((await fetch(new URL(path, file.dev.web))).status, 404, path)
  })

  test('reloads: commands wait for it, and the liar is honest again', async () => {
    const saved = running().save(
      (source) => source.replace('notes.length + 99', 'notes.length + 199'),
      /reloaded in .*\n|✖/,
    )
    for (let isReloading = false; !isReloading; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const { dev: part } = JSON.parse(await readFile(join(project, '.onus/dev.json'), 'utf8')) as {
        dev: { reloading: boolean }
      }
      isReloading = part.reloading
      assert.equal(running().child.exitCode, null)
    }
    const status = await json('status')
    assert.equal(status['agreeing'], 4)
    assert.match(await saved, /node 3 is honest again/)
  })

  test('asks for the status, and quits', async () => {
    const status = await json('status')
    assert.equal(status['isForked'], false)
    assert.equal((status['nodes'] as unknown[]).length, 4)
    assert.equal((await onus('dev', 'stop')).code, 0)
    await running().says(/✔ stopped/)
    assert.equal(await running().end('SIGTERM'), 0)
    assert.ok(!(await readdir(project)).includes('.onus'))
    assert.equal((await onus('status')).code, 1)
  })

  test('kills it, is told so, and goes on', async () => {
    dev = new Dev()
    await dev.says(/Ctrl-C/)
    const { dev: part } = JSON.parse(await readFile(join(project, '.onus/dev.json'), 'utf8')) as {
      dev: { folder: string }
    }
    await dev.end('SIGKILL')
    const called = await onus('call', 'add', 'x')
    assert.equal(called.code, 1)
    assert.match(called.stderr, /`onus dev` does not run any more .*\n {2}start it again: npx onus dev/)
    const stopped = await onus('dev', 'stop')
    assert.equal(stopped.code, 0, stopped.stderr)
    assert.match(stopped.stdout, /does not run any more \(it was process \d+\); removed what it left/)
    assert.ok(!(await readdir(project)).includes('.onus'))
    assert.ok(!existsSync(part.folder))
  })
})
