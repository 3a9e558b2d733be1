/**
 * Finds the declaration that a type name means in a source file: declared there, imported by name, or re-exported.
 * Namespaces and `import * as` are not followed; types of the interface are imported by name.
 */
import type { ClassDeclaration, EnumDeclaration, FunctionDeclaration, Source, TypeDeclaration } from 'assemblyscript'
import { isNode } from './nodes.js'

export type Declaration = ClassDeclaration | EnumDeclaration | TypeDeclaration | FunctionDeclaration

export interface Found {
  readonly declaration: Declaration
  readonly source: Source
}

/** All sources of the program by internal path (path without `.ts`). */
export type Sources = ReadonlyMap<string, Source>

function isDeclaration(statement: Source['statements'][number]): statement is Declaration {
  return (
    isNode(statement, 'ClassDeclaration') ||
    isNode(statement, 'InterfaceDeclaration') ||
    isNode(statement, 'EnumDeclaration') ||
    isNode(statement, 'TypeDeclaration') ||
    isNode(statement, 'FunctionDeclaration')
  )
}

/** What `name` means inside `source`, or undefined if it is not declared or imported there. */
export function findName(sources: Sources, source: Source, name: string): Found | undefined {
  for (const statement of source.statements) {
    if (isDeclaration(statement) && statement.name.text === name) return { declaration: statement, source }
    if (!isNode(statement, 'Import')) continue
    const imported = statement.declarations?.find((declaration) => declaration.name.text === name)
    if (imported !== undefined) return findExport(sources, statement.internalPath, imported.foreignName.text, new Set())
  }
  return undefined
}

function findExport(sources: Sources, path: string, name: string, seen: Set<string>): Found | undefined {
  const source = sources.get(path) ?? sources.get(`${path}/index`)
  if (source === undefined || seen.has(source.internalPath)) return undefined
  seen.add(source.internalPath)
  const own = source.statements.find((statement) => isDeclaration(statement) && statement.name.text === name)
  if (own !== undefined && isDeclaration(own)) return { declaration: own, source }
  for (const statement of source.statements) {
    if (!isNode(statement, 'Export')) continue
    const member = statement.members?.find((candidate) => candidate.exportedName.text === name)
    if (member !== undefined)
      return statement.internalPath === null
        ? findName(sources, source, member.localName.text)
        : findExport(sources, statement.internalPath, member.localName.text, seen)
    if (statement.members === null && statement.internalPath !== null) {
      const found = findExport(sources, statement.internalPath, name, seen)
      if (found !== undefined) return found
    }
  }
  return undefined
}
