/** SHA-256 over files, to know whether something that was made from them is still current. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Paths of all files under `path` (a file or a folder; absent: none), sorted, without those `skip(path)` names. */
export function filesUnder(path, skip = () => false) {
  if (!existsSync(path) || skip(path)) return []
  if (statSync(path).isFile()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name), skip))
}

/** Hexadecimal SHA-256 over the names (relative to `root`), lengths and contents of `files`, and over `extra` texts. */
export function contentHash(root, files, extra = []) {
  const hash = createHash('sha256')
  for (const text of extra) hash.update(`${text.length}:${text}`)
  for (const file of files) {
    const content = readFileSync(file)
    hash.update(`\n${relative(root, file)} ${content.length}\n`)
    hash.update(content)
  }
  return hash.digest('hex')
}

/** The text of a stamp file, or undefined. */
export function readStamp(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
