/** Function names from the `name` custom section, for messages only: a broken section gives fewer names, no error. */
import { OnusError } from '@onus/protocol/errors'
import { ByteReader } from './byteReader.js'
import type { Module } from './moduleTypes.js'

const functionNames = 1

export function readFunctionNames(module: Module): Map<number, string> {
  const names = new Map<number, string>()
  const decoder = new TextDecoder()
  for (const custom of module.customs) {
    if (decoder.decode(custom.name) !== 'name') continue
    try {
      const reader = new ByteReader(custom.bytes)
      while (reader.remaining > 0) {
        const id = reader.u8()
        const subsection = new ByteReader(reader.lengthPrefixed())
        if (id === functionNames)
          subsection.vector(() => names.set(subsection.u32(), decoder.decode(subsection.lengthPrefixed())))
      }
    } catch (error) {
      if (!(error instanceof OnusError)) throw error
    }
  }
  return names
}

/** `function 12 ("transfer")`, names cut to 80 characters. */
export function describeFunction(index: number, names: ReadonlyMap<number, string>): string {
  const name = names.get(index)
  return name === undefined ? `function ${index}` : `function ${index} (${JSON.stringify(name.slice(0, 80))})`
}
