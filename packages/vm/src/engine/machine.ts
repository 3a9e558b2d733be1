/**
 * The fast path: runs a lowered module on the host's WebAssembly engine, call by call, block by block (`spec/vm.md` 6,
 * design/vm.md D). A call leaves its writes open until they are accepted or rejected; a trapped call is undone at
 * once. Blocks and transactions, receipts and their rules belong to state-transition.
 *
 * Run it in a worker with `resourceLimits.stackSizeMb` of at least `requiredStackMegabytes`: then the depth limit of
 * the metered module is always reached before V8's stack ends. V8's own overflow stops the process (an assertion).
 */
import { assert, OnusError } from '@onus/protocol/errors'
import type { Hasher } from '@onus/protocol/hash'
import { statePagesPerWasmPage } from '../lower/layout.js'
import { bufferSource, type LoweredModule } from '../lower/lowerModule.js'
import { MemoryTree } from '../state/memoryTree.js'
import { globalsTreeRoot, laneBytes, stateRootOf } from '../state/stateRoot.js'
import { CommittedImage } from './committedImage.js'
import { GuestInstance } from './guestInstance.js'
import { HostPort } from './hostPort.js'
import { checkDelta, type StateDelta, swapLanes } from './stateDelta.js'

/** Stack that the deepest calls within the depth limit fit in, in every tier of V8, about twice (see costs.ts). */
export const requiredStackMegabytes = 256

export interface CallOutcome {
  /** False: the call trapped and changed nothing. */
  readonly ok: boolean
  /** The whole limit after a trap. */
  readonly gasUsed: number
  /** Empty after a trap. */
  readonly output: Uint8Array
  /** After a trap, for people: what the guest wrote, or why it stopped. NOT consensus data. */
  readonly detail: string | null
  /** What the guest logged, at most 64 KiB, after a trap too. NOT consensus data. */
  readonly logs: readonly string[]
  /** 4 KiB pages that the block has dirtied so far, this call included. */
  readonly dirtyPages: number
}

export interface BlockResult {
  /** 32 bytes each. */
  readonly stateRoot: Uint8Array
  readonly memoryRoot: Uint8Array
  readonly globalsRoot: Uint8Array
  readonly memoryPages: number
  /** From the state before to the state after, with post-images. */
  readonly delta: StateDelta
  /** From the state after to the state before, with pre-images. */
  readonly undo: StateDelta
}

const maximumDetailLength = 1_000
const zeroRoot: Uint8Array = new Uint8Array(32)

export class Machine {
  private readonly lowered: LoweredModule
  private readonly hasher: Hasher | null
  private readonly module: WebAssembly.Module
  private readonly port = new HostPort()
  private readonly image: CommittedImage
  private readonly tree: MemoryTree | null
  private instance: GuestInstance
  /** Pages of the open call, null when none is open. */
  private openPages: readonly number[] | null = null
  /** State root at the end of the last block. */
  private root: Uint8Array

  private constructor(lowered: LoweredModule, hasher: Hasher | null) {
    this.lowered = lowered
    this.hasher = hasher
    this.module = new WebAssembly.Module(bufferSource(lowered.executable))
    this.instance = this.instantiate()
    const globals = new Uint8Array(lowered.globalTypes.length * laneBytes)
    this.instance.saveGlobals(globals)
    this.image = new CommittedImage(this.instance.guestMemory(), lowered.maximumMemoryPages, globals)
    this.tree = hasher === null ? null : new MemoryTree(hasher)
    this.tree?.update(this.image.bytes, this.nonZeroPages())
    this.root = this.roots(this.image.memoryPages, swapLanes(globals)).stateRoot
  }

  /**
   * State: the module's initial memory, active segments included, and initial globals. The start function is not run.
   * Without a hasher it keeps no tree, for a copy that only answers reads: its roots are zero.
   */
  static create(lowered: LoweredModule, hasher: Hasher | null): Machine {
    return new Machine(lowered, hasher)
  }

  /** 4 KiB pages of the committed memory. */
  get pageCount(): number {
    return this.image.pageCount
  }

  /** Root at the end of the last block, 32 bytes. */
  get stateRoot(): Uint8Array {
    return this.root.slice()
  }

  /** Copy of a page of the committed memory, accepted calls of the current block included. Rejects `page-index`. */
  readPage(index: number): Uint8Array {
    this.checkPageIndex(index)
    return this.image.page(index).slice()
  }

  /** 20 siblings (640 bytes) from the page's root (height 7) to the memory root of the last block. Rejects `page-index`. */
  pageProof(index: number): Uint8Array {
    this.checkPageIndex(index)
    assert(this.tree !== null, 'a machine without a hasher has no proofs')
    return this.tree.pageProof(index)
  }

  private checkPageIndex(index: number): void {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.pageCount)
      throw new OnusError('page-index', `page ${index}, the memory has ${this.pageCount}`)
  }

  /** Runs the start section's function, once at genesis; without one it does nothing. Leaves the call open. */
  start(gasLimit: number): CallOutcome {
    if (this.lowered.hasStart) return this.run('start', new Uint8Array(0), gasLimit)
    this.assertClosed()
    this.openPages = []
    return {
      ok: true,
      gasUsed: 0,
      output: new Uint8Array(0),
      detail: null,
      logs: [],
      dirtyPages: this.image.countWith([]),
    }
  }

  /**
   * Runs `invoke`; the guest reads `input` by input_read. Leaves the call open: accept or reject it before the next.
   * `gasLimit` is an integer of at most 2^46.
   */
  call(input: Uint8Array, gasLimit: number): CallOutcome {
    return this.run('invoke', input, gasLimit)
  }

  /** A call whose writes are always undone; does not disturb the accepted calls of the current block. */
  query(input: Uint8Array, gasLimit: number): CallOutcome {
    const outcome = this.run('invoke', input, gasLimit)
    this.reject()
    return outcome
  }

  private run(entry: 'invoke' | 'start', input: Uint8Array, gasLimit: number): CallOutcome {
    this.assertClosed()
    this.port.begin(input)
    const result = this.instance.run(entry, gasLimit)
    const pages = this.collectPages()
    const output = this.port.takeOutput()
    const logs = this.port.takeLogs()
    this.openPages = pages
    if ('trap' in result) {
      this.reject()
      const detail = describeTrap(output, result.trap) + result.frames
      const dirtyPages = this.image.countWith([])
      return { ok: false, gasUsed: gasLimit, output: new Uint8Array(0), detail, logs, dirtyPages }
    }
    const gasUsed = gasLimit - result.gasLeft
    return { ok: true, gasUsed, output, detail: null, logs, dirtyPages: this.image.countWith(pages) }
  }

  private assertClosed(): void {
    assert(this.openPages === null, 'the open call must be accepted or rejected first')
  }

  /**
   * Pages that the call may have changed, ascending: marked ones, those that a marked page's stores spilled into, and
   * of the pages that a growth added those that are not zero (marks behind the old end may be stale).
   */
  private collectPages(): number[] {
    const oldCount = this.image.pageCount
    const marked: number[] = []
    this.instance.takeMarkedPages(oldCount, marked)
    const pages: number[] = []
    // Page 0 is compared always: it is where a base address that wraps past 2^32 ends.
    let neighbour = 0
    for (const page of marked) {
      if (neighbour < page && this.instance.spillsInto(neighbour, this.image.words)) pages.push(neighbour)
      pages.push(page)
      neighbour = page + 1
    }
    if (neighbour < oldCount && this.instance.spillsInto(neighbour, this.image.words)) pages.push(neighbour)
    const newCount = this.instance.memoryPages * statePagesPerWasmPage
    for (let page = oldCount; page < newCount; page++) if (!this.instance.isZero(page)) pages.push(page)
    if (newCount > oldCount) this.instance.clearMarks(oldCount, newCount)
    return pages
  }

  /** Merges the open call's writes into the committed state. No open call: nothing. */
  accept(): void {
    if (this.openPages === null) return
    this.image.resize(this.instance.memoryPages)
    for (const page of this.openPages) this.image.write(page, this.instance.page(page))
    this.instance.saveGlobals(this.image.globals)
    this.openPages = null
  }

  /** Undoes the open call's writes. No open call: nothing. */
  reject(): void {
    if (this.openPages === null) return
    this.restorePages(this.openPages)
    this.openPages = null
  }

  /** Brings the live memory back to the image, which differs from it in `pages` at most, and in size. */
  private restorePages(pages: readonly number[]): void {
    if (this.instance.memoryPages !== this.image.memoryPages) {
      this.replaceInstance()
      return
    }
    for (const page of pages) this.instance.page(page).set(this.image.page(page))
    this.instance.loadGlobals(this.image.globals)
  }

  /** A memory cannot shrink: a new instance of the committed size takes the committed content. */
  private replaceInstance(): void {
    this.instance = this.instantiate()
    const initialCount = this.lowered.initialMemoryPages * statePagesPerWasmPage
    this.instance.grow(this.image.memoryPages - this.lowered.initialMemoryPages)
    for (let page = 0; page < this.image.pageCount; page++)
      if (page < initialCount || !this.image.isZero(page)) this.instance.page(page).set(this.image.page(page))
    this.instance.loadGlobals(this.image.globals)
  }

  private instantiate(): GuestInstance {
    return new GuestInstance(this.module, this.port, this.lowered.globalTypes.length, this.lowered.functionNames)
  }

  private nonZeroPages(): number[] {
    const pages: number[] = []
    for (let page = 0; page < this.image.pageCount; page++) if (!this.image.isZero(page)) pages.push(page)
    return pages
  }

  /** Hashes what the accepted calls changed and starts the next block. */
  endBlock(): BlockResult {
    this.assertClosed()
    const start = this.image.blockStart()
    const pages = this.image.blockPages()
    const delta: StateDelta = {
      memoryPages: this.image.memoryPages,
      globals: swapLanes(this.image.globals),
      pages: this.image.copies(pages),
    }
    const undo: StateDelta = { ...start, globals: swapLanes(start.globals) }
    this.tree?.update(this.image.bytes, pages)
    this.image.closeBlock()
    return this.finishBlock(delta, undo)
  }

  private finishBlock(delta: StateDelta, undo: StateDelta): BlockResult {
    const roots = this.roots(delta.memoryPages, delta.globals)
    this.root = roots.stateRoot
    return { ...roots, stateRoot: this.stateRoot, memoryPages: delta.memoryPages, delta, undo }
  }

  /** `globals` as they are hashed: big-endian. */
  private roots(
    memoryPages: number,
    globals: Uint8Array,
  ): Pick<BlockResult, 'stateRoot' | 'memoryRoot' | 'globalsRoot'> {
    const { hasher, tree } = this
    if (hasher === null || tree === null) return { stateRoot: zeroRoot, memoryRoot: zeroRoot, globalsRoot: zeroRoot }
    const memoryRoot = tree.root
    const globalsRoot = globalsTreeRoot(hasher, globals)
    return { stateRoot: stateRootOf(hasher, memoryRoot, memoryPages, globalsRoot), memoryRoot, globalsRoot }
  }

  /** Undoes the calls accepted since the last `endBlock`. */
  revertBlock(): void {
    this.assertClosed()
    this.restorePages(this.image.revertBlock())
  }

  /**
   * Sets size, globals and pages as given: undo of a block, state sync, replica, restore. Only between blocks.
   * Returns the new roots and the inverse. Rejects `state-delta`.
   */
  apply(delta: StateDelta): BlockResult {
    this.assertClosed()
    assert(this.image.isBlockClean, 'a delta is applied between blocks')
    checkDelta(delta, this.lowered)
    const undo = this.inverseOf(delta)
    const oldCount = this.image.pageCount
    const removed = undo.pages.flatMap(([page]) => (page >= delta.memoryPages * statePagesPerWasmPage ? [page] : []))
    this.image.resize(delta.memoryPages)
    for (const [page, content] of delta.pages) this.image.write(page, content)
    this.image.globals = swapLanes(delta.globals)
    this.image.closeBlock()
    const written = delta.pages.map(([page]) => page)
    if (delta.memoryPages * statePagesPerWasmPage > oldCount)
      this.instance.grow(delta.memoryPages - oldCount / statePagesPerWasmPage)
    this.restorePages(written)
    // What was cut off is zero in the image by now.
    this.tree?.update(this.image.bytes, written.concat(removed))
    return this.finishBlock(delta, undo)
  }

  /** What brings the present state back after `delta`: changed pages, and pages that it cuts off. */
  private inverseOf(delta: StateDelta): StateDelta {
    const pages: (readonly [number, Uint8Array])[] = []
    for (const [page] of delta.pages) if (page < this.image.pageCount) pages.push([page, this.readPage(page)])
    for (let page = delta.memoryPages * statePagesPerWasmPage; page < this.image.pageCount; page++)
      if (!this.image.isZero(page)) pages.push([page, this.readPage(page)])
    return { memoryPages: this.image.memoryPages, globals: swapLanes(this.image.globals), pages }
  }
}

function describeTrap(output: Uint8Array, trap: string): string {
  if (output.length === 0) return trap
  const text = new TextDecoder().decode(output.subarray(0, 4 * maximumDetailLength))
  return text.slice(0, maximumDetailLength)
}
