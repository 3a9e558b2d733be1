/** What a build leaves in a project: the module with its source map, and the typed description for clients. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildOptions, BuiltBackend } from '@onus/assemblyscript/build'
import { lowerModule } from '@onus/vm/lower/lowerModule'
import { defaultMachineParameters } from '@onus/vm/profile'
import type { Project } from './project.js'

export const buildFolder = 'build'

export interface BuiltFiles {
  /** Absolute paths. */
  readonly wasm: string
  readonly interface: string
  /** Whether the description changed, so that clients must be compiled again. */
  readonly isInterfaceNew: boolean
}

export function buildOptionsOf({ root, name, backend }: Project): BuildOptions {
  return { entryFile: backend, name, baseDirectory: root }
}

/** By a rename: a reader never sees half of it. */
async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  await writeFile(temporary, content)
  await rename(temporary, file)
}

/** Checks the module against the profile of the nodes and writes the files. Rejects what `lowerModule` rejects. */
export async function writeBuild({ root, name }: Project, built: BuiltBackend): Promise<BuiltFiles> {
  lowerModule(built.wasm, defaultMachineParameters)
  const folder = join(root, buildFolder)
  await mkdir(folder, { recursive: true })
  const wasm = join(folder, `${name}.wasm`)
  await replaceFile(wasm, built.wasm)
  await replaceFile(`${wasm}.map`, built.sourceMap)
  const description = join(root, `${name}.interface.ts`)
  const isInterfaceNew = (await readFile(description, 'utf8').catch(() => null)) !== built.description
  if (isInterfaceNew) await replaceFile(description, built.description)
  return { wasm, interface: description, isInterfaceNew }
}

const kibibyte = 1024

/** `notes.wasm 8.3 KB  (1 entry, 1 query)` */
export function buildSummary(built: BuiltBackend): string {
  const count = (kind: string): number => built.interface.entries.filter((entry) => entry.kind === kind).length
  const plural = (number: number, one: string, more: string): string => `${number} ${number === 1 ? one : more}`
  const parts = [plural(count('entry'), 'entry', 'entries'), plural(count('query'), 'query', 'queries')]
  return `${built.name}.wasm ${(built.wasm.length / kibibyte).toFixed(1)} KB  (${parts.join(', ')})`
}
