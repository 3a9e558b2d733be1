/**
 * A virtual machine of a few lines for fast tests: pages of 4 KiB, one counter, and requests that say what to do. What
 * a call writes depends on its whole header, so a wrong header shows in the state root. See `request` for the language.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { CallOutcome, MachineBlock, StateDelta, VirtualMachine } from '@onus/state-transition/virtualMachine'

const headerLength = 256
const pageLength = 4096
const memoryPages = 4

export const operation = { add: 0, trap: 1, output: 2, dirty: 3, burn: 4 } as const

/** Argument of a call: 4 bytes of selector, the operation, two integers. */
export function request(code: number, a = 0, b = 0): Uint8Array {
  const bytes = new Uint8Array(13)
  const view = new DataView(bytes.buffer)
  bytes[4] = code
  view.setUint32(5, a)
  view.setUint32(9, b)
  return bytes
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

interface Image {
  readonly pages: ReadonlyMap<number, Uint8Array>
  readonly counter: bigint
}

const zeroPage = new Uint8Array(pageLength)

function globalsOf(counter: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, counter)
  return bytes
}

/** What leads from `from` to `to`: the contents of `to` where they differ. */
function changeBetween(from: Image, to: Image): StateDelta {
  const changed = [...new Set([...from.pages.keys(), ...to.pages.keys()])]
    .filter((page) => from.pages.get(page) !== to.pages.get(page))
    .sort((a, b) => a - b)
  return {
    memoryPages,
    globals: globalsOf(to.counter),
    pages: changed.map((page) => [page, to.pages.get(page) ?? zeroPage] as const),
  }
}

export class ToyMachine implements VirtualMachine {
  #image: Image = { pages: new Map(), counter: 0n }
  #blockStart: Image = this.#image
  #open: Image | null = null
  /** Calls that ran, for tests that count executions. */
  calls = 0

  get stateRoot(): Uint8Array {
    const hash = createHash('sha256').update(globalsOf(this.#image.counter))
    for (const [page, bytes] of [...this.#image.pages].sort(([a], [b]) => a - b))
      if (!bytes.every((byte) => byte === 0)) hash.update(String(page)).update(bytes)
    return new Uint8Array(hash.digest())
  }

  #dirtyPages(image: Image): number {
    return changeBetween(this.#blockStart, image).pages.length
  }

  #trapped(gasLimit: number): CallOutcome {
    return {
      ok: false,
      gasUsed: gasLimit,
      output: new Uint8Array(0),
      detail: 'trapped',
      logs: [],
      dirtyPages: this.#dirtyPages(this.#image),
    }
  }

  call(input: Uint8Array, gasLimit: number): CallOutcome {
    assert.equal(this.#open, null, 'the open call was not accepted')
    this.calls += 1
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
    const code = input[headerLength + 4]
    const [a, b] = [view.getUint32(headerLength + 5), view.getUint32(headerLength + 9)]
    const cost = code === operation.burn ? a : 100
    if (cost > gasLimit || code === operation.trap) return this.#trapped(gasLimit)
    const counter = this.#image.counter + 1n
    const pages = new Map(this.#image.pages)
    const mark = sha256(input)
    const write = (page: number, at: number): void => {
      const bytes = (pages.get(page) ?? zeroPage).slice()
      bytes.set(mark, at % (pageLength - mark.length))
      pages.set(page, bytes)
    }
    if (code === operation.dirty) for (let page = 0; page < a; page++) write(page, b)
    else write(a % 64, b)
    const output = code === operation.output ? new Uint8Array(a).fill(b) : globalsOf(counter)
    this.#open = { pages, counter }
    return { ok: true, gasUsed: cost, output, detail: null, logs: [], dirtyPages: this.#dirtyPages(this.#open) }
  }

  accept(): void {
    if (this.#open !== null) this.#image = this.#open
    this.#open = null
  }

  reject(): void {
    this.#open = null
  }

  endBlock(): MachineBlock {
    const [before, after] = [this.#blockStart, this.#image]
    this.#blockStart = after
    return {
      stateRoot: this.stateRoot,
      delta: changeBetween(before, after),
      undo: changeBetween(after, before),
    }
  }

  revertBlock(): void {
    this.#image = this.#blockStart
  }

  apply(delta: StateDelta): MachineBlock {
    assert.equal(this.#image, this.#blockStart, 'a delta is applied between blocks')
    const pages = new Map(this.#image.pages)
    for (const [page, bytes] of delta.pages) pages.set(page, bytes)
    const { buffer, byteOffset } = delta.globals
    this.#image = { pages, counter: new DataView(buffer, byteOffset).getBigUint64(0) }
    return this.endBlock()
  }
}
