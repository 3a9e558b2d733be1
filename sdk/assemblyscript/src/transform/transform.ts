/**
 * The compiler transform: reads the entries of a backend, generates codecs and dispatcher, and adds the interface
 * description as the custom section `onus:interface`. One transform serves one compilation.
 */
import { assert } from '@onus/protocol/errors'
import { type Interface, interfaceSectionName } from '@onus/protocol/interface/description'
import { formatInterface, parseInterface } from '@onus/protocol/interface/parseInterface'
import { selectorTable } from '@onus/protocol/interface/selector'
import type { Parser, Source } from 'assemblyscript'
import type { Transform } from 'assemblyscript/transform'
import { describeInterface } from './describe.js'
import { type Generated, generateCode } from './generate.js'
import { importPath, injectCode } from './inject.js'
import { BuildError, type Problem, problemAt } from './problems.js'
import { readEntries } from './readEntries.js'
import type { TypeReader } from './readTypes.js'

/** Folder of the guest library as backends import it. */
export const libraryName = '@onus/assemblyscript'

/** Added to the runtime, which keeps these numbers to itself (`assembly/collect.ts`). */
const runtimeNumbers = `@global @unsafe export function __onus_managed_bytes(): usize { return total; }
@global @unsafe export function __onus_live_objects(): usize {
  let count: usize = 0;
  const space = fromSpace;
  for (let object = space.next; object != space; object = object.next) count++;
  return count;
}`

const libraryModules = ['abort', 'collect', 'decode', 'encode', 'input', 'random'] as const

export interface InterfaceTransform {
  readonly transform: Transform
  /** The description; to be called after a successful compilation. */
  description(): Interface
}

/** `entryPath` is the internal path of the backend's entry file: relative to the base directory, without `.ts`. */
export function interfaceTransform(entryPath: string): InterfaceTransform {
  let description: Interface | undefined
  const hooks = {
    afterParse(parser: Parser): void {
      description = transformSources(parser, entryPath)
    },
    afterCompile(module: { addCustomSection(name: string, contents: Uint8Array): void }): void {
      assert(description !== undefined, 'the sources were parsed')
      module.addCustomSection(interfaceSectionName, formatInterface(description))
    },
  }
  return {
    transform: hooks as unknown as Transform,
    description() {
      assert(description !== undefined, 'the backend was compiled')
      return description
    },
  }
}

function transformSources(parser: Parser, entryPath: string): Interface {
  const sources = new Map(parser.sources.map((source) => [source.internalPath, source]))
  const entryFile = sources.get(entryPath) ?? sources.get(`${entryPath}/index`)
  const runtime = sources.get('~lib/rt/tcms')
  assert(entryFile !== undefined && runtime !== undefined, 'entry file and runtime are parsed')
  const reader: TypeReader = { sources, problems: [], named: new Map() }
  const entries = readEntries(reader, entryFile)
  const { description, clashes } = describeInterface(entries)
  for (const clash of clashes) reader.problems.push(problemAt(entryFile, clash))
  if (reader.problems.length > 0) throw new BuildError('build-interface', reader.problems)
  const checked = checkDescription(description, reader, entryFile)
  const seeded = parser.sources.some((source) => !source.isLibrary && /\bMathf?\.random\b/.test(source.text))
  const generated = generateCode(entryFile, entries, selectorTable(checked).selectors, seeded)
  for (const file of generated.values()) injectCode(parser, file.source, fileCode(file))
  injectCode(parser, runtime, runtimeNumbers)
  return checked
}

function fileCode(file: Generated): string {
  const library = libraryModules.map((name) => `import * as __onus_${name} from "${libraryName}/${name}";`)
  const imports = [...file.imports].map(
    ([name, source]) => `import { ${name} } from "${importPath(file.source, source)}";`,
  )
  return [...library, ...imports, ...file.functions].join('\n')
}

/** The description as a reader will get it; what the reader would refuse is a problem of the source. */
function checkDescription(description: Interface, reader: TypeReader, entryFile: Source): Interface {
  try {
    return parseInterface(formatInterface(description))
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    const owner = /^types\.(\w+)/.exec(message)?.[1]
    const declaration = [...reader.named.keys()].find((candidate) => candidate.name.text === owner)
    const problem: Problem = problemAt(declaration?.name ?? entryFile, message)
    throw new BuildError('build-interface', [problem])
  }
}
