/**
 * Links a project to this clone of Onus, which is not published: `node_modules` gets symbolic links to the packages and
 * `.bin/onus` and `.bin/tsc`, so that `npx onus` and `npm test` work at once, from any folder and without the network.
 */
import { existsSync } from 'node:fs'
import { mkdir, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OnusError } from '@onus/protocol/errors'

/** Root of the clone: `dist/src/project/` is five folders below it. */
export const cloneFolder: string = fileURLToPath(new URL('../../../../..', import.meta.url)).replace(/\/$/, '')

/** From the path below `node_modules` to the path below the clone. */
const links: Readonly<Record<string, string>> = {
  '@onus/assemblyscript': 'sdk/assemblyscript',
  '@onus/client': 'packages/client',
  '@onus/protocol': 'packages/protocol',
  '@types/node': 'node_modules/@types/node',
  assemblyscript: 'node_modules/assemblyscript',
  onus: 'packages/cli',
  typescript: 'node_modules/typescript',
  '.bin/onus': 'packages/cli/bin/onus.mjs',
  '.bin/tsc': 'node_modules/typescript/bin/tsc',
}

/** Rejects `clone-incomplete`. */
export async function linkPackages(root: string): Promise<void> {
  for (const [name, target] of Object.entries(links)) {
    const source = join(cloneFolder, target)
    if (!existsSync(source))
      throw new OnusError('clone-incomplete', `${source} is not there`, {
        remedy: `prepare the clone once: cd ${cloneFolder} && npm start -- --once`,
      })
    const place = join(root, 'node_modules', name)
    await mkdir(dirname(place), { recursive: true })
    await rm(place, { recursive: true, force: true })
    // Relative links would break when the project is moved, absolute ones when the clone is.
    await symlink(source, place)
  }
}

/** As a person would type it. */
export function shortPath(from: string, to: string): string {
  const path = relative(from, to)
  return path.startsWith('../../..') || path === '' ? to : path
}
