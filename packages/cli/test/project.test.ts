/** Keys, sessions, projects, and the places of traps, on temporary folders. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { clusterOf, findDevFile } from '@onus/cli/cluster/clusterFile'
import { watchSources } from '@onus/cli/dev/watchSources'
import { currentKey, listKeys, newKey, readKey, useKey } from '@onus/cli/keys/keyStore'
import { holdSession } from '@onus/cli/keys/sessionStore'
import { enclosingFunction } from '@onus/cli/operations/enclosingFunction'
import { findProject, identifierOf } from '@onus/cli/project/project'
import { OnusError } from '@onus/protocol/errors'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onus-cli-test-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const code = (expected: string) => (error: unknown) => error instanceof OnusError && error.code === expected

describe('keys', () => {
  test('the first one is made by itself, and only its user can read it', async () => {
    const keys = join(folder, 'first')
    const key = await currentKey(keys, undefined)
    assert.equal(key.name, 'dev')
    assert.equal((await currentKey(keys, undefined)).address, key.address)
    assert.equal((await stat(join(keys, 'dev.key.json'))).mode & 0o777, 0o600)
    assert.equal((await stat(keys)).mode & 0o777, 0o700)
  })

  test('new, use, list, show', async () => {
    const keys = join(folder, 'keys')
    const alice = await newKey(keys, 'alice')
    await newKey(keys, 'bob')
    await useKey(keys, 'bob')
    assert.deepEqual(
      (await listKeys(keys)).map(({ name, isCurrent }) => [name, isCurrent]),
      [
        ['alice', false],
        ['bob', true],
      ],
    )
    assert.equal((await currentKey(keys, undefined)).name, 'bob')
    assert.equal((await readKey(keys, 'alice')).address, alice.address)
    await assert.rejects(newKey(keys, 'alice'), code('key-exists'))
    await assert.rejects(readKey(keys, 'carol'), code('no-key'))
    await assert.rejects(useKey(keys, 'carol'), code('no-key'))
    await assert.rejects(newKey(keys, '../evil'), code('key-name'))
    await writeFile(join(keys, 'broken.key.json'), '{"key":"0x12"}')
    await assert.rejects(readKey(keys, 'broken'), code('key-file'))
  })

  test('a session is used by one command at a time', async () => {
    const session = {
      slot: 1,
      generation: 2,
      key: 'ab',
      byWallet: false,
      closes: { height: 1, time: 2 },
      nextCounter: 3,
    }
    const first = await holdSession(folder, 'c1'.repeat(32), '0xaa')
    assert.equal(first.session, null)
    await first.save(session)
    const second = await holdSession(folder, 'c1'.repeat(32), '0xaa')
    assert.equal(second.session, null)
    await second.save({ ...session, nextCounter: 99 })
    await first.release()
    const third = await holdSession(folder, 'c1'.repeat(32), '0xaa')
    assert.deepEqual(third.session, session)
    await third.save(null)
    await third.release()
    // Its owner was killed: process ids end far below this one.
    const lock = join(folder, 'sessions', `${'c1'.repeat(8)}-aa.json.lock`)
    await writeFile(lock, '4194999')
    const fourth = await holdSession(folder, 'c1'.repeat(32), '0xaa')
    await fourth.save(session)
    assert.deepEqual(JSON.parse(await readFile(lock.replace(/\.lock$/, ''), 'utf8')), session)
    await fourth.release()
  })
})

describe('projects and clusters', () => {
  test('a project is found from below, with its name', async () => {
    const root = join(folder, 'project')
    await mkdir(join(root, 'src/deep'), { recursive: true })
    await writeFile(join(root, 'package.json'), '{"name":"my-notes"}')
    await writeFile(join(root, 'src/backend.ts'), '')
    const found = await findProject(join(root, 'src/deep'))
    assert.deepEqual(found, { root, backend: join(root, 'src/backend.ts'), name: 'myNotes' })
    await writeFile(join(root, 'package.json'), '{"onus":{"backend":"src/other.ts"}}')
    await assert.rejects(findProject(root), code('no-project'))
    await assert.rejects(findProject(tmpdir()), code('no-project'))
    assert.equal(identifierOf('7up'), 'backend7up')
  })

  test('the cluster of onus dev is found from below; others are named', async () => {
    const root = join(folder, 'cluster')
    await mkdir(join(root, '.onus'), { recursive: true })
    await mkdir(join(root, 'src'), { recursive: true })
    const none = { positionals: [], flags: new Set<string>(), values: new Map<string, string>() }
    await assert.rejects(clusterOf(none, root), code('no-cluster'))
    await writeFile(join(root, '.onus/dev.json'), JSON.stringify({ nodes: ['http://x'], genesis: 'g.bin' }))
    assert.equal(findDevFile(join(root, 'src')), join(root, '.onus/dev.json'))
    assert.equal((await clusterOf(none, join(root, 'src'))).genesis, join(root, '.onus/g.bin'))
    const named = {
      ...none,
      values: new Map([
        ['nodes', 'http://a,http://b'],
        ['genesis', 'g'],
      ]),
    }
    assert.deepEqual((await clusterOf(named, '/w')).nodes, ['http://a', 'http://b'])
    await assert.rejects(clusterOf({ ...none, values: new Map([['nodes', 'x']]) }, root), code('usage'))
    await writeFile(join(root, 'bad.json'), '{"nodes":[],"genesis":"g"}')
    await assert.rejects(clusterOf({ ...none, values: new Map([['cluster', 'bad.json']]) }, root), code('cluster-file'))
  })
})

test('saves are told once, also where an editor puts another file in place, and in new folders', async () => {
  const root = join(folder, 'watched')
  await mkdir(root)
  await writeFile(join(root, 'a.ts'), '1')
  const seen: string[] = []
  let wake: () => void = () => undefined
  const stop = watchSources(
    root,
    (path) => {
      seen.push(path)
      wake()
    },
    (error) => assert.ifError(error),
  )
  const told = async (act: () => Promise<unknown>): Promise<string | undefined> => {
    const next = new Promise<void>((resolve) => {
      wake = resolve
    })
    await act()
    const timer = setTimeout(() => wake(), 10_000)
    await next
    clearTimeout(timer)
    return seen.pop()
  }
  try {
    assert.equal(await told(() => writeFile(join(root, 'a.ts'), '2')), 'a.ts')
    const { rename } = await import('node:fs/promises')
    for (let round = 0; round < 2; round++) {
      await writeFile(join(root, 'swap'), `${round}`)
      assert.equal(await told(() => rename(join(root, 'swap'), join(root, 'a.ts'))), 'a.ts')
    }
    await mkdir(join(root, 'deep'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(await told(() => writeFile(join(root, 'deep/b.ts'), '1')), 'deep/b.ts')
    assert.deepEqual(seen, [])
  } finally {
    stop()
  }
})

test('the function around a line', () => {
  const source = `class Note {
  constructor(public id: u32) {}
  grow(): void {
    if (this.id > 3) {
      throw new Error("}")
    }
  }
}
function helper(x: i32): i32 {
  for (let i = 0; i < x; i++) {
    assert(i < 5)
  }
  return x
}
export function one(): void { helper(1); throw new Error("x") }
`
  assert.equal(enclosingFunction(source, 5), 'grow')
  assert.equal(enclosingFunction(source, 11), 'helper')
  assert.equal(enclosingFunction(source, 13), 'helper')
  assert.equal(enclosingFunction(source, 15), 'one')
})
