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
import { libraryName } from '../library.js'
import { describeInterface } from './describe.js'
import { type GeneratedMember, generateCode } from './generate.js'
import type { Generated } from './generateCodecs.js'
import { importPath, injectCode, injectMember } from './inject.js'
import { type CompiledProgram, type StateLayout, stateLayout } from './layout.js'
import { BuildError, type Problem, problemAt } from './problems.js'
import { readEntries } from './readEntries.js'
import { readEvents } from './readEvents.js'
import type { TypeReader } from './readTypes.js'
import { changeRuntime } from './runtime.js'

/** Modules of the guest library by their names in generated code, which imports those that it uses. */
const libraryModules: Readonly<Record<string, string>> = {
  __onus_abort: 'abort',
  __onus_decode: 'decode',
  __onus_encode: 'encode',
  __onus_events: 'events',
  __onus_input: 'input',
  __onus_random: 'random',
  __onus_result: 'result',
  __onus_wide: 'wide/codec',
}

export interface InterfaceTransform {
  readonly transform: Transform
  /** The description; to be called after a successful compilation. */
  description(): Interface
  /** What the memory means; likewise. */
  layout(): StateLayout
}

/** The part used here of the binaryen module that the compiler hands to its transforms, and of binaryen itself. */
interface CompiledModule {
  addCustomSection(name: string, contents: Uint8Array): void
  runPasses(names: readonly string[]): void
}
interface Binaryen {
  setPassArgument(name: string, value: string | null): void
}

/** `entryPath` is the internal path of the backend's entry file: relative to the base directory, without `.ts`. */
export function interfaceTransform(entryPath: string): InterfaceTransform {
  let parsed: Transformed | undefined
  let layout: StateLayout | undefined
  /** The compiler makes one and sets these on it. */
  class Hooks {
    declare readonly binaryen: Binaryen
    declare readonly program: CompiledProgram

    afterParse(parser: Parser): void {
      parsed = transformSources(parser, entryPath)
    }

    afterCompile(module: CompiledModule): void {
      assert(parsed !== undefined, 'the sources were parsed')
      layout = stateLayout(this.program)
      module.addCustomSection(interfaceSectionName, formatInterface(parsed.description))
      // Else the optimizer puts most entries into the dispatcher, and a trap cannot be named by its entry. 4 gas a call.
      for (const { name } of parsed.description.entries) {
        this.binaryen.setPassArgument('no-inline', `${parsed.entryFile}/${name}`)
        module.runPasses(['no-inline'])
      }
      this.binaryen.setPassArgument('no-inline', null)
    }
  }
  return {
    transform: Hooks as unknown as Transform,
    description() {
      assert(parsed !== undefined, 'the backend was compiled')
      return parsed.description
    },
    layout() {
      assert(layout !== undefined, 'the backend was compiled')
      return layout
    },
  }
}

interface Transformed {
  readonly description: Interface
  /** Internal path of the entry file. */
  readonly entryFile: string
}

function transformSources(parser: Parser, entryPath: string): Transformed {
  const sources = new Map(parser.sources.map((source) => [source.internalPath, source]))
  const entryFile = sources.get(entryPath) ?? sources.get(`${entryPath}/index`)
  assert(entryFile !== undefined, 'the entry file is parsed')
  const reader: TypeReader = { sources, problems: [], named: new Map() }
  const entries = readEntries(reader, entryFile)
  const events = readEvents(reader, parser.sources)
  const { description, clashes } = describeInterface(entries, events)
  for (const clash of clashes) reader.problems.push(problemAt(entryFile, clash))
  if (reader.problems.length > 0) throw new BuildError('build-interface', reader.problems)
  const checked = checkDescription(description, reader, entryFile)
  const seeded = parser.sources.some((source) => !source.isLibrary && /\bMathf?\.random\b/.test(source.text))
  const { selectors, eventSelectors } = selectorTable(checked)
  const code = generateCode(entryFile, entries, events, { entries: selectors, events: eventSelectors }, seeded)
  for (const { event, code: method } of code.members)
    injectMember(parser, event.named.source, event.declaration, method)
  for (const file of code.files.values()) injectCode(parser, file.source, fileCode(file, code.members))
  changeRuntime(parser, sources)
  return { description: checked, entryFile: entryFile.internalPath }
}

function fileCode(file: Generated, members: readonly GeneratedMember[]): string {
  const methods = members.filter(({ event }) => event.named.source === file.source).map(({ code }) => code)
  const text = [...file.functions, ...methods].join('\n')
  const library = Object.entries(libraryModules)
    .filter(([name]) => text.includes(`${name}.`))
    .map(([name, path]) => `import * as ${name} from "${libraryName}/${path}";`)
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
