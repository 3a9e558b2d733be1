/**
 * The profile of modules that may be a backend (`spec/vm.md` 1, disputes.md 2.1): what the step machine can execute
 * and V8 executes deterministically. A refusal is an `OnusError` with a code `profile-…` whose message names the
 * function and the instruction or entry. Bodies are checked in profileBody.ts.
 */
import { utf8Bytes } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { ByteReader } from './binary/byteReader.js'
import { decodeModule } from './binary/decodeModule.js'
import {
  type ElementSegment,
  ExternalKind,
  type FunctionType,
  type ImportEntry,
  type Module,
  ValueType,
} from './binary/moduleTypes.js'
import { readFunctionNames } from './binary/nameSection.js'
import { Op } from './binary/opcodes.js'
import { hostFunctions, hostModule } from './lower/hostFunctions.js'
import { maximumGlobals, reservedWasmPages, wasmPageBytes } from './lower/layout.js'
import { checkBodies, checkNumeric } from './profileBody.js'

export interface MachineParameters {
  /** Highest maximum that a module may declare for its memory, in pages of 64 KiB. */
  readonly maximumMemoryPages: number
}

export const defaultMachineParameters: MachineParameters = { maximumMemoryPages: 4_096 }

/** Bytes of a module; larger ones are refused before they are read. */
export const maximumModuleBytes = 16_777_216
const maximumTableElements = 65_536
/** V8 takes 1,000 parameters and 1,000 results, and pass 1 adds one of each. */
const maximumSignature = 500
/** V8 takes a million functions and types each; the passes add few, the frames of a module need far less. */
const maximumFunctions = 100_000

/** Decodes a module and checks it against the profile. */
export function checkProfile(bytes: Uint8Array, parameters: MachineParameters): Module {
  if (bytes.length > maximumModuleBytes)
    throw new OnusError(
      'profile-limit',
      `the module has ${bytes.length} bytes, at most ${maximumModuleBytes} are allowed`,
    )
  if (!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>))
    throw new OnusError('module-invalid', 'the bytes are not a valid WebAssembly module', {
      remedy: 'compile to core WebAssembly without proposals beyond version 2.0',
    })
  const module = decodeModule(bytes)
  checkTypes(module)
  for (const entry of module.imports) checkImport(module, entry)
  checkMemory(module, parameters)
  checkTable(module)
  checkGlobals(module)
  checkExports(module)
  checkSegments(module)
  checkBodies(module, readFunctionNames(module))
  return module
}

function checkTypes(module: Module): void {
  const functions = module.functions.length
  if (functions > maximumFunctions || module.types.length > maximumFunctions)
    throw new OnusError(
      'profile-limit',
      `${functions} functions and ${module.types.length} types, at most ${maximumFunctions}`,
    )
  module.types.forEach((type, index) => {
    const where = `type ${index}`
    if (type.parameters.length > maximumSignature || type.results.length > maximumSignature)
      throw new OnusError('profile-limit', `${where} has more than ${maximumSignature} parameters or results`)
    for (const valueType of [...type.parameters, ...type.results]) checkNumeric(valueType, where)
  })
}

const decoder = new TextDecoder()

function checkImport(module: Module, entry: ImportEntry): void {
  const moduleName = decoder.decode(entry.module)
  const name = decoder.decode(entry.name)
  const where = `import ${JSON.stringify(moduleName.slice(0, 80))} ${JSON.stringify(name.slice(0, 80))}`
  const { descriptor } = entry
  if (descriptor.kind === ExternalKind.memory)
    throw new OnusError('profile-memory', `${where}: memories cannot be imported`)
  if (descriptor.kind === ExternalKind.table)
    throw new OnusError('profile-table', `${where}: tables cannot be imported`)
  if (descriptor.kind === ExternalKind.global)
    throw new OnusError('profile-global', `${where}: globals cannot be imported`)
  const host = moduleName === hostModule ? hostFunctions.get(name) : undefined
  const type = module.types[descriptor.typeIndex]
  if (host === undefined || type === undefined) {
    if (type !== undefined && hasFloat(type))
      throw new OnusError(
        'profile-float-import',
        `${where} has a float in its type and is not a function of "${hostModule}"`,
      )
    throw new OnusError(
      'profile-import',
      `${where} is not one of ${[...hostFunctions.keys()].join(', ')} of "${hostModule}"`,
    )
  }
  if (hasFloat(type)) throw new OnusError('profile-float-import', `${where} has a float in its type`)
  if (type.parameters.join() !== host.parameters.join() || type.results.join() !== host.results.join())
    throw new OnusError('profile-import-type', `${where} has another type than the host function`)
}

function hasFloat(type: FunctionType): boolean {
  return [...type.parameters, ...type.results].some(
    (valueType) => valueType === ValueType.f32 || valueType === ValueType.f64,
  )
}

function checkMemory(module: Module, parameters: MachineParameters): void {
  const [memory] = module.memories
  if (memory === undefined || module.memories.length !== 1)
    throw new OnusError('profile-memory', `${module.memories.length} memories, exactly one is required`)
  if ((memory.flags & 2) !== 0) throw new OnusError('profile-threads', 'the memory is shared')
  if (memory.maximum < 0)
    throw new OnusError('profile-memory', 'the memory has no maximum', {
      remedy: 'declare one (--maximumMemory for asc, --max-memory for wasm-ld)',
    })
  const allowed = Math.min(parameters.maximumMemoryPages, wasmPageBytes - reservedWasmPages)
  if (memory.maximum > allowed)
    throw new OnusError(
      'profile-memory',
      `the memory's maximum is ${memory.maximum} pages, at most ${allowed} are allowed`,
    )
}

function checkTable(module: Module): void {
  const [table] = module.tables
  if (module.tables.length > 1)
    throw new OnusError('profile-table', `${module.tables.length} tables, at most one is allowed`)
  if (table === undefined) return
  if (table.valueType !== ValueType.funcref) throw new OnusError('profile-table', 'the table does not hold functions')
  if (table.limits.minimum > maximumTableElements)
    throw new OnusError(
      'profile-table',
      `${table.limits.minimum} elements, at most ${maximumTableElements} are allowed`,
    )
}

function checkGlobals(module: Module): void {
  if (module.globals.length > maximumGlobals)
    throw new OnusError('profile-global', `${module.globals.length} globals, at most ${maximumGlobals} are allowed`)
  module.globals.forEach((entry, index) => {
    checkNumeric(entry.valueType, `global ${index}`)
    const opcode = entry.initial[0] ?? 0
    if (opcode < Op.i32Const || opcode > Op.f64Const || !isSingleConstant(entry.initial))
      throw new OnusError('profile-constant', `the initial value of global ${index} is not a constant`)
  })
}

/** Whether an expression is one numeric constant and `end`. */
function isSingleConstant(expression: Uint8Array): boolean {
  const reader = new ByteReader(expression)
  const opcode = reader.u8()
  if (opcode === Op.i32Const) reader.s32()
  else if (opcode === Op.i64Const) reader.signed(64)
  else if (opcode === Op.f32Const) reader.take(4)
  else if (opcode === Op.f64Const) reader.take(8)
  else return false
  return reader.remaining === 1
}

function checkExports(module: Module): void {
  const find = (name: string, kind: number): number => {
    const bytes = utf8Bytes(name).join()
    return module.exports.find((entry) => entry.kind === kind && entry.name.join() === bytes)?.index ?? -1
  }
  if (find('memory', ExternalKind.memory) < 0)
    throw new OnusError('profile-export', 'the memory is not exported as "memory"')
  const invoke = find('invoke', ExternalKind.function)
  if (invoke < 0) throw new OnusError('profile-export', 'no function is exported as "invoke"')
  const position = invoke - module.imports.length
  const type = module.types[module.functions[position] ?? -1]
  if (type === undefined || type.parameters.length > 0 || type.results.length > 0)
    throw new OnusError('profile-export', '"invoke" must be a function of the module without parameters and results')
  if (module.start >= 0 && module.start < module.imports.length)
    throw new OnusError('profile-export', 'the start function is an import')
}

function checkSegments(module: Module): void {
  const memoryBytes = (module.memories[0]?.minimum ?? 0) * wasmPageBytes
  module.data.forEach((segment, index) => {
    checkSegment(`data segment ${index}`, segment.offset, segment.bytes.length, memoryBytes)
  })
  const tableElements = module.tables[0]?.limits.minimum ?? 0
  module.elements.forEach((segment, index) => {
    const where = `element segment ${index}`
    checkElements(segment, where)
    checkSegment(where, segment.offset, (segment.functions ?? segment.expressions ?? []).length, tableElements)
  })
}

function checkSegment(where: string, offset: Uint8Array | null, length: number, size: number): void {
  if (offset === null) throw new OnusError('profile-segment', `${where} is not active`)
  if (offset[0] !== Op.i32Const || !isSingleConstant(offset))
    throw new OnusError('profile-constant', `the offset of ${where} is not a constant`)
  const start = new ByteReader(offset, 1).s32() >>> 0
  if (start + length > size)
    throw new OnusError('profile-segment', `${where} ends at ${start + length}, beyond the initial size ${size}`)
}

function checkElements(segment: ElementSegment, where: string): void {
  for (const expression of segment.expressions ?? []) {
    const isReference = expression[0] === Op.refFunc || expression[0] === Op.refNull
    const reader = new ByteReader(expression, 1)
    if (isReference) reader.u32()
    if (!isReference || reader.remaining !== 1)
      throw new OnusError('profile-constant', `${where} has an element that is neither a function nor null`)
  }
}
