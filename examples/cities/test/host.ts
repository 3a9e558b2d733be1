/** A plain WebAssembly host for the backend: the imports that it has and an empty header; no metering, no undo. */
import type { cities } from '@onus/example-cities/cities.interface'
import { decodeResult, encodeCall } from '@onus/protocol/interface/call'
import type { CallArguments, CallResult, EntryName } from '@onus/protocol/interface/types'

type Cities = typeof cities

export interface CitiesHost {
  call<N extends EntryName<Cities>>(name: N, ...args: CallArguments<Cities, N>): CallResult<Cities, N>
  memoryBytes(): number
  /** Memory pages of 4 KiB that are not all zero, as bytes. */
  usedBytes(): number
}

const headerLength = 256

export function startCities(wasm: Uint8Array<ArrayBuffer>, description: Cities): CitiesHost {
  let input: Uint8Array = new Uint8Array()
  let output: Uint8Array = new Uint8Array()
  let memory: WebAssembly.Memory | undefined
  const bytes = (): Uint8Array => new Uint8Array((memory as WebAssembly.Memory).buffer)
  const onus = {
    input_size: () => input.length,
    input_read: (destination: number, offset: number, length: number) =>
      bytes().set(input.subarray(offset, offset + length), destination),
    output_write(source: number, length: number) {
      output = bytes().slice(source, source + length)
    },
  }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { onus })
  memory = instance.exports['memory'] as WebAssembly.Memory
  const invoke = instance.exports['invoke'] as () => void
  return {
    call(name, ...args) {
      const request = encodeCall(description, name, args)
      input = new Uint8Array(headerLength + request.length)
      input.set(request, headerLength)
      try {
        invoke()
      } catch (cause) {
        throw new Error(new TextDecoder().decode(output), { cause })
      }
      return decodeResult(description, name, output)
    },
    memoryBytes: () => bytes().length,
    usedBytes() {
      const words = new BigUint64Array(bytes().buffer)
      let pages = 0
      for (let at = 0; at < words.length; at += 512)
        if (words.subarray(at, at + 512).some((word) => word !== 0n)) pages++
      return pages * 4096
    },
  }
}
