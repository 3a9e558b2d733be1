/**
 * How the compiler reads files: the guest library from this package, wherever it is installed, a small entry file that
 * is made here, and everything else from disk.
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { libraryFolder, libraryName } from './library.js'

/** Only its exports leave the module: `invoke`, beside the memory. */
export const moduleEntryPath = 'onus-module'

/** Text of the module's entry file for the backend at `entryPath` (without `.ts`). */
function moduleEntryText(entryPath: string): string {
  return `import { __onus_dispatch } from "./${entryPath}";
import { abort } from "${libraryName}/abort";
import { console } from "${libraryName}/log";
import { seed } from "${libraryName}/random";
export function invoke(): void { __onus_dispatch(); }
`
}

export type ReadSource = (path: string, baseDirectory: string) => Promise<string | null>

/** Reads a source file for the compiler; null if there is none. */
export function sourceReader(entryPath: string): ReadSource {
  return async (path, baseDirectory) => {
    if (path === `${moduleEntryPath}.ts`) return moduleEntryText(entryPath)
    const library = path.replaceAll('\\', '/').match(`(?:^|/)node_modules/${libraryName}/(.*)$`)?.[1]
    const file = library === undefined ? resolve(baseDirectory, path) : resolve(libraryFolder, library)
    try {
      return await readFile(file, 'utf8')
    } catch {
      return null
    }
  }
}
