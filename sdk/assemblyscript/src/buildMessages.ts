/** What a build service and its compiler process say to each other, over the channel of `node:child_process`. */
import type { BuildOptions, BuiltBackend } from './build.js'
import type { Problem } from './transform/problems.js'

export interface BuildRequest {
  readonly id: number
  readonly options: BuildOptions
}

export type BuildReply =
  | { readonly id: number; readonly built: BuiltBackend }
  /** A `BuildError`. */
  | { readonly id: number; readonly code: string; readonly problems: readonly Problem[] }
