import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsOf } from '../lib/importScanner.mjs'

function specifiers(text) {
  return importsOf(text).map(({ specifier }) => specifier)
}

test('every form of import and re-export is found, with the line of its specifier', () => {
  const text = [
    "import './effect.js'",
    "import a from './a.js'",
    "import type { B } from './b.js'",
    'import * as c from "./c.js"',
    'import {',
    '  d,',
    '  type E,',
    "} from './d.js'",
    "export { f } from './f.js'",
    "export * from './g.js'",
    "export * as h from './h.js'",
    "export type { I } from './i.js'",
    "const j = await import('./j.js')",
    "type K = import('./k.js').K",
    "const l = require('./l.js')",
    "import from from './m.js'",
  ].join('\n')
  assert.deepEqual(
    importsOf(text).map(({ specifier, line }) => `${line} ${specifier}`),
    '1 ./effect.js,2 ./a.js,3 ./b.js,4 ./c.js,8 ./d.js,9 ./f.js,10 ./g.js,11 ./h.js,12 ./i.js,13 ./j.js,14 ./k.js,15 ./l.js,16 ./m.js'.split(
      ',',
    ),
  )
})

test('what only looks like an import is not one', () => {
  const text = [
    "// import './comment.js'",
    "/* import './block.js'\n import './block2.js' */",
    'const code = `import x from "./template.js"` + \'import "./string.js"\'',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a template is the input
    'const nested = `a ${`b ${"}"} import("./inner.js")`} import "./outer.js"`',
    "const pattern = /import '.\\/regular.js'[/']/",
    'const url = import.meta.url',
    'module.import("./method.js")',
    'const object = { import: 1, from: "./key.js" }',
    'export const from = "./value.js"',
    'export { local }',
    'const half = a / b / "./division.js"',
  ].join('\n')
  assert.deepEqual(specifiers(text), [])
})

test('an import inside a template substitution, after a regular expression and after an apostrophe is found', () => {
  const text = [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a template is the input
    "const a = `${{ b: await import('./substituted.js') }.b} it's`",
    'const quote = /[\'"`]/',
    "import './after.js' // it's",
    "import './last.js'",
  ].join('\n')
  assert.deepEqual(specifiers(text), ['./substituted.js', './after.js', './last.js'])
})

test('a computed import has no specifier', () => {
  assert.deepEqual(importsOf('const a = 1\nawait import(path)'), [{ specifier: undefined, line: 2 }])
})

test('broken texts end the scan without an exception', () => {
  for (const text of ['`open', "'open", '/* open', 'import', 'import {', 'export *', 'import(', '}`${', '\u0000/'])
    assert.deepEqual(
      specifiers(text).filter((specifier) => specifier !== undefined),
      [],
    )
})
