/** A backend project: the folder with its `package.json`, the backend's source, and the name of what is built. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { OnusError } from '@onus/protocol/errors'

export interface Project {
  readonly root: string
  /** Identifier that names module, interface and description: `notes`. */
  readonly name: string
  /** Absolute path of the source whose exported functions are the entries. */
  readonly backend: string
}

const defaultBackend = 'src/backend.ts'

/** `my-notes` becomes `myNotes`: a name that TypeScript takes. */
export function identifierOf(name: string): string {
  const words = name
    .replace(/^@[^/]*\//, '')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
  const joined = words.map((word, index) => (index === 0 ? word : word[0]?.toUpperCase() + word.slice(1))).join('')
  return /^[A-Za-z]/.test(joined) ? joined : `backend${joined}`
}

interface PackageFile {
  readonly name?: unknown
  readonly onus?: { readonly name?: unknown; readonly backend?: unknown }
}

/** The project at or above `folder`. Rejects `no-project`. */
export async function findProject(folder: string): Promise<Project> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const found = await projectAt(at)
    if (found !== null) return found
    if (dirname(at) === at)
      throw new OnusError('no-project', `there is no backend in ${resolve(folder)} or a folder above it`, {
        remedy: `expected a package.json beside ${defaultBackend}. Make a project: onus new notes`,
      })
  }
}

async function projectAt(root: string): Promise<Project | null> {
  const file = join(root, 'package.json')
  if (!existsSync(file)) return null
  let json: PackageFile
  try {
    json = JSON.parse(await readFile(file, 'utf8')) as PackageFile
  } catch (cause) {
    throw new OnusError('no-project', `${file} is not JSON: ${String(cause)}`, { remedy: 'mend the file', cause })
  }
  const named = json.onus?.backend
  const backend = join(root, typeof named === 'string' ? named : defaultBackend)
  if (!existsSync(backend)) {
    if (named === undefined) return null
    throw new OnusError('no-project', `${file} names the backend ${String(named)}, which is not there`, {
      remedy: 'put the path of the source into "onus": { "backend": … }',
    })
  }
  const name = [json.onus?.name, json.name].find((value) => typeof value === 'string' && value !== '')
  return { root, backend, name: identifierOf(typeof name === 'string' ? name : 'backend') }
}
