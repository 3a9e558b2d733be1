/**
 * A plain WebAssembly host for tests: the four imports, the 256-byte header, no metering and no undo.
 */
import { concatBytes, utf8Text, wordLength, wordOfBytes, wordOfInteger } from '@onus/protocol/bytes'

export interface Host {
  /** Runs one call: header and request in, output out. A trap is an `Error` with the guest's message. */
  invoke(request: Uint8Array): Uint8Array
  /** What the last call logged. */
  logs(): readonly string[]
  memoryBytes(): number
  /** A copy of the memory. */
  memory(): Uint8Array
}

export interface Header {
  caller: Uint8Array
  session: number
  counter: number
  height: number
  time: number
  transactionId: Uint8Array
  seed: Uint8Array
}

export const testHeader: Header = {
  caller: new Uint8Array(20).fill(0xc1),
  session: 7,
  counter: 3,
  height: 104_231,
  time: 1_763_860_000_123,
  transactionId: new Uint8Array(32).fill(0x1d),
  seed: Uint8Array.from({ length: 32 }, (_, index) => index),
}

export function headerBytes(header: Header): Uint8Array {
  return concatBytes(
    wordOfBytes(header.caller),
    wordOfInteger(header.session),
    wordOfInteger(header.counter),
    wordOfInteger(header.height),
    wordOfInteger(header.time),
    header.transactionId,
    header.seed,
    new Uint8Array(wordLength),
  )
}

/** A fresh instance of `wasm`; its initialisers have run. */
export function startHost(wasm: Uint8Array<ArrayBuffer>, header: Header = testHeader): Host {
  const head = headerBytes(header)
  let request: Uint8Array = new Uint8Array()
  let output: Uint8Array = new Uint8Array()
  let logs: string[] = []
  let memory: WebAssembly.Memory | undefined
  const bytes = (): Uint8Array => new Uint8Array((memory as WebAssembly.Memory).buffer)
  const onus = {
    input_size: () => head.length + request.length,
    input_read(destination: number, offset: number, length: number) {
      const input = concatBytes(head, request)
      if (offset < 0 || length < 0 || offset + length > input.length) throw new Error('input_read outside the input')
      bytes().set(input.subarray(offset, offset + length), destination)
    },
    output_write(source: number, length: number) {
      output = concatBytes(output, bytes().slice(source, source + length))
    },
    log_write(source: number, length: number) {
      logs.push(new TextDecoder().decode(bytes().slice(source, source + length)))
    },
  }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { onus })
  memory = instance.exports['memory'] as WebAssembly.Memory
  const invoke = instance.exports['invoke'] as () => void
  return {
    invoke(bytesOfRequest) {
      request = bytesOfRequest
      output = new Uint8Array()
      logs = []
      try {
        invoke()
      } catch (cause) {
        throw new Error(utf8Text(output), { cause })
      }
      return output
    },
    logs: () => logs,
    memoryBytes: () => (memory as WebAssembly.Memory).buffer.byteLength,
    memory: () => bytes().slice(),
  }
}
