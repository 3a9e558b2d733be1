/** Changes of state as data: what a block did, what would undo it, what state sync and restore hand to a machine. */
import { OnusError } from '@onus/protocol/errors'
import { ValueType } from '../binary/moduleTypes.js'
import { statePageBytes, statePagesPerWasmPage } from '../lower/layout.js'
import type { LoweredModule } from '../lower/lowerModule.js'
import { laneBytes } from '../state/stateRoot.js'

export interface StateDelta {
  /** Size of the memory in pages of 64 KiB. Pages beyond it cease to be. */
  readonly memoryPages: number
  /** All mutable globals in the order of their index: 8 bytes big-endian each, i32 and f32 bits zero-extended. */
  readonly globals: Uint8Array
  /**
   * Whole pages of 4,096 bytes by index, ascending; pages that are not named stay as they are, new
   * ones are zero. In results of a machine they are views that share buffers: copy one before you transfer it.
   */
  readonly pages: readonly (readonly [pageIndex: number, bytes: Uint8Array])[]
}

/** Rejects with `state-delta` what does not fit the module. */
export function checkDelta(delta: StateDelta, lowered: LoweredModule): void {
  const refuse = (message: string): never => {
    throw new OnusError('state-delta', message)
  }
  const { memoryPages } = delta
  if (
    !Number.isSafeInteger(memoryPages) ||
    memoryPages < lowered.initialMemoryPages ||
    memoryPages > lowered.maximumMemoryPages
  )
    refuse(`memory of ${memoryPages} pages, expected ${lowered.initialMemoryPages} to ${lowered.maximumMemoryPages}`)
  const globalBytes = lowered.globalTypes.length * laneBytes
  if (delta.globals.length !== globalBytes) refuse(`${delta.globals.length} bytes of globals, expected ${globalBytes}`)
  lowered.globalTypes.forEach((valueType, index) => {
    if (valueType !== ValueType.i32 && valueType !== ValueType.f32) return
    const upper = delta.globals.subarray(index * laneBytes, index * laneBytes + 4)
    if (upper.some((byte) => byte !== 0)) refuse(`global ${index} has 32 bits, its lane has more`)
  })
  let next = 0
  for (const [page, bytes] of delta.pages) {
    if (!Number.isSafeInteger(page) || page < next || page >= memoryPages * statePagesPerWasmPage)
      refuse(`page ${page} is out of order or beyond ${memoryPages * statePagesPerWasmPage} pages`)
    if (bytes.length !== statePageBytes) refuse(`page ${page} has ${bytes.length} bytes, expected ${statePageBytes}`)
    next = page + 1
  }
}

/** Turns the byte order of 8-byte lanes round: cells of the executable are little-endian, the state is big-endian. */
export function swapLanes(lanes: Uint8Array): Uint8Array {
  const swapped = new Uint8Array(lanes.length)
  for (let i = 0; i < lanes.length; i++)
    swapped[i] = lanes[i - (i % laneBytes) + laneBytes - 1 - (i % laneBytes)] as number
  return swapped
}
