/**
 * Pass 2: M1 becomes the executable for the host's WebAssembly engine. Memory starts `reservedWasmPages` higher;
 * exports are those of the engine (layout.ts). The executable is not registered anywhere, but it decides results as
 * M1 does, so its bytes are pinned by golden vectors too.
 */

import { utf8Bytes, utf8Text } from '@onus/protocol/bytes'
import { assert } from '@onus/protocol/errors'
import { ByteReader } from '../binary/byteReader.js'
import { codeBytes } from '../binary/codeWriter.js'
import { DecodedCode } from '../binary/decodedCode.js'
import {
  type DataSegment,
  type ExportEntry,
  ExternalKind,
  type FunctionBody,
  type Limits,
  type Module,
} from '../binary/moduleTypes.js'
import { Op } from '../binary/opcodes.js'
import { contextOf, type ModuleContext, viewFunction } from './functionView.js'
import { executableExports, guestBase, reservedWasmPages } from './layout.js'
import { ModuleBuilder } from './moduleBuilder.js'
import { checkLoweredBody } from './sizeLimits.js'
import { type TrackingTargets, trackBody } from './trackBody.js'
import {
  engineEntry,
  loadGlobals,
  type MutableGlobal,
  saveGlobals,
  trackedCopy,
  trackedFill,
  trackedGrow,
  trackedHostRead,
  trackedInputRead,
} from './trackedHelpers.js'

/** Mutable globals in the order of their index: the state outside memory. */
export function mutableGlobals(module: Module): MutableGlobal[] {
  return module.globals.flatMap((entry, index) => (entry.mutable === 1 ? [{ index, valueType: entry.valueType }] : []))
}

export function trackModule(metered: Module): Module {
  const context = contextOf(metered)
  const builder = new ModuleBuilder(metered, context)
  const memory = metered.memories[0]
  assert(memory !== undefined, 'the profile requires a memory')
  const targets = trackingTargets(metered, context, builder, memory)
  const code = new DecodedCode()
  const bodies: FunctionBody[] = metered.bodies.map((_, position) => {
    const view = viewFunction(metered, context, position, code)
    const body = trackBody(view, targets)
    checkLoweredBody(view.index, body)
    return body
  })
  const memories: Limits[] = [
    { flags: 1, minimum: memory.minimum + reservedWasmPages, maximum: memory.maximum + reservedWasmPages },
  ]
  return builder.finish(metered, metered.functions, bodies, {
    memories,
    data: metered.data.map(shiftSegment),
    exports: engineExports(metered, builder),
  })
}

function engineExports(metered: Module, builder: ModuleBuilder): ExportEntry[] {
  const globals = mutableGlobals(metered)
  const exports: ExportEntry[] = [{ name: utf8Bytes(executableExports.memory), kind: ExternalKind.memory, index: 0 }]
  const addFunction = (name: string, index: number): void => {
    exports.push({ name: utf8Bytes(name), kind: ExternalKind.function, index })
  }
  for (const entry of metered.exports) {
    const name = utf8Text(entry.name)
    if (name === 'invoke') addFunction(executableExports.invoke, builder.add(engineEntry(entry.index)))
    if (name === 'start') addFunction(executableExports.start, builder.add(engineEntry(entry.index)))
  }
  addFunction(executableExports.save, builder.add(saveGlobals(globals)))
  addFunction(executableExports.load, builder.add(loadGlobals(globals)))
  return exports
}

function trackingTargets(
  metered: Module,
  context: ModuleContext,
  builder: ModuleBuilder,
  memory: Limits,
): TrackingTargets {
  return {
    context,
    copyHelper: () => builder.helper('copy', () => trackedCopy),
    fillHelper: () => builder.helper('fill', () => trackedFill),
    growHelper: () => builder.helper('grow', () => trackedGrow(memory)),
    hostFunction(index) {
      const entry = metered.imports[index]
      assert(entry !== undefined, 'only functions are imported')
      const name = utf8Text(entry.name)
      if (name === 'input_read') return builder.helper(`host ${index}`, () => trackedInputRead(index))
      if (name === 'output_write' || name === 'log_write')
        return builder.helper(`host ${index}`, () => trackedHostRead(index))
      return index
    },
  }
}

/** The constant offset of an active segment, unsigned. */
export function segmentOffset(expression: Uint8Array): number {
  assert(expression[0] === Op.i32Const, 'the profile admits only constant offsets')
  return new ByteReader(expression, 1).s32() >>> 0
}

function shiftSegment(segment: DataSegment): DataSegment {
  assert(segment.offset !== null, 'the profile admits only active segments')
  const offset = segmentOffset(segment.offset) + guestBase
  return { ...segment, offset: codeBytes((writer) => writer.i32Const(offset).op(Op.end)) }
}
