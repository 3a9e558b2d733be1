/** A throw-away folder with given files, for tests of the tooling. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Creates `files` (path to text) in a new folder that is deleted after the test `t`. Returns the folder. */
export function temporaryTree(t, files) {
  const root = mkdtempSync(join(tmpdir(), 'onus-scripts-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}
