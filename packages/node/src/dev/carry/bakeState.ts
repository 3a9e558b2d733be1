/**
 * Makes a module that starts where a state stands: the memory becomes its data, the globals its initial values. Nodes take
 * it like any other module. Its start function is left out, or kept where it is to run on that state once more.
 */
import { ByteWriter } from '@onus/vm/binary/byteWriter'
import { encodeModule } from '@onus/vm/binary/encodeModule'
import { type DataSegment, type GlobalEntry, type Module, ValueType } from '@onus/vm/binary/moduleTypes'

export const wasmPageBytes = 65_536
/** A shorter run of zeros costs more as a segment of its own than as bytes. */
const gap = 16

export interface StateImage {
  /** Whole pages of 64 KiB. */
  readonly memory: Uint8Array
  /** Lanes by the index of the global. */
  readonly globals: ReadonlyMap<number, bigint>
}

function constant(valueType: number, lane: bigint): Uint8Array {
  const writer = new ByteWriter(16)
  if (valueType === ValueType.i32) writer.u8(0x41).s32(Number(BigInt.asIntN(32, lane)))
  else if (valueType === ValueType.i64) writer.u8(0x42).s64(lane)
  else if (valueType === ValueType.f32) {
    const bits = Buffer.alloc(4)
    bits.writeUInt32LE(Number(lane))
    writer.u8(0x43).append(bits)
  } else {
    const bits = Buffer.alloc(8)
    bits.writeBigUInt64LE(lane)
    writer.u8(0x44).append(bits)
  }
  return writer.u8(0x0b).finish()
}

/** Segments of all bytes that are not zero, by runs. */
export function segmentsOf(memory: Uint8Array): DataSegment[] {
  const segments: DataSegment[] = []
  let start = -1
  let last = -1
  const close = (): void => {
    if (start < 0) return
    const offset = new ByteWriter(8).u8(0x41).s32(start).u8(0x0b).finish()
    segments.push({ flags: 0, memory: 0, offset, bytes: memory.slice(start, last + 1) })
    start = -1
  }
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.byteLength / 4)
  for (let word = 0; word < words.length; word++) {
    if (words[word] === 0) continue
    const at = word * 4
    if (start >= 0 && at - last > gap) close()
    if (start < 0) start = at
    last = at + 3
  }
  close()
  return segments
}

export function bakeState(module: Module, image: StateImage, start: 'kept' | 'dropped'): Uint8Array {
  const globals = module.globals.map((entry, index): GlobalEntry => {
    const lane = image.globals.get(index)
    return lane === undefined ? entry : { ...entry, initial: constant(entry.valueType, lane) }
  })
  const data = segmentsOf(image.memory)
  const memories = module.memories.map((limits) => ({ ...limits, minimum: image.memory.length / wasmPageBytes }))
  const dataCount = module.dataCount < 0 ? -1 : data.length
  return encodeModule({ ...module, start: start === 'kept' ? module.start : -1, memories, globals, data, dataCount })
}
