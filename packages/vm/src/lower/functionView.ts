/** One defined function of a module as the passes see it: type, locals, decoded body. */

import { assert } from '@onus/protocol/errors'
import { ByteReader } from '../binary/byteReader.js'
import type { DecodedCode } from '../binary/decodedCode.js'
import {
  type FunctionBody,
  type FunctionType,
  functionTypeIndices,
  importedFunctionCount,
  type Module,
} from '../binary/moduleTypes.js'

/** What a pass needs to know of the module around a body. */
export interface ModuleContext {
  readonly types: readonly FunctionType[]
  /** Type index per function, imported ones first. */
  readonly functionTypes: readonly number[]
  readonly importedFunctions: number
}

export interface FunctionView {
  /** In the function index space. */
  readonly index: number
  readonly type: FunctionType
  readonly body: FunctionBody
  /** Value types of parameters and locals. */
  readonly localTypes: readonly number[]
  readonly code: DecodedCode
}

export function contextOf(module: Module): ModuleContext {
  return {
    types: module.types,
    functionTypes: functionTypeIndices(module),
    importedFunctions: importedFunctionCount(module),
  }
}

export function typeOfFunction(context: ModuleContext, index: number): FunctionType {
  const type = context.types[context.functionTypes[index] ?? -1]
  assert(type !== undefined, `function ${index} has a type`)
  return type
}

/** Decodes body `position` of the code section into `code`, which is reused and valid until the next call. */
export function viewFunction(
  module: Module,
  context: ModuleContext,
  position: number,
  code: DecodedCode,
): FunctionView {
  const body = module.bodies[position]
  assert(body !== undefined, 'body exists')
  const index = context.importedFunctions + position
  const type = typeOfFunction(context, index)
  const localTypes = [...type.parameters]
  for (const run of body.locals) for (let i = 0; i < run.count; i++) localTypes.push(run.valueType)
  const reader = new ByteReader(body.code)
  code.decode(reader)
  assert(reader.remaining === 0, 'a valid body ends with its last instruction')
  return { index, type, body, localTypes, code }
}

/** Parameters and results of a block type immediate. */
export function blockSignature(
  types: readonly FunctionType[],
  blockType: number,
): { parameters: number; results: number } {
  if (blockType >= 0) {
    const type = types[blockType]
    assert(type !== undefined, 'block type exists')
    return { parameters: type.parameters.length, results: type.results.length }
  }
  return { parameters: 0, results: blockType === -64 ? 0 : 1 }
}

/** Labels of the br_table at `index`, the default last. */
export function branchTableLabels(view: FunctionView, index: number): number[] {
  const reader = new ByteReader(view.body.code, view.code.position(index) + 1)
  const labels: number[] = []
  for (let left = reader.u32(); left >= 0; left--) labels.push(reader.u32())
  return labels
}
