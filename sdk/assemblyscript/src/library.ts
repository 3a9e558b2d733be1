/** Where the guest library is: as backends import it, and on this machine, wherever the package is installed. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of the guest library as backends import it. */
export const libraryName = '@onus/assemblyscript'

/** `dist/src/` of this package is two folders below its root. */
export const libraryFolder: string = resolve(fileURLToPath(new URL('.', import.meta.url)), '../../assembly')
