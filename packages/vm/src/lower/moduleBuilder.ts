/** A module under rewriting: types found or added, functions appended behind the existing ones. */
import { type CodeWriter, codeBytes } from '../binary/codeWriter.js'
import type { FunctionBody, LocalRun, Module } from '../binary/moduleTypes.js'
import type { ModuleContext } from './functionView.js'
import { TypeTable } from './typeTable.js'

export interface NewFunction {
  readonly parameters: readonly number[]
  readonly results: readonly number[]
  readonly locals?: readonly LocalRun[]
  /** Emits the body without its final `end`. */
  readonly write: (code: CodeWriter) => void
}

export class ModuleBuilder {
  readonly types: TypeTable
  private readonly firstAdded: number
  private readonly addedTypes: number[] = []
  private readonly addedBodies: FunctionBody[] = []
  private readonly named = new Map<string, number>()

  constructor(module: Module, context: ModuleContext) {
    this.types = new TypeTable(module.types)
    this.firstAdded = context.functionTypes.length
  }

  add(definition: NewFunction): number {
    const code = codeBytes((writer) => {
      definition.write(writer)
      writer.u8(0x0b)
    })
    this.addedTypes.push(this.types.indexOf(definition.parameters, definition.results))
    this.addedBodies.push({ locals: definition.locals ?? [], code })
    return this.firstAdded + this.addedBodies.length - 1
  }

  /** The helper of that name, added at its first use. */
  helper(name: string, define: () => NewFunction): number {
    let index = this.named.get(name)
    if (index === undefined) {
      index = this.add(define())
      this.named.set(name, index)
    }
    return index
  }

  /** `module` with `types` and `bodies` of its own functions replaced and the added ones behind. */
  finish(
    module: Module,
    functions: readonly number[],
    bodies: readonly FunctionBody[],
    parts: Partial<Module>,
  ): Module {
    return {
      ...module,
      types: this.types.types,
      functions: [...functions, ...this.addedTypes],
      bodies: [...bodies, ...this.addedBodies],
      start: -1,
      dataCount: -1,
      customs: [],
      sections: new Set(),
      ...parts,
    }
  }
}
