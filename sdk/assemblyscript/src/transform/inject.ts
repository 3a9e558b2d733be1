/**
 * Puts generated statements into files that the compiler has parsed. The code is parsed under the author's own path,
 * else the compiler asserts, and behind as many empty lines as the file has, so that no position points into the
 * author's text.
 */
import { assert } from '@onus/protocol/errors'
import type { ClassDeclaration, Parser, Source, Statement } from 'assemblyscript'
import { isNode } from './nodes.js'

/** Appends the statements of `code` to `source`. Files that it imports are parsed afterwards by the compiler. */
export function injectCode(parser: Parser, source: Source, code: string): void {
  const parsed = parseCode(parser, source, code)
  source.statements.push(...parsed.statements)
  if (parsed.exportPaths !== null) source.exportPaths = [...(source.exportPaths ?? []), ...parsed.exportPaths]
}

/** Adds a member, written as in a class, to the class `declaration` of `source`. */
export function injectMember(parser: Parser, source: Source, declaration: ClassDeclaration, code: string): void {
  const [shell]: Statement[] = parseCode(parser, source, `class ${declaration.name.text} {\n${code}\n}`).statements
  assert(shell !== undefined && isNode(shell, 'ClassDeclaration'), 'the code is a class')
  declaration.members.push(...shell.members)
}

/** The statements of `code` as if they stood in `source`, to which they are not added. */
export function parseCode(parser: Parser, source: Source, code: string): Source {
  parser.seenlog.delete(source.internalPath)
  parser.donelog.delete(source.internalPath)
  const lines = source.text.split('\n').length
  parser.parseFile('\n'.repeat(lines) + code, source.normalizedPath, false)
  const parsed = parser.sources.pop()
  assert(parsed !== undefined && parsed.normalizedPath === source.normalizedPath, 'the parser added the generated file')
  return parsed
}

/** Import path of `target` as written in `from`. */
export function importPath(from: Source, target: Source): string {
  const library = '~lib/'
  if (target.internalPath.startsWith(library)) return target.internalPath.slice(library.length)
  const folders = from.internalPath.split('/').slice(0, -1)
  const parts = target.internalPath.split('/')
  let common = 0
  while (common < folders.length && common < parts.length - 1 && folders[common] === parts[common]) common++
  const up = folders.slice(common).map(() => '..')
  const path = [...up, ...parts.slice(common)].join('/')
  return path.startsWith('..') ? path : `./${path}`
}
