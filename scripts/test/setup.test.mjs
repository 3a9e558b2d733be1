import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runProcess } from '../lib/childProcess.mjs'
import { installStamp } from '../lib/install.mjs'
import { repositoryRoot } from '../lib/root.mjs'
import { withSetupLock } from '../lib/setupLock.mjs'
import { workspacesOf } from '../lib/workspaces.mjs'
import { temporaryTree } from './temporaryTree.mjs'

test('the install stamp follows the lock file', (t) => {
  const root = temporaryTree(t, { 'package-lock.json': '{}' })
  const before = installStamp(root)
  assert.equal(installStamp(root), before)
  writeFileSync(join(root, 'package-lock.json'), '{ }')
  assert.notEqual(installStamp(root), before)
})

test('set-ups of one clone run one after the other', async (t) => {
  const root = temporaryTree(t, {})
  const events = []
  async function setUp(name) {
    await withSetupLock(root, async () => {
      events.push(`${name} begins`)
      await new Promise((resolve) => setTimeout(resolve, 300))
      events.push(`${name} ends`)
    })
  }
  await Promise.all([setUp('a'), setUp('b')])
  assert.deepEqual([events[0].slice(1), events[1].slice(1)], [' begins', ' ends'])
  assert.equal(events[0][0], events[1][0])
  assert.equal(events.length, 4)
  assert.equal(existsSync(join(root, '.onus', 'setup.lock')), false)
})

test('the lock of a process that is gone is void, and a failing set-up gives its lock back', async (t) => {
  const root = temporaryTree(t, {})
  const dead = await runProcess(process.execPath, ['-e', '0'], { env: process.env, seconds: 30 })
  await withSetupLock(root, async () => {})
  writeFileSync(join(root, '.onus', 'setup.lock'), String(dead.pid))
  await assert.rejects(
    withSetupLock(root, async () => {
      throw new Error('as expected')
    }),
    /as expected/,
  )
  assert.equal(await withSetupLock(root, async () => 'free'), 'free')
})

test('the root tsconfig refers to every project, so that nothing stays unchecked', () => {
  const { references } = JSON.parse(readFileSync(join(repositoryRoot, 'tsconfig.json'), 'utf8'))
  const projects = workspacesOf(repositoryRoot)
    .flatMap(({ folder }) => [folder, `${folder}/test`])
    .filter((folder) => existsSync(join(repositoryRoot, folder, 'tsconfig.json')))
  assert.deepEqual(references.map(({ path }) => path).sort(), projects.sort())
})

test('an unknown command and unknown options are refused with the usage and code 2', async () => {
  const run = join(repositoryRoot, 'scripts', 'run.mjs')
  const end = await runProcess(process.execPath, [run, 'fly'], { env: process.env, seconds: 30 })
  assert.equal(end.code, 2)
  assert.match(end.output, /There is no command fly\.\nUsage: npm start/)
})

test('an older Node is told what to do', async (t) => {
  const root = temporaryTree(t, {
    'old.cjs': "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } })",
  })
  const run = join(repositoryRoot, 'scripts', 'run.mjs')
  const end = await runProcess(process.execPath, ['-r', join(root, 'old.cjs'), run, 'start'], {
    env: process.env,
    seconds: 30,
  })
  assert.equal(end.code, 1)
  assert.match(end.output, /Onus needs Node\.js 20 or newer; this is .*\nInstall a current version/)
})
