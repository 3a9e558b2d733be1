/**
 * The compatibility of formats (`spec/compatibility.md`): this version reads what every version wrote, writes what the
 * newest one writes, and refuses by a code what a later one may write.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { ClusterSupervisor } from '@onus/node/dev/clusterSupervisor'
import { readNodeFiles } from '@onus/node/nodeConfig'
import { Store } from '@onus/node/store/store'
import { decodeGenesis } from '@onus/protocol/genesis'
import { open, type RootDatabase } from 'lmdb'
import { untilAtRest } from '../e2e/gatewayClient.js'
import { fetchReceipt } from '../e2e/invariants.js'
import { openClient } from '../e2e/load.js'
import { renumberPorts, unpackFolder } from './clusterArchive.js'
import { formats, readStore, writeStore } from './formats.js'
import { type Plain, plain } from './plain.js'

const folder = fileURLToPath(new URL('../../formats', import.meta.url))
const versions = readdirSync(folder)
  .filter((name) => /^v\d+$/.test(name))
  .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
const newest = versions.at(-1) ?? assert.fail('there is a format version')

const bytesOf = (version: string, name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, version, name)))

function meaningsOf(version: string): Record<string, Plain> {
  return JSON.parse(readFileSync(join(folder, version, 'meanings.json'), 'utf8')) as Record<string, Plain>
}

/** As JSON keeps it: without -0. */
const asJson = (value: unknown): Plain => JSON.parse(JSON.stringify(plain(value))) as Plain

async function withFolder<Result>(use: (path: string) => Promise<Result>): Promise<Result> {
  // Short, for sockets may lie below it.
  const path = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'onus-'))
  try {
    return await use(path)
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

describe('what every version wrote is read', () => {
  for (const version of versions) {
    const meanings = meaningsOf(version)
    // Later versions have formats that earlier ones had not.
    for (const { name, read } of formats.filter((format) => format.name in meanings))
      test(`${version}/${name}`, async () => {
        assert.deepEqual(asJson(await read(bytesOf(version, name))), meanings[name])
      })
    test(`${version}/store.mdb.gz`, async () => {
      assert.deepEqual(asJson(await readStore(bytesOf(version, 'store.mdb.gz'))), meanings['store.mdb.gz'])
    })
    test(`${version}: every file is read here`, () => {
      const known = [...formats.map(({ name }) => name), 'store.mdb.gz', 'cluster.json.gz', 'meanings.json']
      const files = readdirSync(join(folder, version))
      assert.deepEqual(
        files.filter((name) => !known.includes(name)),
        [],
      )
      assert.deepEqual(
        Object.keys(meanings).filter((name) => !files.includes(name)),
        [],
      )
    })
  }
})

const tables = ['blocks', 'certificates', 'pages', 'places', 'sessions']
const records = ['dissent', 'format', 'position']

/** Keys and values of every table and of the root as they are on disk. */
async function rawEntries(path: string): Promise<Record<string, readonly (readonly [key: string, value: string])[]>> {
  const form = { encoding: 'binary', keyEncoding: 'binary' } as const
  const root: RootDatabase<Buffer, Buffer> = open({ path, maxDbs: 8, noSubdir: false, ...form })
  const entriesOf = (table: Pick<typeof root, 'getRange'>): (readonly [string, string])[] =>
    [...table.getRange()].map(({ key, value }) => [
      Buffer.from(key).toString('hex'),
      Buffer.from(value).toString('hex'),
    ])
  const isTable = (key: string): boolean => tables.includes(Buffer.from(key, 'hex').toString('latin1'))
  const ofRoot = entriesOf(root)
  const names = ofRoot.map(([key]) => Buffer.from(key, 'hex').toString('latin1').replaceAll('\0', ''))
  assert.deepEqual(names.sort(), [...tables, ...records].sort(), 'every table and record is compared')
  const result = Object.fromEntries(
    tables.map((name) => [name, entriesOf(root.openDB<Buffer, Buffer>({ name, ...form }))]),
  )
  await root.close()
  // What the root keeps of a table is its place in the file.
  return { ...result, root: ofRoot.filter(([key]) => !isTable(key)) }
}

describe('what this version writes is what the newest version wrote', () => {
  const remedy =
    'the writer changed: a released format gets a new version tag and a new folder (spec/compatibility.md); ' +
    `before the release of ${newest}: node test/dist/formats/write.js ${newest} --again`
  for (const { name, write } of formats)
    test(name, async () => {
      assert.ok(existsSync(join(folder, newest, name)), `${name} is new: ${remedy}`)
      assert.deepEqual(Buffer.from(await write()), Buffer.from(bytesOf(newest, name)), remedy)
    })

  test('store.mdb.gz, key by key', () =>
    withFolder(async (path) => {
      await mkdir(join(path, 'kept'))
      await writeFile(join(path, 'kept/data.mdb'), gunzipSync(bytesOf(newest, 'store.mdb.gz')))
      await writeStore(join(path, 'fresh'))
      const kept = await rawEntries(join(path, 'kept'))
      for (const [name, entries] of Object.entries(kept)) assert.ok(entries.length > 0, `${name} is not empty`)
      assert.deepEqual(await rawEntries(join(path, 'fresh')), kept, remedy)
    }))
})

interface ClusterMeaning {
  readonly height: number
  readonly count: number
  readonly calls: readonly { readonly id: string; readonly height: number }[]
}

describe('a cluster goes on from what every version left', () => {
  for (const version of versions)
    test(version, { timeout: 180_000 }, (t) =>
      withFolder(async (path) => {
        await unpackFolder(bytesOf(version, 'cluster.json.gz'), path)
        const homes = [1, 2, 3, 4].map((node) => join(path, `node-${node}`))
        const gatewayUrls = await renumberPorts(homes)
        const { genesis: genesisBytes } = await readNodeFiles(homes[0] as string)
        const genesis = decodeGenesis(genesisBytes)
        if (genesis.nodeVersion !== process.version) return t.skip(`needs Node ${genesis.nodeVersion}`)
        const { height, count, calls } = meaningsOf(version)['cluster.json.gz'] as unknown as ClusterMeaning
        const supervisor = new ClusterSupervisor({ homes, cometbft: null })
        try {
          await supervisor.start(120_000)
          assert.ok((await untilAtRest(gatewayUrls, 30_000)) >= height)
          const client = await openClient({ gatewayUrls, genesisBytes })
          assert.equal((await client.query.count()).value, count)
          for (const { id, height: at } of calls)
            for (const url of gatewayUrls)
              assert.equal((await fetchReceipt(url, genesis, id)).certificate.manifest.height, at)
          assert.equal(await client.call.add(5), count + 5)
          client.close()
        } finally {
          await supervisor.stop()
        }
      }),
    )
})

describe('what a later version may write is refused by a code', () => {
  /** Where the version digit stands, and what it is refused with. */
  const later: readonly [name: string, at: number, code: string][] = [
    ['genesis.bin', 13, 'bad-tag'],
    ['block-data.bin', 11, 'bad-tag'],
    ['manifest.bin', 14, 'bad-tag'],
    ['certificate.bin', 16, 'certificate-form'],
    ['receipt.bin', 13, 'bad-tag'],
    ['envelope-calls.bin', 0, 'envelope-kind'],
    ['powers.bin', 12, 'bad-tag'],
    ['sign-state.bin', 12, 'sign-state-version'],
  ]
  for (const [name, at, code] of later)
    test(name, async () => {
      const { read } = formats.find((format) => format.name === name) ?? assert.fail(name)
      const bytes = bytesOf(newest, name)
      const changed = bytes.with(at, (bytes[at] ?? 0) + (name === 'envelope-calls.bin' ? 100 : 1))
      await assert.rejects(async () => read(changed), { name: 'OnusError', code })
    })

  test('interface.json', async () => {
    const { read } = formats.find((format) => format.name === 'interface.json') ?? assert.fail()
    const text = Buffer.from(bytesOf(newest, 'interface.json')).toString('utf8')
    const changed = text.replace(/"version":(\d+)/, (_, digits: string) => `"version":${Number(digits) + 1}`)
    assert.notEqual(changed, text)
    await assert.rejects(async () => read(Buffer.from(changed)), { name: 'OnusError', code: 'interface-shape' })
  })

  test('the store', () =>
    withFolder(async (path) => {
      await writeStore(path)
      const root: RootDatabase<unknown, string> = open({ path, maxDbs: 8, noSubdir: false })
      assert.equal(root.get('format'), 1)
      await root.put('format', 2)
      await root.close()
      assert.throws(() => new Store(path), { name: 'OnusError', code: 'store-version' })
    }))

  test('node.json', () =>
    withFolder(async (path) => {
      await unpackFolder(bytesOf(newest, 'cluster.json.gz'), path)
      const home = join(path, 'node-1')
      await readNodeFiles(home)
      const file = join(home, 'node.json')
      const config = JSON.parse(readFileSync(file, 'utf8')) as object
      await copyFile(file, `${file}.old`)
      await writeFile(file, JSON.stringify({ ...config, version: 2 }))
      await assert.rejects(readNodeFiles(home), { name: 'OnusError', code: 'node-config' })
    }))
})
