#!/usr/bin/env node
/** Entry of `onus`: hands on to the compiled command line, and says how to compile it where it is not. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/src/main.js', import.meta.url)
if (existsSync(main)) await import(main.href)
else {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  process.stderr.write(`✖ this clone of Onus is not built yet\n  run: cd ${root} && npm run build\n`)
  process.exitCode = 1
}
