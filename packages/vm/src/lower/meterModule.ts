/**
 * Pass 1: a module in the profile becomes M1, the metered module (`spec/vm.md` 4). M1 is a valid module on its own;
 * its hash and its step code are registered for disputes. Exports: memory, invoke and, if there was a start function,
 * start, both `(gas word) -> (gas word)`. Custom sections and all other exports are gone.
 */

import { utf8Bytes, utf8Text } from '@onus/protocol/bytes'
import { assert } from '@onus/protocol/errors'
import { ByteReader } from '../binary/byteReader.js'
import { codeBytes } from '../binary/codeWriter.js'
import { DecodedCode } from '../binary/decodedCode.js'
import {
  type ElementSegment,
  type ExportEntry,
  ExternalKind,
  type FunctionBody,
  type Module,
  ValueType,
} from '../binary/moduleTypes.js'
import { Op } from '../binary/opcodes.js'
import { contextOf, type ModuleContext, typeOfFunction, viewFunction } from './functionView.js'
import { hostFunctions } from './hostFunctions.js'
import { findLeaves } from './leafFunctions.js'
import { type MeteringTargets, meterBody } from './meterBody.js'
import { bulkHelper, entryHelper, growHelper, hostHelper } from './meteredHelpers.js'
import { ModuleBuilder } from './moduleBuilder.js'
import { checkInstructionCount, checkLoweredBody, checkSlots } from './sizeLimits.js'

/** Rejects with `profile-limit` a function that grows beyond what engines accept. */
export function meterModule(module: Module): Module {
  const context = contextOf(module)
  const builder = new ModuleBuilder(module, context)
  const invoke = exportedFunction(module, 'invoke')
  const roots = new Set([invoke, module.start])
  const leafCosts = findLeaves(module, context, roots)
  const targets = meteringTargets(module, context, builder, leafCosts)
  const code = new DecodedCode()
  const bodies: FunctionBody[] = []
  const functions: number[] = []
  for (let position = 0; position < module.bodies.length; position++) {
    const view = viewFunction(module, context, position, code)
    checkInstructionCount(view.index, view.code.count)
    const body = meterBody(view, targets)
    checkSlots(view.index, body.slots)
    checkLoweredBody(view.index, body)
    bodies.push(body)
    const typeIndex = module.functions[position]
    assert(typeIndex !== undefined, 'every body has a type')
    functions.push(leafCosts.has(view.index) ? typeIndex : targets.meteredType(typeIndex))
  }
  const elements = module.elements.map((segment) => meterSegment(segment, targets))
  const exports: ExportEntry[] = [
    { name: utf8Bytes('memory'), kind: ExternalKind.memory, index: 0 },
    { name: utf8Bytes('invoke'), kind: ExternalKind.function, index: builder.add(entryHelper(invoke)) },
  ]
  if (module.start >= 0) {
    const index = builder.add(entryHelper(module.start))
    exports.push({ name: utf8Bytes('start'), kind: ExternalKind.function, index })
  }
  return builder.finish(module, functions, bodies, { elements, exports })
}

export function exportedFunction(module: Module, name: string): number {
  const bytes = utf8Bytes(name)
  const entry = module.exports.find(
    (candidate) => candidate.kind === ExternalKind.function && candidate.name.join() === bytes.join(),
  )
  assert(entry !== undefined, `the profile requires the export ${name}`)
  return entry.index
}

function meteringTargets(
  module: Module,
  context: ModuleContext,
  builder: ModuleBuilder,
  leafCosts: ReadonlyMap<number, number>,
): MeteringTargets {
  const memory = module.memories[0]
  assert(memory !== undefined, 'the profile requires a memory')
  return {
    context,
    leafCosts,
    meteredType(typeIndex) {
      const type = builder.types.type(typeIndex)
      return builder.types.indexOf([...type.parameters, ValueType.i64], [...type.results, ValueType.i64])
    },
    resultType: (results) => builder.types.indexOf([], results),
    meteredFunction(index) {
      if (index >= context.importedFunctions) return index
      return builder.helper(`host ${index}`, () => {
        const entry = module.imports[index]
        assert(entry !== undefined, 'only functions are imported')
        const host = hostFunctions.get(utf8Text(entry.name))
        assert(host !== undefined, 'the profile admits only host functions')
        return hostHelper(index, typeOfFunction(context, index), host.lengthParameter)
      })
    },
    copyHelper: () => builder.helper('copy', () => bulkHelper(Op.memoryCopy)),
    fillHelper: () => builder.helper('fill', () => bulkHelper(Op.memoryFill)),
    growHelper: () => builder.helper('grow', () => growHelper(memory)),
  }
}

/** Table entries for imports become their metered helpers; all others keep their index. */
function meterSegment(segment: ElementSegment, targets: MeteringTargets): ElementSegment {
  const functions = segment.functions?.map((index) => targets.meteredFunction(index)) ?? null
  const expressions =
    segment.expressions?.map((expression) => {
      if (expression[0] !== Op.refFunc) return expression
      const index = targets.meteredFunction(new ByteReader(expression, 1).u32())
      return codeBytes((writer) => writer.op(Op.refFunc).u32(index).op(Op.end))
    }) ?? null
  return { ...segment, functions, expressions }
}
