/**
 * AssemblyScript's managed objects in a memory: those that the collector links into its lists, and those that lie in the
 * module's own data. Header (`~lib/rt/tcms`): mmInfo, next with color, prev, class id, size, 4 bytes each; the object
 * follows at a multiple of 16.
 */
import { OnusError } from '@onus/protocol/errors'

export const headerBytes = 20
const nextAt = 4
const previousAt = 8
const idAt = 12
const sizeAt = 16
const colorMask = 3
const alignment = 16

/** Names of the globals that hold the heads of the collector's lists. */
export const listHeads: readonly string[] = ['fromSpace', 'toSpace', 'pinSpace'].map((name) => `~lib/rt/tcms/${name}`)

/** Addresses of the headers of all linked objects, heads excluded. Rejects `state-memory` on a list that does not end. */
export function linkedObjects(memory: DataView, heads: readonly number[]): number[] {
  const found: number[] = []
  const most = memory.byteLength / headerBytes
  for (const head of heads) {
    if (head === 0) continue
    for (let at = next(memory, head); at !== head; at = next(memory, at)) {
      if (found.length > most) throw new OnusError('state-memory', 'a list of the collector does not end')
      found.push(at)
    }
  }
  return found
}

function next(memory: DataView, header: number): number {
  const at = header + nextAt
  if (at + 4 > memory.byteLength) throw new OnusError('state-memory', `a list of the collector leads to ${header}`)
  return (memory.getUint32(at, true) & ~colorMask) >>> 0
}

export function classIdOf(memory: DataView, header: number): number {
  return memory.getUint32(header + idAt, true)
}

export function setClassId(memory: DataView, header: number, id: number): void {
  memory.setUint32(header + idAt, id, true)
}

/** Exchanges the collector's colours 0 and 1; a pinned object keeps its own. */
export function flipColor(memory: DataView, header: number): void {
  const word = memory.getUint32(header + nextAt, true)
  if ((word & colorMask) < 2) memory.setUint32(header + nextAt, (word ^ 1) >>> 0, true)
}

/** Puts an object at the end of the list of `head`, keeping its colour. */
export function linkTo(memory: DataView, head: number, header: number): void {
  const last = memory.getUint32(head + previousAt, true)
  const color = memory.getUint32(header + nextAt, true) & colorMask
  memory.setUint32(header + nextAt, (head | color) >>> 0, true)
  memory.setUint32(header + previousAt, last, true)
  const lastColor = memory.getUint32(last + nextAt, true) & colorMask
  memory.setUint32(last + nextAt, (header | lastColor) >>> 0, true)
  memory.setUint32(head + previousAt, header, true)
}

export interface DataObject {
  /** Address of the header. */
  readonly header: number
  /** Behind its last byte. */
  readonly end: number
}

/**
 * Objects in the module's data as the compiler wrote it, `data` with zeros between the segments. Their headers are told by
 * what the compiler puts there: room in steps of 16, nothing linked, a size that fills the room, a class that exists.
 */
export function dataObjects(data: DataView, start: number, end: number, classCount: number): DataObject[] {
  const found: DataObject[] = []
  let header = Math.ceil((start + 4) / alignment) * alignment - 4
  while (header + headerBytes <= end) {
    const room = data.getUint32(header, true)
    const size = data.getUint32(header + sizeAt, true)
    const isFresh = data.getUint32(header + nextAt, true) === 0 && data.getUint32(header + previousAt, true) === 0
    const spare = room - (headerBytes - 4) - size
    const isObject = isFresh && room % alignment === 12 && spare >= 0 && spare < alignment
    if (isObject && classIdOf(data, header) < classCount) {
      const after = header + 4 + room
      found.push({ header, end: Math.min(after, data.byteLength) })
      header = Math.ceil((after + 4) / alignment) * alignment - 4
    } else header += alignment
  }
  return found
}
