/**
 * Helper module that shares the guest's memory: finds and clears the marks of the dirty map, 64 bytes at a step with
 * SIMD. Measured against a JavaScript scan of 16 KiB: 0.2 us instead of 2.4 us (design/vm.md D). Not consensus data.
 */

import { utf8Bytes } from '@onus/protocol/bytes'
import { assert } from '@onus/protocol/errors'
import { type CodeWriter, codeBytes, emptyBlock } from '../binary/codeWriter.js'
import { encodeModule } from '../binary/encodeModule.js'
import { ExternalKind, ValueType } from '../binary/moduleTypes.js'
import { Op } from '../binary/opcodes.js'
import { scanCapacity, scanList } from '../lower/layout.js'
import { bufferSource } from '../lower/lowerModule.js'

const stepBytes = 64
const { i32 } = ValueType

/** Locals: 0 from, 1 to, 2 count, 3 position in the step, 4 end of the step. */
function emitScan(code: CodeWriter): void {
  code.op(Op.block).u8(emptyBlock).op(Op.loop).u8(emptyBlock)
  code.localGet(0).localGet(1).op(i32GeU).op(Op.brIf).u32(1)
  code.localGet(0).localSet(3)
  code.localGet(0).i32Const(stepBytes).op(Op.i32Add).localSet(4)
  for (let lane = 0; lane < stepBytes; lane += 16) {
    code.localGet(0).memory(Op.v128Load, 0, lane)
    if (lane > 0) code.op(Op.v128Or)
  }
  code.op(Op.v128AnyTrue).ifThen()
  emitStep(code)
  code.op(Op.end)
  code.localGet(4).localSet(0).op(Op.br).u32(0)
  code.op(Op.end).op(Op.end)
  code.localGet(2).op(Op.end)
}

/** Lists and clears the marks of one step; marks at or behind `to` stay. */
function emitStep(code: CodeWriter): void {
  code.op(Op.block).u8(emptyBlock).op(Op.loop).u8(emptyBlock)
  code.localGet(3).localGet(4).op(i32GeU).op(Op.brIf).u32(1)
  code.localGet(3).localGet(1).op(i32GeU).op(Op.brIf).u32(1)
  code.localGet(3).memory(Op.i32Load8U, 0, 0).ifThen()
  code.localGet(2).i32Const(2).op(Op.i32Shl).localGet(3).memory(Op.i32Store, 2, scanList)
  code.localGet(2).i32Const(1).op(Op.i32Add).localSet(2)
  code.localGet(3).i32Const(0).memory(Op.i32Store8, 0, 0)
  code.op(Op.end)
  code.localGet(3).i32Const(1).op(Op.i32Add).localSet(3).op(Op.br).u32(0)
  code.op(Op.end).op(Op.end)
}

const i32GeU = 0x4f

function scannerBytes(): Uint8Array {
  return encodeModule({
    types: [{ parameters: [i32, i32], results: [i32] }],
    imports: [
      {
        module: utf8Bytes('engine'),
        name: utf8Bytes('memory'),
        descriptor: { kind: ExternalKind.memory, limits: { flags: 0, minimum: 0, maximum: -1 } },
      },
    ],
    functions: [0],
    tables: [],
    memories: [],
    globals: [],
    exports: [{ name: utf8Bytes('scan'), kind: ExternalKind.function, index: 0 }],
    start: -1,
    elements: [],
    dataCount: -1,
    bodies: [{ locals: [{ count: 3, valueType: i32 }], code: codeBytes(emitScan) }],
    data: [],
    customs: [],
    sections: new Set(),
  })
}

let compiled: WebAssembly.Module | undefined

/** Lists marked pages in [from, to), at most `scanCapacity` apart, at `scanList`; returns their number. */
export type PageScanner = (from: number, to: number) => number

export function createPageScanner(memory: WebAssembly.Memory): PageScanner {
  compiled ??= new WebAssembly.Module(bufferSource(scannerBytes()))
  const { scan } = new WebAssembly.Instance(compiled, { engine: { memory } }).exports
  assert(typeof scan === 'function', 'the scanner exports its function')
  return (from, to) => {
    assert(to - from <= scanCapacity, 'a scan fits the list')
    return scan(from, to) as number
  }
}
