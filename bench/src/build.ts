/**
 * Builds the benchmark's backend: `dist/ledger.wasm`. Run by `npm run build` when source or SDK changed. With `--update`
 * also writes the generated description `src/ledger/ledger.interface.ts`, which is committed; without it a difference is
 * an error.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuiltBackend, buildBackend } from '@onus/assemblyscript/build'
import { benchFolder, descriptionFile, entryFile, wasmFile } from './ledger/ledgerFiles.js'

/** Builds from source; writes `dist/ledger.wasm` and its source map. */
export async function buildLedger(): Promise<BuiltBackend> {
  return buildBackend({ entryFile, outDir: dirname(wasmFile), baseDirectory: benchFolder })
}

async function main(update: boolean): Promise<void> {
  const built = await buildLedger()
  const committed = await readFile(descriptionFile, 'utf8').catch(() => '')
  if (committed === built.description) return
  const name = relative(process.cwd(), descriptionFile)
  if (update) {
    await writeFile(descriptionFile, built.description)
    console.log(`${name} written`)
  } else {
    console.error(`${name} is not that of the source; run again with --update`)
    process.exitCode = 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.includes('--update'))
