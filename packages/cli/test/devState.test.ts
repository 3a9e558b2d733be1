/** Sessions of `onus dev` seen from other commands: alive, reloading, killed; and what a killed one leaves. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readClusterFile } from '@onus/cli/cluster/clusterFile'
import { devState, waitWhileReloading } from '@onus/cli/cluster/devState'
import { devCommand } from '@onus/cli/commands/dev'
import { controlName } from '@onus/cli/dev/control'
import { markReloading, runningSession } from '@onus/cli/dev/devFiles'
import { removeStaleSession } from '@onus/cli/dev/staleSession'
import type { Progress } from '@onus/cli/progress'
import { OnusError } from '@onus/protocol/errors'

let folder = ''
const left: string[] = []
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onus-cli-test-'))
})
after(async () => {
  for (const path of [folder, ...left]) await rm(path, { recursive: true, force: true })
})

const code = (expected: string) => (error: unknown) => error instanceof OnusError && error.code === expected
const said: string[] = []
const progress: Progress = { update: (text) => void said.push(text), done: () => undefined, clear: () => undefined }

async function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.end())
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}

interface Session {
  readonly root: string
  /** Temporary folder of the nodes. */
  readonly nodes: string
  readonly control: string
  readonly file: string
}

async function session(name: string, nodes?: string): Promise<Session> {
  const root = join(folder, name)
  await mkdir(join(root, '.onus'), { recursive: true })
  const made = nodes ?? (await mkdtemp(join(tmpdir(), 'onus-')))
  left.push(made)
  await mkdir(join(made, '1'), { recursive: true })
  const control = join(made, controlName)
  const dev = { name, root, pid: process.pid, control, engine: 'embedded', web: '', folder: made, reloading: false }
  const file = join(root, '.onus/dev.json')
  await writeFile(file, JSON.stringify({ nodes: ['http://127.0.0.1:1'], genesis: 'genesis-1.bin', dev }))
  return { root, nodes: made, control, file }
}

describe('a session of onus dev', () => {
  test('is waited for while it reloads, and not for ever', async () => {
    const { root, control, file } = await session('reloads')
    const server = await listen(control)
    try {
      const cluster = await readClusterFile(file)
      assert.equal((await waitWhileReloading(cluster, progress)).genesis, join(root, '.onus/genesis-1.bin'))
      await markReloading(root, true)
      const reloading = await readClusterFile(file)
      assert.equal(await devState(cluster), 'reloading')
      await assert.rejects(waitWhileReloading(reloading, progress, 250), code('dev-reloading'))
      assert.ok(said.includes('`onus dev` is reloading'))
      const waiting = waitWhileReloading(reloading, progress, 10_000)
      await markReloading(root, false)
      assert.equal((await waiting).dev?.reloading, false)
      assert.equal(await devState(cluster), 'running')
      assert.equal(await devState({ ...cluster, genesis: 'another' }), 'reloaded')
    } finally {
      server.close()
    }
  })

  test('that was killed is said to be gone, though its process id lives', async () => {
    const { root, file } = await session('killed')
    const cluster = await readClusterFile(file)
    assert.equal(cluster.dev?.pid, process.pid)
    assert.equal(await runningSession(root), null)
    assert.equal(await devState(cluster), 'gone')
    await assert.rejects(
      waitWhileReloading(cluster, progress),
      (error) =>
        error instanceof OnusError &&
        /does not run any more/.test(error.message) &&
        /npx onus dev/.test(`${error.remedy}`),
    )
  })

  test('that was killed is cleaned up, one that lives is not', async () => {
    const { root, nodes, control } = await session('cleaned')
    const server = await listen(control)
    assert.equal(await removeStaleSession(root, progress), null)
    assert.ok(existsSync(nodes))
    await new Promise((resolve) => server.close(resolve))
    assert.deepEqual(await removeStaleSession(root, progress), { folder: nodes })
    assert.ok(!existsSync(nodes))
    assert.deepEqual(await readdir(root), [])
    assert.equal(await removeStaleSession(root, progress), null)
  })

  test('names no folder for removal that onus dev would not make', async () => {
    for (const [name, nodes] of [
      ['inside', join(folder, 'onus-abcdef')],
      ['named', join(tmpdir(), `onus-cli-test-kept-${process.pid}`)],
      ['dots', `${folder}/../${`onus-cli-test-kept-${process.pid}`}`],
    ] as const) {
      const { root } = await session(name, nodes)
      assert.deepEqual(await removeStaleSession(root, progress), { folder: null }, name)
      assert.ok(existsSync(nodes), name)
      assert.deepEqual(await readdir(root), [])
    }
    const { root, nodes, file } = await session('control')
    const json = JSON.parse(JSON.stringify(await readClusterFile(file))) as { dev: Record<string, unknown> }
    await writeFile(file, JSON.stringify({ ...json, interface: 'i', dev: { ...json.dev, control: '/nowhere/else' } }))
    assert.deepEqual(await removeStaleSession(root, progress), { folder: null })
    assert.ok(existsSync(nodes))
  })

  test('starts no cluster for --lie or --kill without break', async () => {
    const output = {
      isJson: true,
      progress,
      line: () => undefined,
      value: () => undefined,
      result: () => undefined,
      note: () => undefined,
    }
    for (const [flag, positionals] of [
      ['lie', []],
      ['kill', []],
      ['kill', ['stop']],
    ] as const)
      await assert.rejects(
        devCommand.run({ positionals, flags: new Set([flag]), values: new Map(), output, folder }),
        (error) =>
          error instanceof OnusError &&
          error.code === 'usage' &&
          `${error.remedy}`.includes(`onus dev break 3 --${flag}`),
      )
  })
})
