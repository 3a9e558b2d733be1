/**
 * Builds the backend: `dist/cities.wasm` and its source map. `node examples/cities/dist/src/build.js` after `tsc -b`.
 * With `--update` also writes the generated description `src/cities.interface.ts`, which is committed; without it a
 * difference is an error.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuiltBackend, buildBackend } from '@onus/assemblyscript/build'

/** `dist/src/` is two folders below the example's root. */
const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

export const descriptionFile: string = join(root, 'src/cities.interface.ts')
export const wasmFile: string = join(root, 'dist/cities.wasm')

/** Builds from source; writes `dist/cities.wasm` and its source map. */
export async function buildCities(): Promise<BuiltBackend> {
  return buildBackend({
    entryFile: join(root, 'assembly/cities.ts'),
    outDir: dirname(wasmFile),
    baseDirectory: root,
  })
}

async function main(update: boolean): Promise<void> {
  const built = await buildCities()
  console.log(
    `${relative(process.cwd(), wasmFile)} ${built.wasm.length} bytes, ${built.interface.entries.length} entries`,
  )
  const committed = await readFile(descriptionFile, 'utf8').catch(() => '')
  if (committed === built.description) return
  if (update) {
    await writeFile(descriptionFile, built.description)
    console.log(`${relative(process.cwd(), descriptionFile)} written`)
  } else {
    console.error(`${relative(process.cwd(), descriptionFile)} is not that of the source; run again with --update`)
    process.exitCode = 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.includes('--update'))
