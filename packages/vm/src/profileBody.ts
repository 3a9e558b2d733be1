/** Profile of function bodies: locals, block types and instructions (`spec/vm.md` 1). Part of profile.ts. */
import { OnusError } from '@onus/protocol/errors'
import { ByteReader } from './binary/byteReader.js'
import { DecodedCode } from './binary/decodedCode.js'
import { declaredLocals, importedFunctionCount, type Module, ValueType } from './binary/moduleTypes.js'
import { describeFunction } from './binary/nameSection.js'
import { instructionName, Op, simdBase, threadsBase } from './binary/opcodes.js'

/** Together with parameters and operands below the slots of a frame; V8 would take 50,000. */
const maximumDeclaredLocals = 16_384

/** Refuses every value type but i32, i64, f32 and f64. `where` opens the message. */
export function checkNumeric(valueType: number, where: string): void {
  if (valueType >= ValueType.f64 && valueType <= ValueType.i32) return
  if (valueType === ValueType.v128) throw new OnusError('profile-simd', `${where} has the type v128`)
  throw new OnusError('profile-reference', `${where} has a type that is not a number (0x${valueType.toString(16)})`)
}

export function checkBodies(module: Module, names: ReadonlyMap<number, string>): void {
  const code = new DecodedCode()
  const imported = importedFunctionCount(module)
  module.bodies.forEach((body, position) => {
    const where = describeFunction(imported + position, names)
    for (const run of body.locals) checkNumeric(run.valueType, `a local of ${where}`)
    if (declaredLocals(body) > maximumDeclaredLocals)
      throw new OnusError('profile-limit', `${where} has more than ${maximumDeclaredLocals} locals`)
    const reader = new ByteReader(body.code)
    try {
      code.decode(reader)
    } catch (cause) {
      if (!(cause instanceof OnusError)) throw cause
      throw new OnusError('profile-instruction', `${where} has an instruction outside of the profile`, { cause })
    }
    if (reader.remaining !== 0) throw new OnusError('module-malformed', `${where} goes on behind its end`)
    checkInstructions(code, where)
  })
}

function checkInstructions(code: DecodedCode, where: string): void {
  for (let i = 0; i < code.count; i++) {
    const opcode = code.opcode(i)
    if (opcode < Op.returnCall) {
      if (opcode >= Op.block && opcode <= Op.if) checkBlockType(code.first(i), where)
      continue
    }
    const refusal = refusalOf(opcode)
    if (refusal !== null) throw new OnusError(refusal, `${where} uses ${instructionName(opcode)}`)
    if (opcode === Op.selectTyped) checkSelect(code, i, where)
  }
}

function checkBlockType(blockType: number, where: string): void {
  if (blockType < 0 && blockType !== -64) checkNumeric(blockType & 0x7f, `a block of ${where}`)
}

function checkSelect(code: DecodedCode, i: number, where: string): void {
  if (code.second(i) !== 1) throw new OnusError('profile-instruction', `${where} uses a select of several values`)
  checkNumeric(code.first(i), `a select of ${where}`)
}

/** Code of the refusal of an instruction, null if it is in the profile. */
function refusalOf(opcode: number): string | null {
  if (opcode >= threadsBase) return 'profile-threads'
  if (opcode >= simdBase) return 'profile-simd'
  if (opcode === Op.returnCall || opcode === Op.returnCallIndirect) return 'profile-tail-call'
  if (opcode === Op.refNull || opcode === Op.refIsNull || opcode === Op.refFunc) return 'profile-reference'
  if (opcode === Op.tableGet || opcode === Op.tableSet || opcode >= Op.tableInit) return 'profile-table'
  if (opcode === Op.memoryInit || opcode === Op.dataDrop) return 'profile-segment'
  return null
}
