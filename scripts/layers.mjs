/**
 * The layer check: imports that go up, out of their package, to `node:` where a browser has to run the code, to
 * npm packages a layer may not have, and import cycles between files. Follows lib/layerRules.mjs; reads imports as text.
 * Does not check that a package is declared or a file exists (Biome and the compiler do).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importCycles } from './lib/importCycles.mjs'
import { importsOf } from './lib/importScanner.mjs'
import { mayImport, ruleOf } from './lib/layerRules.mjs'
import { repositoryRoot } from './lib/root.mjs'
import { workspacesOf } from './lib/workspaces.mjs'

/** `assembly` holds AssemblyScript, another language with the same file ending. */
const skippedFolders = new Set(['node_modules', 'dist', 'assembly'])
const sourceFile = /\.(ts|tsx|mts|js|mjs)$/

function sourcesUnder(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : sourcesUnder(root, path)
    return sourceFile.test(entry.name) ? [path] : []
  })
}

/** The source file that a relative import names: TypeScript is imported by the name of its output. */
function sourceOf(file, specifier, sources) {
  const path = join(dirname(file), specifier)
  const candidates = [path, path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx'), path.replace(/\.mjs$/, '.mts')]
  return candidates.find((candidate) => sources.has(candidate))
}

function packageNameOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function isBuiltin(specifier) {
  return specifier.startsWith('node:') || builtinModules.includes(specifier)
}

/** What is wrong with a relative import, or undefined. */
function relativeFault(workspace, file, specifier, isTest) {
  const target = join(dirname(file), specifier)
  if (!target.startsWith(`${workspace.folder}/`)) return `${specifier} leaves ${workspace.folder}: import the package`
  const ownTests = `${workspace.folder}/test/`
  if (!isTest && target.startsWith(ownTests)) return `${specifier} is test code`
  return undefined
}

/** What is wrong with an import of a package, built-in or npm, or undefined. */
function packageFault(workspace, rule, byName, specifier, isTest) {
  if (isBuiltin(specifier)) {
    if (!rule.browser || isTest) return undefined
    return `${specifier} does not exist in a browser, where ${workspace.folder} has to run`
  }
  const name = packageNameOf(specifier)
  const target = byName.get(name)
  if (target === undefined) {
    if (name.startsWith('@onus/')) return `${name} is not a workspace`
    if (rule.external === undefined || isTest || rule.external.some((prefix) => name.startsWith(prefix)))
      return undefined
    const allowed = rule.external.length === 0 ? 'none' : rule.external.map((prefix) => `${prefix}*`).join(', ')
    return `${name}: npm packages that ${workspace.folder} may import: ${allowed}`
  }
  if (target.folder === workspace.folder)
    return isTest ? undefined : `${specifier} is this package: import the file by its relative path`
  if (!mayImport(rule, target.folder)) return `${workspace.folder} may not import ${target.folder} (${specifier})`
  return undefined
}

function importFault(workspace, rule, byName, file, specifier) {
  const isTest = file.startsWith(`${workspace.folder}/test/`)
  if (specifier === undefined) {
    if (!rule.browser || isTest) return undefined
    return `a computed import cannot be checked, and ${workspace.folder} has no reason for one`
  }
  return specifier.startsWith('.')
    ? relativeFault(workspace, file, specifier, isTest)
    : packageFault(workspace, rule, byName, specifier, isTest)
}

/** `path:line` of the import by which `file` reaches `target`. */
function placeOfImport(file, target, imports, sources) {
  const found = imports.get(file).find(({ specifier }) => specifier && sourceOf(file, specifier, sources) === target)
  return `${file}:${found.line}`
}

function cycleFaults(imports) {
  const sources = new Set(imports.keys())
  const graph = new Map()
  for (const [file, list] of imports) {
    const relatives = list.filter(({ specifier }) => specifier?.startsWith('.'))
    graph.set(
      file,
      relatives.map(({ specifier }) => sourceOf(file, specifier, sources)).filter((target) => target),
    )
  }
  return importCycles(graph).map((cycle) => {
    const place = placeOfImport(cycle.at(-2), cycle.at(-1), imports, sources)
    return `${place} closes an import cycle: ${cycle.map((file) => relative(dirname(cycle[0]), file)).join(' -> ')}`
  })
}

function workspaceFaults(root, workspace, byName) {
  const rule = ruleOf(workspace.folder)
  if (rule === undefined) return [`${workspace.folder}/package.json:1 has no rule in scripts/lib/layerRules.mjs`]
  const imports = new Map()
  const faults = []
  for (const file of sourcesUnder(root, workspace.folder)) {
    const found = importsOf(readFileSync(join(root, file), 'utf8'))
    imports.set(file, found)
    for (const { specifier, line } of found) {
      const fault = importFault(workspace, rule, byName, file, specifier)
      if (fault !== undefined) faults.push(`${file}:${line} ${fault}`)
    }
  }
  return [...faults, ...cycleFaults(imports)]
}

/** Violations of the layer rules in the repository at `root`, each `path:line text`; empty when it keeps them. */
export function checkLayers(root) {
  const workspaces = workspacesOf(root)
  const byName = new Map(workspaces.map((workspace) => [workspace.name, workspace]))
  return workspaces.flatMap((workspace) => workspaceFaults(root, workspace, byName))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const faults = checkLayers(repositoryRoot)
  for (const fault of faults) process.stderr.write(`${fault}\n`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
