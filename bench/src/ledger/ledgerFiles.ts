/** Where the backend of the benchmark lies: its source, its module, its committed description. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `dist/src/ledger/` is three folders below the workspace. */
export const benchFolder: string = join(dirname(fileURLToPath(import.meta.url)), '../../..')

export const entryFile: string = join(benchFolder, 'assembly/ledger.ts')
export const descriptionFile: string = join(benchFolder, 'src/ledger/ledger.interface.ts')
export const wasmFile: string = join(benchFolder, 'dist/ledger.wasm')
