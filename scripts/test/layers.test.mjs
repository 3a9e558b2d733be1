import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLayers } from '../layers.mjs'
import { temporaryTree } from './temporaryTree.mjs'

const names = {
  'packages/protocol': '@onus/protocol',
  'packages/vm': '@onus/vm',
  'packages/node': '@onus/node',
  'packages/client': '@onus/client',
  'packages/cli': '@onus/cli',
  'sdk/assemblyscript': '@onus/assemblyscript',
  'examples/cities': '@onus/example-cities',
  test: '@onus/test',
}

/** Violations of a repository with the workspaces above and `files`. */
function violations(t, files) {
  const manifests = Object.entries(names).map(([folder, name]) => [`${folder}/package.json`, JSON.stringify({ name })])
  const workspaces = ['packages/*', 'sdk/assemblyscript', 'examples/*', 'test']
  return checkLayers(
    temporaryTree(t, { 'package.json': JSON.stringify({ workspaces }), ...Object.fromEntries(manifests), ...files }),
  )
}

test('allowed edges pass: down the layers, node: in node, tests with node: and npm packages', (t) => {
  const files = {
    'packages/protocol/src/a.ts': "import { sha256 } from '@noble/hashes/sha2.js'\nimport './b.js'",
    'packages/protocol/src/b.ts': '',
    'packages/protocol/test/a.test.ts':
      "import 'node:test'\nimport 'fast-check'\nimport '../src/a.js'\nimport '@onus/protocol/b'",
    'packages/vm/src/a.ts': "import '@onus/protocol/a'",
    'packages/node/src/a.ts': "import 'node:fs'\nimport 'lmdb'\nimport '@onus/vm/a'\nawait import(path)",
    'packages/cli/src/a.ts': "import '@onus/client/a'\nimport '@onus/example-cities/a'",
    'examples/cities/src/a.ts': "import '@onus/assemblyscript/a'\nimport '@onus/client/a'",
    'examples/cities/assembly/a.ts': "import '../../../anything'",
    'test/e2e/a.test.ts': "import '@onus/cli/a'\nimport '@onus/vm/a'",
  }
  assert.deepEqual(violations(t, files), [])
})

/** One file each, and the violation that it must give. */
const faults = [
  ['packages/protocol/src/a.ts', "\nimport '@onus/vm/a'", 'packages/protocol may not import packages/vm (@onus/vm/a)'],
  ['packages/protocol/test/a.ts', "\nimport '@onus/vm/a'", 'packages/protocol may not import packages/vm (@onus/vm/a)'],
  [
    'packages/vm/src/a.ts',
    "\nimport type {} from '@onus/node/a'",
    'packages/vm may not import packages/node (@onus/node/a)',
  ],
  ['packages/client/src/a.ts', "\nimport '@onus/vm/a'", 'packages/client may not import packages/vm (@onus/vm/a)'],
  [
    'packages/node/src/a.ts',
    "\nimport '@onus/client/a'",
    'packages/node may not import packages/client (@onus/client/a)',
  ],
  [
    'sdk/assemblyscript/src/a.ts',
    "\nawait import('@onus/client/a')",
    'sdk/assemblyscript may not import packages/client (@onus/client/a)',
  ],
  [
    'examples/cities/src/a.ts',
    "\nimport '@onus/node/a'",
    'examples/cities may not import packages/node (@onus/node/a)',
  ],
  ['packages/vm/src/a.ts', "\nimport 'node:fs'", 'node:fs does not exist in a browser, where packages/vm has to run'],
  [
    'packages/client/src/a.ts',
    "\nimport 'buffer'",
    'buffer does not exist in a browser, where packages/client has to run',
  ],
  [
    'packages/protocol/src/a.ts',
    "\nimport 'lodash'",
    'lodash: npm packages that packages/protocol may import: @noble/*',
  ],
  [
    'packages/vm/src/a.ts',
    "\nimport '@noble/hashes/sha2.js'",
    '@noble/hashes: npm packages that packages/vm may import: none',
  ],
  [
    'packages/vm/src/a.ts',
    '\nawait import(x)',
    'a computed import cannot be checked, and packages/vm has no reason for one',
  ],
  [
    'packages/vm/src/a.ts',
    "\nimport '../../protocol/src/a.js'",
    '../../protocol/src/a.js leaves packages/vm: import the package',
  ],
  [
    'test/e2e/a.ts',
    "\nimport '../../packages/vm/src/a.js'",
    '../../packages/vm/src/a.js leaves test: import the package',
  ],
  ['packages/vm/src/a.ts', "\nimport '../test/b.js'", '../test/b.js is test code'],
  ['packages/vm/src/a.ts', "\nimport '@onus/vm/b'", '@onus/vm/b is this package: import the file by its relative path'],
  ['packages/vm/src/a.ts', "\nimport '@onus/nothing/a'", '@onus/nothing is not a workspace'],
]

for (const [file, text, fault] of faults) {
  test(`${file}: ${fault}`, (t) => {
    assert.deepEqual(violations(t, { [file]: text }), [`${file}:2 ${fault}`])
  })
}

test('a workspace without a rule is a violation', (t) => {
  assert.deepEqual(violations(t, { 'packages/extra/package.json': '{ "name": "@onus/extra" }' }), [
    'packages/extra/package.json:1 has no rule in scripts/lib/layerRules.mjs',
  ])
})

test('import cycles are reported where they close, those of types too; an import of itself is one', (t) => {
  const files = {
    'packages/vm/src/a.ts': "import './deep/b.js'",
    'packages/vm/src/deep/b.ts': "\n\nimport type { C } from '../c.js'",
    'packages/vm/src/c.ts': "import './a.js'",
    'packages/vm/src/d.ts': "import './c.js'",
    'packages/vm/src/self.ts': "import './self.js'",
  }
  assert.deepEqual(violations(t, files), [
    'packages/vm/src/c.ts:1 closes an import cycle: a.ts -> deep/b.ts -> c.ts -> a.ts',
    'packages/vm/src/self.ts:1 closes an import cycle: self.ts -> self.ts',
  ])
})

test('files that meet again without a cycle are none', (t) => {
  const files = {
    'packages/vm/src/a.ts': "import './b.js'\nimport './c.js'",
    'packages/vm/src/b.ts': "import './d.js'",
    'packages/vm/src/c.ts': "import './d.js'",
    'packages/vm/src/d.ts': '',
  }
  assert.deepEqual(violations(t, files), [])
})
