/** What is wrong with a backend's source, with file, line and column, collected so that one build shows all of it. */
import { OnusError } from '@onus/protocol/errors'
import type { Node } from 'assemblyscript'

export interface Problem {
  /** Path relative to the project, such as `assembly/cities.ts`. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  readonly message: string
}

/** The problem `message` at the start of `node`. */
export function problemAt(node: Node, message: string): Problem {
  const { source, start } = node.range
  return { ...positionIn(source.text, start), file: source.normalizedPath, message }
}

/** Line and column, from 1, of the character at `offset`. */
export function positionIn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: offset - lineStart + 1 }
}

/** A failed build. `problems` are also in the message, one a line. */
export class BuildError extends OnusError {
  readonly problems: readonly Problem[]

  /** `code` is `build-interface`, `build-source`, `build-import` or `build-compiler`. */
  constructor(code: string, problems: readonly Problem[]) {
    const lines = problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
    super(code, lines.join('\n'))
    this.problems = problems
  }
}
