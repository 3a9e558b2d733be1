/** The host's side of a call: input that the guest reads, output that it writes (`spec/vm.md` 2). */
import { assert } from '@onus/protocol/errors'
import { hostModule } from '../lower/hostFunctions.js'

/** Output of one call; more is a trap. */
export const maximumOutputBytes: number = 1 << 20

/** Thrown through the guest by a host function; one object, because making a stack trace costs 3 us. */
export const hostTrap: Error = new Error('a host function was called outside of its limits')

/**
 * Bytes of logs kept of one call, a line break counted for each; what is beyond is dropped and said. Logs are no
 * consensus data, so a node may keep less.
 */
export const maximumLogBytes: number = 1 << 16

const noLogs: readonly string[] = []
const decoder = new TextDecoder()

export class HostPort {
  private input: Uint8Array = new Uint8Array(0)
  private output = new Uint8Array(4_096)
  private outputLength = 0
  private logs: string[] = []
  private logBytes = 0
  private droppedLogBytes = 0
  /** All of the executable's memory; set after every growth. Host functions get addresses that are already shifted. */
  private memory: () => Uint8Array = () => new Uint8Array(0)

  attach(memory: () => Uint8Array): void {
    this.memory = memory
  }

  begin(input: Uint8Array): void {
    assert(input.length < 2 ** 31, 'an input has less than 2^31 bytes')
    this.input = input
    this.outputLength = 0
    this.logBytes = 0
    this.droppedLogBytes = 0
  }

  takeOutput(): Uint8Array {
    return this.output.slice(0, this.outputLength)
  }

  /** The texts that the call logged, in order; a last one says how much was dropped. */
  takeLogs(): readonly string[] {
    if (this.logBytes + this.droppedLogBytes === 0) return noLogs
    const { logs } = this
    if (this.droppedLogBytes > 0) logs.push(`(${this.droppedLogBytes} bytes more were logged and dropped)`)
    this.logs = []
    return logs
  }

  /** Address and length were bounds-checked by the executable's helper. */
  private inputRead(destination: number, offset: number, length: number): void {
    const from = offset >>> 0
    const to = from + (length >>> 0)
    if (to > this.input.length) throw hostTrap
    this.memory().set(this.input.subarray(from, to), destination >>> 0)
  }

  private outputWrite(source: number, length: number): void {
    const from = source >>> 0
    const total = this.outputLength + (length >>> 0)
    if (total > maximumOutputBytes) throw hostTrap
    if (total > this.output.length) {
      const larger = new Uint8Array(Math.min(maximumOutputBytes, 2 * total))
      larger.set(this.output.subarray(0, this.outputLength))
      this.output = larger
    }
    this.output.set(this.memory().subarray(from, from + (length >>> 0)), this.outputLength)
    this.outputLength = total
  }

  /** No effect on state or result, whatever the length: only what people read is cut. */
  private logWrite(source: number, length: number): void {
    const from = source >>> 0
    const bytes = length >>> 0
    const kept = Math.min(bytes, maximumLogBytes - this.logBytes - 1)
    if (kept < 0) {
      this.droppedLogBytes += bytes + 1
      return
    }
    this.logBytes += kept + 1
    this.droppedLogBytes += bytes - kept
    this.logs.push(decoder.decode(this.memory().subarray(from, from + kept)))
  }

  get imports(): WebAssembly.Imports {
    return {
      [hostModule]: {
        input_size: (): number => this.input.length,
        input_read: (destination: number, offset: number, length: number): void =>
          this.inputRead(destination, offset, length),
        output_write: (source: number, length: number): void => this.outputWrite(source, length),
        log_write: (source: number, length: number): void => this.logWrite(source, length),
      },
    }
  }
}
