/**
 * Writes the files of a format version: `node test/dist/formats/write.js VERSION`, for a release whose formats differ
 * from those of the last one (`spec/compatibility.md`). Refuses a folder that has been released, unless told --again:
 * the files of a release are never changed afterwards.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { buildLedger } from '../e2e/buildLedger.js'
import { untilAtRest } from '../e2e/gatewayClient.js'
import { openClient, runLoad } from '../e2e/load.js'
import { startCluster } from '../e2e/testCluster.js'
import { packFolder } from './clusterArchive.js'
import { formats, readStore, writeStore } from './formats.js'
import { plain } from './plain.js'

const formatsFolder: string = fileURLToPath(new URL('../../formats', import.meta.url))

const callsOfCluster = 12

/** A cluster of four with some calls behind it, and what a node of it answers. */
async function writeCluster(folder: string): Promise<unknown> {
  const cluster = await startCluster({ nodes: 4, module: await buildLedger(), cometbft: null })
  try {
    const client = await openClient(cluster.localnet)
    const load = { calls: callsOfCluster, concurrency: 3, signed: 'individually' } as const
    const { certified, failures } = await runLoad([client], load, 1, () => undefined)
    if (failures.length > 0) throw failures[0]
    const height = await untilAtRest(cluster.localnet.gatewayUrls, 30_000)
    const count = (await client.query.count()).value
    client.close()
    await cluster.stop()
    await writeFile(join(folder, 'cluster.json.gz'), await packFolder(cluster.folder))
    return { height, count, calls: certified.map(({ id, height: at }) => ({ id, height: at })) }
  } finally {
    await cluster.remove()
  }
}

async function storeFile(): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'onus-formats-'))
  try {
    await writeStore(folder)
    return gzipSync(await readFile(join(folder, 'data.mdb')), { level: 9 })
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function writeVersion(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const meanings: Record<string, unknown> = {}
  for (const { name, write, read } of formats) {
    const bytes = await write()
    meanings[name] = plain(await read(bytes))
    await writeFile(join(folder, name), bytes)
  }
  const store = await storeFile()
  meanings['store.mdb.gz'] = plain(await readStore(store))
  await writeFile(join(folder, 'store.mdb.gz'), store)
  meanings['cluster.json.gz'] = await writeCluster(folder)
  await writeFile(join(folder, 'meanings.json'), `${JSON.stringify(meanings, null, 1)}\n`)
}

const [version, again] = process.argv.slice(2)
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (version === undefined || !/^v\d+$/.test(version)) throw new Error('usage: write.js v1 [--again]')
  const folder = join(formatsFolder, version)
  if (existsSync(join(folder, 'meanings.json')) && again !== '--again')
    throw new Error(`${folder} is there; the files of a release never change. Before the release: --again`)
  await writeVersion(folder)
}
