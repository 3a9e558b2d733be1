/**
 * What a finished module may look like: it imports the four host functions and exports `invoke` and `memory`.
 * An import of anything else is a use of the host's clock, console or randomness, named with its place in the source.
 */
import { assert } from '@onus/protocol/errors'
import { BuildError, type Problem, positionIn } from './transform/problems.js'

const hostFunctions = ['input_size', 'input_read', 'output_write', 'log_write']

interface Refused {
  /** Beginning of the import's name, `module.field`. */
  readonly import: string
  /** How it is written in a source. */
  readonly written: RegExp
  readonly remedy: string
}

const refused: readonly Refused[] = [
  {
    import: 'env.Date',
    written: /\bDate\b/,
    remedy: 'nodes have no common clock; use context.time(), the time of the block',
  },
  {
    import: 'env.console',
    written: /\bconsole\.(?!log\b)/,
    remedy: 'of console a backend has log(text) only',
  },
  { import: 'env.performance', written: /\bperformance\./, remedy: 'time inside a call is not the same on all nodes' },
  {
    import: 'env.process',
    written: /\bprocess\./,
    remedy: 'a backend has no process; return a value or throw an Error',
  },
  { import: 'env.crypto', written: /\bcrypto\./, remedy: 'random bytes differ between nodes; use context.seed()' },
  { import: 'env.trace', written: /\btrace\(/, remedy: 'use console.log(text)' },
]

/** A source file of the backend. */
export interface SourceText {
  readonly path: string
  readonly text: string
}

/** Throws `build-import`. `sources` are the author's files, for the place of the problem. */
export async function checkModule(wasm: Uint8Array<ArrayBuffer>, sources: readonly SourceText[]): Promise<void> {
  const module = await WebAssembly.compile(wasm)
  const foreign = WebAssembly.Module.imports(module).filter(
    ({ module: from, name }) => from !== 'onus' || !hostFunctions.includes(name),
  )
  const problems = foreign.map(({ module: from, name }) => problemOf(`${from}.${name}`, sources))
  if (problems.length > 0) throw new BuildError('build-import', problems)
  const exports = WebAssembly.Module.exports(module).map(({ name }) => name)
  assert(exports.sort().join() === 'invoke,memory', `the module exports invoke and memory, got ${exports.join()}`)
}

function problemOf(name: string, sources: readonly SourceText[]): Problem {
  const known = refused.find((candidate) => name.startsWith(candidate.import))
  const written = known?.written ?? new RegExp(`\\b${name.slice(name.indexOf('.') + 1).replace(/\W/g, '\\$&')}\\b`)
  const remedy = known?.remedy ?? 'a backend imports nothing but the four functions of the host'
  for (const { path, text } of sources) {
    const offset = text.search(written)
    if (offset >= 0) return { file: path, ...positionIn(text, offset), message: `${name} is not there: ${remedy}` }
  }
  return { file: sources[0]?.path ?? 'module', line: 1, column: 1, message: `${name} is not there: ${remedy}` }
}
