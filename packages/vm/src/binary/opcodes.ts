/**
 * Instruction tables of WebAssembly 2.0 with threads and tail calls: immediates and operand signatures.
 * Numbering: one-byte opcodes as they are, prefix 0xfc at 0x100, 0xfd (SIMD) at 0x200, 0xfe (threads) at 0x300.
 * Wider than the profile, so that a refusal can name the instruction it refuses.
 */

/** Forms of the bytes that follow an opcode. */
export const Immediate = {
  unknown: 0,
  none: 1,
  blockType: 2,
  label: 3,
  branchTable: 4,
  functionIndex: 5,
  indirect: 6,
  local: 7,
  global: 8,
  table: 9,
  memoryArgument: 10,
  memoryIndex: 11,
  i32: 12,
  i64: 13,
  f32: 14,
  f64: 15,
  selectTypes: 16,
  referenceType: 17,
  dataMemory: 18,
  data: 19,
  memoryPair: 20,
  elementTable: 21,
  element: 22,
  tablePair: 23,
  lane: 24,
  memoryLane: 25,
  v128: 26,
  fence: 27,
} as const

/** Opcodes that the passes name. */
export const Op = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  i32Load: 0x28,
  i64Load: 0x29,
  i32Load8U: 0x2d,
  i32Store: 0x36,
  i64Store: 0x37,
  f32Store: 0x38,
  f64Store: 0x39,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  i64Store8: 0x3c,
  i64Store16: 0x3d,
  i64Store32: 0x3e,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtU: 0x49,
  i64Ne: 0x52,
  i64LtS: 0x53,
  i64GtU: 0x56,
  f32Eq: 0x5b,
  f64Eq: 0x61,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64And: 0x83,
  i64Or: 0x84,
  i64Xor: 0x85,
  i64Shl: 0x86,
  i64ShrS: 0x87,
  i64ShrU: 0x88,
  i64Rotl: 0x89,
  i32WrapI64: 0xa7,
  i64ExtendI32U: 0xad,
  i64TruncF64U: 0xb1,
  f64ConvertI64S: 0xb9,
  i32ReinterpretF32: 0xbc,
  i64ReinterpretF64: 0xbd,
  f32ReinterpretI32: 0xbe,
  f64ReinterpretI64: 0xbf,
  refNull: 0xd0,
  refIsNull: 0xd1,
  refFunc: 0xd2,
  memoryInit: 0x108,
  dataDrop: 0x109,
  memoryCopy: 0x10a,
  memoryFill: 0x10b,
  tableInit: 0x10c,
  tableFill: 0x111,
  v128Load: 0x200,
  v128Store: 0x20b,
  v128Const: 0x20c,
  i64x2Splat: 0x212,
  i64x2ExtractLane: 0x21d,
  i64x2ReplaceLane: 0x21e,
  v128Andnot: 0x24f,
  v128Or: 0x250,
  v128Xor: 0x251,
  v128AnyTrue: 0x253,
  i64x2Shl: 0x2cb,
  i64x2ShrU: 0x2cd,
} as const

export const simdBase = 0x200
export const threadsBase = 0x300
const opcodeSpace = 0x350

const immediates = new Uint8Array(opcodeSpace)
const signatures: string[] = new Array<string>(opcodeSpace).fill('')

/** `ranges` are opcodes after `base` in `radix`, such as '45 67-69'. Signature: operands ':' results, '' if it depends. */
function define(
  base: number,
  radix: number,
  ranges: string,
  signature: string,
  immediate: number = Immediate.none,
): void {
  for (const range of ranges.split(' ')) {
    const [first, last] = range.split('-').map((text) => Number.parseInt(text, radix))
    for (let opcode = first as number; opcode <= (last ?? (first as number)); opcode++) {
      immediates[base + opcode] = immediate
      signatures[base + opcode] = signature
    }
  }
}

function defineControl(): void {
  define(0, 16, '00-01', ':')
  define(0, 16, '02-04', '', Immediate.blockType)
  define(0, 16, '05 0b 0f', '')
  define(0, 16, '0c-0d', '', Immediate.label)
  define(0, 16, '0e', '', Immediate.branchTable)
  define(0, 16, '10 12', '', Immediate.functionIndex)
  define(0, 16, '11 13', '', Immediate.indirect)
  define(0, 16, '1a-1b', '')
  define(0, 16, '1c', '', Immediate.selectTypes)
  define(0, 16, '20-22', '', Immediate.local)
  define(0, 16, '23-24', '', Immediate.global)
  define(0, 16, '25', 'i:r', Immediate.table)
  define(0, 16, '26', 'ir:', Immediate.table)
  define(0, 16, 'd0', ':r', Immediate.referenceType)
  define(0, 16, 'd1', 'r:i')
  define(0, 16, 'd2', ':r', Immediate.functionIndex)
}

function defineMemory(): void {
  define(0, 16, '28 2c-2f', 'i:i', Immediate.memoryArgument)
  define(0, 16, '29 30-35', 'i:I', Immediate.memoryArgument)
  define(0, 16, '2a', 'i:f', Immediate.memoryArgument)
  define(0, 16, '2b', 'i:F', Immediate.memoryArgument)
  define(0, 16, '36 3a-3b', 'ii:', Immediate.memoryArgument)
  define(0, 16, '37 3c-3e', 'iI:', Immediate.memoryArgument)
  define(0, 16, '38', 'if:', Immediate.memoryArgument)
  define(0, 16, '39', 'iF:', Immediate.memoryArgument)
  define(0, 16, '3f', ':i', Immediate.memoryIndex)
  define(0, 16, '40', 'i:i', Immediate.memoryIndex)
  define(0x100, 10, '8', 'iii:', Immediate.dataMemory)
  define(0x100, 10, '9', ':', Immediate.data)
  define(0x100, 10, '10', 'iii:', Immediate.memoryPair)
  define(0x100, 10, '11', 'iii:', Immediate.memoryIndex)
  define(0x100, 10, '12', 'iii:', Immediate.elementTable)
  define(0x100, 10, '13', ':', Immediate.element)
  define(0x100, 10, '14', 'iii:', Immediate.tablePair)
  define(0x100, 10, '15', 'ri:i', Immediate.table)
  define(0x100, 10, '16', ':i', Immediate.table)
  define(0x100, 10, '17', 'iri:', Immediate.table)
}

function defineNumeric(): void {
  define(0, 16, '41', ':i', Immediate.i32)
  define(0, 16, '42', ':I', Immediate.i64)
  define(0, 16, '43', ':f', Immediate.f32)
  define(0, 16, '44', ':F', Immediate.f64)
  define(0, 16, '45 67-69 c0-c1', 'i:i')
  define(0, 16, '46-4f 6a-78', 'ii:i')
  define(0, 16, '50 a7', 'I:i')
  define(0, 16, '51-5a', 'II:i')
  define(0, 16, '5b-60', 'ff:i')
  define(0, 16, '61-66', 'FF:i')
  define(0, 16, '79-7b c2-c4', 'I:I')
  define(0, 16, '7c-8a', 'II:I')
  define(0, 16, '8b-91', 'f:f')
  define(0, 16, '92-98', 'ff:f')
  define(0, 16, '99-9f', 'F:F')
  define(0, 16, 'a0-a6', 'FF:F')
  define(0, 16, 'a8-a9 bc', 'f:i')
  define(0, 16, 'aa-ab', 'F:i')
  define(0, 16, 'ac-ad', 'i:I')
  define(0, 16, 'ae-af', 'f:I')
  define(0, 16, 'b0-b1 bd', 'F:I')
  define(0, 16, 'b2-b3 be', 'i:f')
  define(0, 16, 'b4-b5', 'I:f')
  define(0, 16, 'b6', 'F:f')
  define(0, 16, 'b7-b8', 'i:F')
  define(0, 16, 'b9-ba bf', 'I:F')
  define(0, 16, 'bb', 'f:F')
  define(0x100, 10, '0-1', 'f:i')
  define(0x100, 10, '2-3', 'F:i')
  define(0x100, 10, '4-5', 'f:I')
  define(0x100, 10, '6-7', 'F:I')
}

/** SIMD and threads: only their immediates matter, the profile refuses them all. */
function defineRefused(): void {
  define(simdBase, 10, '0-11 92-93', '', Immediate.memoryArgument)
  define(simdBase, 10, '12-13', '', Immediate.v128)
  define(simdBase, 10, '14-20 35-83 94-255', '')
  define(simdBase, 10, '21-34', '', Immediate.lane)
  define(simdBase, 10, '84-91', '', Immediate.memoryLane)
  define(threadsBase, 16, '00-02 10-4e', '', Immediate.memoryArgument)
  define(threadsBase, 16, '03', '', Immediate.fence)
}

defineControl()
defineMemory()
defineNumeric()
defineRefused()

/** Form of the immediate of `opcode`; `Immediate.unknown` if there is no such instruction. */
export function immediateOf(opcode: number): number {
  return immediates[opcode] ?? Immediate.unknown
}

/** Operands ':' results, i i32, I i64, f f32, F f64, r reference; '' for control, calls, locals, globals, SIMD. */
export function signatureOf(opcode: number): string {
  return signatures[opcode] ?? ''
}

const names: Readonly<Record<number, string>> = {
  [Op.returnCall]: 'return_call',
  [Op.returnCallIndirect]: 'return_call_indirect',
  [Op.selectTyped]: 'select (typed)',
  [Op.tableGet]: 'table.get',
  [Op.tableSet]: 'table.set',
  [Op.refNull]: 'ref.null',
  [Op.refIsNull]: 'ref.is_null',
  [Op.refFunc]: 'ref.func',
  [Op.memoryInit]: 'memory.init',
  [Op.dataDrop]: 'data.drop',
  [Op.tableInit]: 'table.init',
  269: 'elem.drop',
  270: 'table.copy',
  271: 'table.grow',
  272: 'table.size',
  [Op.tableFill]: 'table.fill',
}

/** Name of a refused instruction, or its bytes. For messages. */
export function instructionName(opcode: number): string {
  const known = names[opcode]
  if (known !== undefined) return known
  if (opcode < 0x100) return `instruction 0x${opcode.toString(16)}`
  const prefix = opcode >= threadsBase ? 0xfe : opcode >= simdBase ? 0xfd : 0xfc
  const family = prefix === 0xfe ? 'atomic ' : prefix === 0xfd ? 'SIMD ' : ''
  return `${family}instruction 0x${prefix.toString(16)} 0x${(opcode & 0xff).toString(16)}`
}

/** Bytes that a store writes; 0 for every other instruction. */
export function storeWidth(opcode: number): number {
  switch (opcode) {
    case Op.i32Store8:
    case Op.i64Store8:
      return 1
    case Op.i32Store16:
    case Op.i64Store16:
      return 2
    case Op.i32Store:
    case Op.f32Store:
    case Op.i64Store32:
      return 4
    case Op.i64Store:
    case Op.f64Store:
      return 8
    default:
      return 0
  }
}
