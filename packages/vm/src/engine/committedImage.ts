/**
 * The second copy of the guest's memory (design/vm.md D): the state with all accepted calls. A trapped call is undone
 * by copying its pages back from here; the pre-images of the current block undo the block. Costs are in proportion to
 * the pages touched.
 */
import { statePageBytes, statePagesPerWasmPage, wasmPageBytes } from '../lower/layout.js'

const wordsPerPage = statePageBytes / 4
/** Pre-images are cut from chunks of that many pages: an ArrayBuffer for each page cost a third of a transaction. */
const pagesPerChunk = 64

export class CommittedImage {
  bytes: Uint8Array
  words: Int32Array
  /** Size in pages of 64 KiB, accepted growth included. */
  memoryPages: number
  /** Mutable globals, 8 bytes little-endian each. */
  globals: Uint8Array
  private blockStartPages: number
  private blockStartGlobals: Uint8Array
  /** 1 for the pages that the current block changed. */
  private readonly touched: Uint8Array
  private touchedPages: number[] = []
  private preImages = new Map<number, Uint8Array>()
  private chunk: Uint8Array = new Uint8Array(0)
  private chunkUsed = 0
  private readonly maximumPages: number

  /** Takes a copy of `memory`, whole pages of 64 KiB. */
  constructor(memory: Uint8Array, maximumPages: number, globals: Uint8Array) {
    this.memoryPages = memory.length / wasmPageBytes
    this.maximumPages = maximumPages
    this.globals = globals
    this.blockStartPages = this.memoryPages
    this.blockStartGlobals = globals.slice()
    this.touched = new Uint8Array(maximumPages * statePagesPerWasmPage)
    this.bytes = memory.slice()
    this.words = new Int32Array(this.bytes.buffer)
  }

  /** Number of 4 KiB pages. */
  get pageCount(): number {
    return this.memoryPages * statePagesPerWasmPage
  }

  page(page: number): Uint8Array {
    return this.bytes.subarray(page * statePageBytes, (page + 1) * statePageBytes)
  }

  isZero(page: number): boolean {
    const end = (page + 1) * wordsPerPage
    for (let i = page * wordsPerPage; i < end; i++) if (this.words[i] !== 0) return false
    return true
  }

  /** Pages that the block has changed, and those of `pages` that are new to it. */
  countWith(pages: readonly number[]): number {
    let count = this.touchedPages.length
    for (const page of pages) if (this.touched[page] === 0) count++
    return count
  }

  get isBlockClean(): boolean {
    return this.touchedPages.length === 0 && this.memoryPages === this.blockStartPages
  }

  /** Sets the size; new pages are zero, pages beyond a smaller size are zeroed. */
  resize(memoryPages: number): void {
    const needed = memoryPages * wasmPageBytes
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(
        Math.min(this.maximumPages * wasmPageBytes, Math.max(needed, 2 * this.bytes.length)),
      )
      larger.set(this.bytes)
      this.bytes = larger
      this.words = new Int32Array(larger.buffer)
    } else if (memoryPages < this.memoryPages) this.bytes.fill(0, needed, this.memoryPages * wasmPageBytes)
    this.memoryPages = memoryPages
  }

  /** Takes new content of a page; keeps the old one if the block had not touched it. */
  write(page: number, content: Uint8Array): void {
    if (this.touched[page] === 0) {
      this.touched[page] = 1
      this.touchedPages.push(page)
      if (page < this.blockStartPages * statePagesPerWasmPage) this.preImages.set(page, this.copyOf(page))
    }
    this.bytes.set(content, page * statePageBytes)
  }

  private copyOf(page: number): Uint8Array {
    if (this.chunkUsed === this.chunk.length) {
      this.chunk = new Uint8Array(pagesPerChunk * statePageBytes)
      this.chunkUsed = 0
    }
    const copy = this.chunk.subarray(this.chunkUsed, this.chunkUsed + statePageBytes)
    this.chunkUsed += statePageBytes
    copy.set(this.page(page))
    return copy
  }

  /** Copies of `pages` in one buffer, with their indices. */
  copies(pages: readonly number[]): (readonly [number, Uint8Array])[] {
    const all = new Uint8Array(pages.length * statePageBytes)
    return pages.map((page, position) => {
      const copy = all.subarray(position * statePageBytes, (position + 1) * statePageBytes)
      copy.set(this.page(page))
      return [page, copy] as const
    })
  }

  /** Pages that the block changed, ascending. */
  blockPages(): number[] {
    return this.touchedPages.sort((a, b) => a - b)
  }

  /** State before the block: size, globals (little-endian), content of the pages that it changed. */
  blockStart(): { memoryPages: number; globals: Uint8Array; pages: (readonly [number, Uint8Array])[] } {
    const pages = [...this.preImages].sort(([a], [b]) => a - b)
    return { memoryPages: this.blockStartPages, globals: this.blockStartGlobals, pages }
  }

  /** What is here now becomes the start of the next block. */
  closeBlock(): void {
    for (const page of this.touchedPages) this.touched[page] = 0
    this.touchedPages = []
    this.preImages = new Map()
    // What is handed out must not share a buffer with the next block, or keeping one would keep both.
    this.chunk = new Uint8Array(0)
    this.chunkUsed = 0
    this.blockStartPages = this.memoryPages
    this.blockStartGlobals = this.globals.slice()
  }

  /** Back to the start of the block; returns the pages that changed by that and still exist. */
  revertBlock(): number[] {
    const pages: number[] = []
    for (const [page, content] of this.preImages) {
      this.bytes.set(content, page * statePageBytes)
      pages.push(page)
    }
    const limit = this.blockStartPages * statePagesPerWasmPage
    for (const page of this.touchedPages) if (page >= limit) this.page(page).fill(0)
    this.resize(this.blockStartPages)
    this.globals = this.blockStartGlobals.slice()
    this.closeBlock()
    return pages
  }
}
