/**
 * One instance of an executable: its memory, entries, cells. Knows the layout, nothing of blocks or trees. An instance
 * cannot shrink; the machine makes a new one when a growth is taken back.
 */
import { assert } from '@onus/protocol/errors'
import { maximumGasLimit } from '../lower/costs.js'
import {
  executableExports,
  gasCell,
  globalsCell,
  growthFailureCell,
  guestBase,
  mapBytes,
  reservedWasmPages,
  scanCapacity,
  scanList,
  spillBytes,
  statePageBytes,
  statePagesPerWasmPage,
  wasmPageBytes,
} from '../lower/layout.js'
import { laneBytes } from '../state/stateRoot.js'
import { type HostPort, hostTrap } from './hostPort.js'
import { createPageScanner, type PageScanner } from './pageScanner.js'
import { trapFrames } from './trapFrames.js'

type Entry = (gasLimit: number) => number
type Action = () => void

/** Result of running an entry: gas left, or why and where it trapped (for people, not consensus data). */
export type RunResult = { readonly gasLeft: number } | { readonly trap: string; readonly frames: string }

export class GuestInstance {
  private readonly memory: WebAssembly.Memory
  private readonly invoke: Entry
  private readonly start: Entry | null
  private readonly save: Action
  private readonly load: Action
  private readonly scan: PageScanner
  private readonly globalCount: number
  private readonly functionNames: ReadonlyMap<number, string>
  /** Views of the memory; replaced when it grows. */
  private buffer: ArrayBuffer
  bytes: Uint8Array
  private words: Int32Array

  constructor(
    module: WebAssembly.Module,
    port: HostPort,
    globalCount: number,
    functionNames: ReadonlyMap<number, string>,
  ) {
    this.functionNames = functionNames
    const { exports } = new WebAssembly.Instance(module, port.imports)
    const memory = exports[executableExports.memory]
    assert(memory instanceof WebAssembly.Memory, 'the executable exports its memory')
    this.memory = memory
    this.invoke = exports[executableExports.invoke] as Entry
    this.start = (exports[executableExports.start] as Entry | undefined) ?? null
    this.save = exports[executableExports.save] as Action
    this.load = exports[executableExports.load] as Action
    this.scan = createPageScanner(memory)
    this.globalCount = globalCount
    this.buffer = memory.buffer
    this.bytes = new Uint8Array(this.buffer)
    this.words = new Int32Array(this.buffer)
    port.attach(() => this.view())
  }

  /** All bytes; call it after anything that may have grown the memory. */
  view(): Uint8Array {
    if (this.memory.buffer !== this.buffer) {
      this.buffer = this.memory.buffer
      this.bytes = new Uint8Array(this.buffer)
      this.words = new Int32Array(this.buffer)
    }
    return this.bytes
  }

  /** Pages of 64 KiB that the guest sees. */
  get memoryPages(): number {
    return this.view().length / wasmPageBytes - reservedWasmPages
  }

  /** Adds zero pages from outside. Marks of the new range may be left over from addresses that were out of bounds. */
  grow(pages: number): void {
    const from = this.memoryPages * statePagesPerWasmPage
    this.memory.grow(pages)
    this.view()
    this.clearMarks(from, from + pages * statePagesPerWasmPage)
  }

  /** Runs `invoke` or the start function with `gasLimit`. */
  run(entry: 'invoke' | 'start', gasLimit: number): RunResult {
    assert(Number.isSafeInteger(gasLimit) && gasLimit >= 0 && gasLimit <= maximumGasLimit, 'gas limit is in range')
    const run = entry === 'invoke' ? this.invoke : this.start
    assert(run !== null, 'the module has a start function')
    this.words[gasCell >> 2] = 0
    this.words[(gasCell >> 2) + 1] = 0
    try {
      return { gasLeft: run(gasLimit) }
    } catch (error) {
      return { trap: this.trapText(error), frames: trapFrames(error, this.functionNames) }
    }
  }

  /** A RangeError (V8's own stack overflow) or anything else unknown is a failure of the node, never an outcome. */
  private trapText(error: unknown): string {
    this.view()
    const isTrap = error instanceof WebAssembly.RuntimeError || error === hostTrap
    assert(isTrap, `the engine failed, the program did not: ${String(error)}; is the stack smaller than required?`)
    assert(this.words[growthFailureCell >> 2] === 0, 'the host has no memory for a growth within the limits')
    const low = this.words[gasCell >> 2] as number
    const high = this.words[(gasCell >> 2) + 1] as number
    if (high < 0) return 'out of gas'
    if ((low & 0x8000) !== 0) return 'call stack exhausted'
    return (error as Error).message
  }

  /** Lists marked pages below `pageCount` into `pages`, ascending, and clears their marks. */
  takeMarkedPages(pageCount: number, pages: number[]): void {
    this.view()
    for (let from = 0; from < pageCount; from += scanCapacity) {
      const found = this.scan(from, Math.min(pageCount, from + scanCapacity))
      for (let i = 0; i < found; i++) pages.push(this.words[(scanList >> 2) + i] as number)
    }
  }

  /** Clears the marks of the pages in [fromPage, toPage). */
  clearMarks(fromPage: number, toPage: number): void {
    this.bytes.fill(0, fromPage, Math.min(toPage, mapBytes))
  }

  /** Whether the first `spillBytes` of `page` differ from `image`, words of the guest's memory. */
  spillsInto(page: number, image: Int32Array): boolean {
    const live = (guestBase + page * statePageBytes) >> 2
    const committed = (page * statePageBytes) >> 2
    for (let i = 0; i < spillBytes / 4; i++) if (this.words[live + i] !== image[committed + i]) return true
    return false
  }

  /** View of all memory that the guest sees. */
  guestMemory(): Uint8Array {
    return this.view().subarray(guestBase)
  }

  isZero(page: number): boolean {
    const start = (guestBase + page * statePageBytes) >> 2
    for (let i = start; i < start + statePageBytes / 4; i++) if (this.words[i] !== 0) return false
    return true
  }

  /** View of one page of the guest. */
  page(page: number): Uint8Array {
    const at = guestBase + page * statePageBytes
    return this.bytes.subarray(at, at + statePageBytes)
  }

  /** Mutable globals, 8 bytes little-endian each, into `target`. */
  saveGlobals(target: Uint8Array): void {
    this.save()
    target.set(this.bytes.subarray(globalsCell, globalsCell + this.globalCount * laneBytes))
  }

  loadGlobals(source: Uint8Array): void {
    this.bytes.set(source, globalsCell)
    this.load()
  }
}
