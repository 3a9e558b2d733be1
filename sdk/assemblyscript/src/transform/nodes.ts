/**
 * Narrow access to the AssemblyScript compiler's syntax tree (assemblyscript 0.28.20). Its kinds and flags are ambient
 * const enums, which `isolatedModules` cannot read, so their numbers are taken from the compiler at run time by name.
 */
import { assert } from '@onus/protocol/errors'
import type {
  ClassDeclaration,
  EnumDeclaration,
  ExportStatement,
  FieldDeclaration,
  FunctionDeclaration,
  ImportStatement,
  NamedTypeNode,
  Node,
  Source,
  TypeDeclaration,
  TypeNode,
} from 'assemblyscript'
import * as compiler from 'assemblyscript'

interface NodeTypes {
  ClassDeclaration: ClassDeclaration
  EnumDeclaration: EnumDeclaration
  Export: ExportStatement
  FieldDeclaration: FieldDeclaration
  FunctionDeclaration: FunctionDeclaration
  Import: ImportStatement
  InterfaceDeclaration: ClassDeclaration
  NamedType: NamedTypeNode
  TypeDeclaration: TypeDeclaration
}

const tables = compiler as unknown as Readonly<Record<string, Readonly<Record<string, number>> | undefined>>

function numberOf(table: string, name: string): number {
  const number = tables[table]?.[name]
  assert(typeof number === 'number', `the AssemblyScript compiler has no ${table}.${name}`)
  return number
}

/** The number of a kind of element in the compiler's `ElementKind`. */
export function elementKind(name: 'Global' | 'PropertyPrototype'): number {
  return numberOf('ElementKind', name)
}

/** Whether `node` is of the kind called `kind` in the compiler's `NodeKind`. */
export function isNode<K extends keyof NodeTypes>(node: Node, kind: K): node is NodeTypes[K] & Node {
  return Number(node.kind) === numberOf('NodeKind', kind)
}

/** Whether a declaration has the flag called `name` in the compiler's `CommonFlags`. */
export function hasFlag(
  declaration: { readonly flags: number },
  name: 'Export' | 'Static' | 'Readonly' | 'Private' | 'Protected' | 'Abstract',
): boolean {
  return (declaration.flags & numberOf('CommonFlags', name)) !== 0
}

/** Whether a type is left out: the parser puts a named type with an empty name there. */
export function isOmitted(type: TypeNode): boolean {
  return isNode(type, 'NamedType') && type.name.identifier.text === ''
}

/** What a doc comment may stand before. */
export type Documented = Node & { readonly decorators?: Node[] | null }

/** The doc comment that stands right before a declaration, without its stars; empty if there is none. */
export function docComment(source: Source, declaration: Documented): string {
  const start = declaration.decorators?.[0]?.range.start ?? declaration.range.start
  const before = source.text
    .slice(0, start)
    .replace(/(\b(export|public|readonly|abstract|declare)\s*)+$/, '')
    .trimEnd()
  if (!before.endsWith('*/')) return ''
  const open = before.lastIndexOf('/*')
  if (!before.startsWith('/**', open)) return ''
  return before
    .slice(open + 3, -2)
    .replace(/^\s*\* ?/gm, '')
    .trim()
}
