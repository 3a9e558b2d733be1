/**
 * Builds an AssemblyScript backend: module, interface description, generated TypeScript and source map
 * (`spec/interface.md` 5). The module is a function of the source files alone: paths in it are relative to the project.
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { assert } from '@onus/protocol/errors'
import type { Interface } from '@onus/protocol/interface/description'
import { main } from 'assemblyscript/asc'
import { checkModule, type SourceText } from './checkModule.js'
import { descriptionSource } from './descriptionSource.js'
import { libraryName } from './library.js'
import { moduleEntryPath, sourceReader } from './sources.js'
import type { StateLayout } from './transform/layout.js'
import { BuildError, type Problem, positionIn } from './transform/problems.js'
import { interfaceTransform } from './transform/transform.js'

export interface BuildOptions {
  /** The file whose exported functions are the entries. */
  readonly entryFile: string
  /** Name of the exported description and of the files; the entry file's name if left out. */
  readonly name?: string
  /** Where `NAME.wasm` and `NAME.wasm.map` are written; nothing is written if left out. */
  readonly outDir?: string
  /** Root of the project, to which all paths in module and messages are relative; the nearest folder with a `package.json`. */
  readonly baseDirectory?: string
  /** Greatest size of the memory in pages of 64 KiB; 4,096 (256 MiB) if left out. */
  readonly maximumMemoryPages?: number
  /**
   * `full`, if left out: smallest and cheapest code, for what is deployed. `fast` builds in a third of the time, for
   * rebuilding on save; the module behaves the same and spends up to a few per cent more gas.
   */
  readonly optimize?: 'full' | 'fast'
  /** First address of the module's own data; 0 if left out. The memory below it is the state of an earlier build. */
  readonly memoryBase?: number
}

export interface BuiltBackend {
  readonly name: string
  readonly wasm: Uint8Array<ArrayBuffer>
  readonly interface: Interface
  /** TypeScript source of the generated `NAME.ts`. */
  readonly description: string
  /** Source map of `wasm`, JSON with the sources inside. */
  readonly sourceMap: string
  /** Module in text form, for people and tests. */
  readonly text: string
  /** Classes and variables in memory, for `onus dev`. */
  readonly layout: StateLayout
}

const defaultMemoryPages = 4_096

/** Builds the backend of `options.entryFile`. Rejects `build-interface`, `build-source`, `build-import`, `build-compiler`. */
export async function buildBackend(options: BuildOptions): Promise<BuiltBackend> {
  const entryFile = resolve(options.entryFile)
  if (!existsSync(entryFile))
    throw new BuildError('build-source', [{ file: options.entryFile, line: 1, column: 1, message: 'no such file' }])
  const base = resolve(options.baseDirectory ?? projectFolder(dirname(entryFile)))
  const entryPath = relative(base, entryFile).replaceAll('\\', '/').replace(/\.ts$/, '')
  const name = options.name ?? basename(entryFile, '.ts')
  const compiled = await compile(base, entryPath, options)
  await checkModule(compiled.wasm, compiled.sources)
  const built: BuiltBackend = {
    name,
    wasm: compiled.wasm,
    interface: compiled.description,
    description: descriptionSource(compiled.description, name),
    sourceMap: compiled.sourceMap,
    text: compiled.text,
    layout: compiled.layout,
  }
  if (options.outDir !== undefined) await writeBuilt(built, options.outDir)
  return built
}

async function writeBuilt(built: BuiltBackend, outDir: string): Promise<void> {
  await mkdir(outDir, { recursive: true })
  await writeFile(join(outDir, `${built.name}.wasm`), built.wasm)
  await writeFile(join(outDir, `${built.name}.wasm.map`), built.sourceMap)
}

function projectFolder(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder) return start
  }
}

interface Compiled {
  readonly wasm: Uint8Array<ArrayBuffer>
  readonly sourceMap: string
  readonly text: string
  readonly description: Interface
  readonly layout: StateLayout
  readonly sources: readonly SourceText[]
}

async function compile(base: string, entryPath: string, options: BuildOptions): Promise<Compiled> {
  const { transform, description, layout } = interfaceTransform(entryPath)
  const outputs = new Map<string, Uint8Array | string>()
  /** By the path that the compiler uses in messages. */
  const texts = new Map<string, string>()
  const problems: Problem[] = []
  const read = sourceReader(entryPath)
  const { error } = await main(compilerArguments(base, options), {
    async readFile(path, baseDirectory) {
      const text = await read(path, baseDirectory)
      if (text !== null) texts.set(path.replaceAll('\\', '/').replace(/^.*node_modules\//, '~lib/'), text)
      return text
    },
    writeFile(path, contents) {
      outputs.set(path, contents)
    },
    listFiles: () => null,
    reportDiagnostic: (diagnostic) => {
      const { message, category, range } = diagnostic
      // 3 is the compiler's `DiagnosticCategory.Error`.
      if (Number(category) !== 3) return
      const file = range?.source?.normalizedPath ?? `${entryPath}.ts`
      const text = texts.get(file) ?? ''
      problems.push({ file, ...positionIn(text, range?.start ?? 0), message })
    },
    stdout: { write: () => {} },
    stderr: { write: () => {} },
    transforms: [transform],
  })
  if (error instanceof BuildError) throw error
  if (problems.length > 0) throw new BuildError('build-source', problems)
  if (error !== null)
    throw new BuildError('build-compiler', [{ file: `${entryPath}.ts`, line: 1, column: 1, message: error.message }])
  const wasm = outputs.get('backend.wasm')
  const sourceMap = outputs.get('backend.wasm.map')
  const text = outputs.get('backend.wat')
  assert(
    wasm instanceof Uint8Array && typeof sourceMap === 'string' && typeof text === 'string',
    'all outputs were made',
  )
  const sources = [...texts]
    .map(([path, content]): SourceText => ({ path, text: content }))
    .filter(({ path }) => path.endsWith('.ts') && !path.startsWith('~lib/') && path !== `${moduleEntryPath}.ts`)
  return { wasm: new Uint8Array(wasm), sourceMap, text, description: description(), layout: layout(), sources }
}

/**
 * `minimal` has no shadow stack: less code and gas; the transform changes its collector (`assembly/runtime/`).
 * `debug` keeps the names of functions, by which a trap is reported; it adds 10 to 20 % to the file and no gas.
 */
function compilerArguments(
  base: string,
  { maximumMemoryPages = defaultMemoryPages, optimize = 'full', memoryBase = 0 }: BuildOptions,
): string[] {
  return [
    `${moduleEntryPath}.ts`,
    ...['--baseDir', base, '--outFile', 'backend.wasm', '--textFile', 'backend.wat', '--sourceMap', '--debug'],
    ...['--runtime', 'minimal', '--maximumMemory', String(maximumMemoryPages)],
    ...(memoryBase === 0 ? [] : ['--memoryBase', String(memoryBase)]),
    ...(optimize === 'full' ? ['-O3', '--converge'] : ['-O2']),
    ...['--use', `abort=~lib/${libraryName}/abort/abort`, '--use', `seed=~lib/${libraryName}/random/seed`],
    ...['--use', `console=~lib/${libraryName}/log/console`],
  ]
}
