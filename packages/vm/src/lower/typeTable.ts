/** Function types of a module that is being rewritten: finds a structurally equal type or adds it. */
import type { FunctionType } from '../binary/moduleTypes.js'

export class TypeTable {
  readonly types: FunctionType[]
  private readonly indices = new Map<string, number>()

  constructor(types: readonly FunctionType[]) {
    this.types = [...types]
    this.types.forEach((type, index) => {
      const key = keyOf(type)
      if (!this.indices.has(key)) this.indices.set(key, index)
    })
  }

  type(index: number): FunctionType {
    const type = this.types[index]
    if (type === undefined) throw new RangeError(`type ${index} of ${this.types.length}`)
    return type
  }

  indexOf(parameters: readonly number[], results: readonly number[]): number {
    const key = keyOf({ parameters, results })
    let index = this.indices.get(key)
    if (index === undefined) {
      index = this.types.push({ parameters, results }) - 1
      this.indices.set(key, index)
    }
    return index
  }
}

function keyOf(type: FunctionType): string {
  return `${type.parameters.join()}:${type.results.join()}`
}
