/** Where tests find files of the repository and the shared test data beside it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

function findRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package-lock.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error(`no package-lock.json above ${import.meta.dirname}`)
    folder = parent
  }
  return folder
}

export const repositoryRoot = findRoot()
export const vectorFolder = join(repositoryRoot, 'spec', 'vectors')

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** A file of the shared test data, or null where it is not on this machine. */
export function sharedTestData(name: string): string | null {
  const path = join(dirname(repositoryRoot), 'shared', 'testdata', name)
  return existsSync(path) ? path : null
}
