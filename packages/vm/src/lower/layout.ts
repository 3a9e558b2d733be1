/**
 * Memory of the executable module (design/vm.md B 6): guest address a lies at a + `guestBase`. Below it are the dirty
 * map, one byte per 4 KiB page of a 4 GiB address space, and one page of cells for the engine. Guest code cannot reach
 * them, because an effective address has 33 bits and never wraps. Not part of the protocol.
 */

/** WebAssembly page. */
export const wasmPageBytes = 65_536
/** Page of state, dirty map and state tree. */
export const statePageBytes = 4_096
export const statePagesPerWasmPage = 16

export const mapBytes: number = 1 << 20
/** 16 pages of map, 1 of cells. */
export const reservedWasmPages = 17
export const guestBase: number = reservedWasmPages * wasmPageBytes

/** The gas and depth word that ran out, for the text of an outcome. */
export const gasCell: number = mapBytes
/** 1 if the host had no memory for a growth within the limits. */
export const growthFailureCell: number = mapBytes + 8
/** Mutable globals between `__save` and `__load`: 8 bytes each, little-endian, 32-bit values zero-extended. */
export const globalsCell: number = mapBytes + 4_096
export const maximumGlobals = 1_024
/** Page numbers that the scanner found, 4 bytes each. */
export const scanList: number = mapBytes + 32_768
export const scanCapacity = 8_192

/** Stores that share a mark reach at most this far past it; the engine compares so much of the next page. */
export const spillBytes = 64

export const executableExports = {
  memory: '__memory',
  invoke: '__invoke',
  start: '__start',
  save: '__save',
  load: '__load',
} as const
