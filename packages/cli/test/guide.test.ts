/** The guide's reference is that of the commands. With ONUS_UPDATE=1 it is written instead. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commandReference, referenceEnd, referenceStart } from '@onus/cli/command/reference'
import { commands } from '@onus/cli/commands/all'

const guide = fileURLToPath(new URL('../../../../docs/guides/cli.md', import.meta.url))

test('docs/guides/cli.md has the reference of the commands as they are', async () => {
  const text = await readFile(guide, 'utf8')
  const [start, end] = [text.indexOf(referenceStart), text.indexOf(referenceEnd)]
  assert.ok(start > 0 && end > start, 'the guide has the marks of the generated part')
  const made = text.slice(0, start) + commandReference(commands) + text.slice(end + referenceEnd.length)
  if (process.env['ONUS_UPDATE'] === '1') await writeFile(guide, made)
  else assert.equal(text, made, 'run: ONUS_UPDATE=1 node --test packages/cli/dist/test/guide.test.js')
})
