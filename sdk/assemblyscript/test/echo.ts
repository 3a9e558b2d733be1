/** The echo backend, built once for a test file, and the vectors of its interface. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type BuiltBackend, buildBackend } from '@onus/assemblyscript/build'
import type { Interface } from '@onus/protocol/interface/description'

/** The package's root: `dist/test/` is two folders below. */
export const packageFolder = fileURLToPath(new URL('../..', import.meta.url))

let built: Promise<BuiltBackend> | undefined

export function echoBackend(): Promise<BuiltBackend> {
  built ??= buildBackend({ entryFile: `${packageFolder}assembly/test/echo.ts` })
  return built
}

export interface InterfaceVectors {
  readonly description: Interface
  readonly requests: readonly { readonly entry: string; readonly request: string }[]
  readonly outputs: readonly { readonly entry: string; readonly request: string; readonly output: string }[]
}

export interface BadInputVectors {
  readonly cases: readonly { readonly name: string; readonly request: string; readonly code: string }[]
}

export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(`${packageFolder}../../spec/vectors/${name}`, 'utf8'))
}
