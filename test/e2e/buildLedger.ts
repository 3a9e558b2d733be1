/**
 * Builds the backend of these tests, `backend/ledger.ts`. Kept in `test/dist/` under a hash of everything it is made
 * of, because a build takes some seconds and each test file needs it. The committed description must be the built one;
 * `node test/dist/e2e/buildLedger.js --update` writes it.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuiltBackend, buildBackend } from '@onus/assemblyscript/build'
import type { ledger } from './backend/ledger.interface.js'
import type * as source from './backend/ledger.js'

/** The workspace `test`; this file runs in `test/dist/e2e`. */
const workspace = fileURLToPath(new URL('../..', import.meta.url))
const sourceFolder = join(workspace, 'e2e/backend')
const toolFolders = ['../sdk/assemblyscript/assembly', '../sdk/assemblyscript/dist/src']

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of [sourceFolder, ...toolFolders.map((path) => join(workspace, path))])
    for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true })).sort((a, b) =>
      `${a.parentPath}/${a.name}` < `${b.parentPath}/${b.name}` ? -1 : 1,
    ))
      if (entry.isFile() && /\.(ts|js)$/.test(entry.name))
        hash.update(entry.name).update(await readFile(join(entry.parentPath, entry.name)))
  return hash.digest('hex').slice(0, 16)
}

type EntryName = (typeof ledger)['entries'][number]['name']
/** The backend, by name: the compiler sees that the description names functions that the source exports. */
const name: EntryName extends keyof typeof source ? 'ledger' : never = 'ledger'

const descriptionFile = join(sourceFolder, `${name}.interface.ts`)

function build(): Promise<BuiltBackend> {
  return buildBackend({ entryFile: join(sourceFolder, `${name}.ts`), baseDirectory: sourceFolder })
}

/** The module. Fails when the committed description is not what the build generates. */
export async function buildLedger(): Promise<Uint8Array> {
  const folder = join(workspace, 'dist/backend')
  const file = join(folder, `${name}-${await hashOfSources()}.wasm`)
  const kept = await readFile(file).catch(() => null)
  if (kept !== null) return new Uint8Array(kept)
  const built = await build()
  assert.equal(await readFile(descriptionFile, 'utf8'), built.description, 'run buildLedger.js --update')
  await mkdir(folder, { recursive: true })
  await writeFile(`${file}.${process.pid}`, built.wasm)
  await rename(`${file}.${process.pid}`, file)
  return built.wasm
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--update'))
  await writeFile(descriptionFile, (await build()).description)
