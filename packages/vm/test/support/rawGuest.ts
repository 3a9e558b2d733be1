/** The module as the compiler made it, run by V8 without any rewriting: the reference that a machine must agree with. */
import type { CallOutcome, Machine } from '../../src/engine/machine.js'

export class RawGuest {
  private input: Uint8Array = new Uint8Array(0)
  private output: Uint8Array = new Uint8Array(0)
  private readonly exports: WebAssembly.Exports

  constructor(module: Uint8Array) {
    const imports = {
      input_size: () => this.input.length,
      input_read: (destination: number, offset: number, length: number) => {
        if ((offset >>> 0) + (length >>> 0) > this.input.length) throw new WebAssembly.RuntimeError('input')
        const part = this.input.subarray(offset >>> 0, (offset >>> 0) + (length >>> 0))
        if ((destination >>> 0) + part.length > this.memory.length) throw new WebAssembly.RuntimeError('bounds')
        this.memory.set(part, destination >>> 0)
      },
      output_write: (source: number, length: number) => {
        if ((source >>> 0) + (length >>> 0) > this.memory.length) throw new WebAssembly.RuntimeError('bounds')
        const part = this.memory.slice(source >>> 0, (source >>> 0) + (length >>> 0))
        this.output = Uint8Array.from([...this.output, ...part])
      },
    }
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module as Uint8Array<ArrayBuffer>), {
      onus: imports,
    })
    this.exports = instance.exports
  }

  get memory(): Uint8Array {
    return new Uint8Array((this.exports['memory'] as WebAssembly.Memory).buffer)
  }

  /** The output, or null if the call trapped. */
  call(input: Uint8Array): Uint8Array | null {
    this.input = input
    this.output = new Uint8Array(0)
    try {
      ;(this.exports['invoke'] as () => void)()
      return this.output
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) return null
      throw error
    }
  }
}

/** All committed memory of a machine, page by page. */
export function committedMemory(machine: Machine): Buffer {
  const pages: Uint8Array[] = []
  for (let page = 0; page < machine.pageCount; page++) pages.push(machine.readPage(page))
  return Buffer.concat(pages)
}

export function acceptCall(machine: Machine, input: Uint8Array, gasLimit: number): CallOutcome {
  const outcome = machine.call(input, gasLimit)
  machine.accept()
  return outcome
}
