/** The npm workspaces of a repository, as package.json names them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

function expand(root, pattern) {
  if (!pattern.endsWith('/*')) return [pattern]
  const parent = pattern.slice(0, -2)
  if (!existsSync(join(root, parent))) return []
  return readdirSync(join(root, parent))
    .sort()
    .map((name) => `${parent}/${name}`)
}

/** `{ folder, name }` of each workspace, in the order of package.json: `folder` relative to `root`, `name` of the package. */
export function workspacesOf(root) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return manifest.workspaces
    .flatMap((pattern) => expand(root, pattern))
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ folder, name: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')).name }))
}
