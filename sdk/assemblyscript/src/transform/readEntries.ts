/**
 * The entries of a backend: the exported functions of its entry file. `@query` in the doc comment marks one that
 * changes nothing; the rest of the comment is shown to callers.
 */
import type { FunctionDeclaration, Source } from 'assemblyscript'
import { docComment, hasFlag, isNode } from './nodes.js'
import { problemAt } from './problems.js'
import { readType, type TypeReader } from './readTypes.js'
import { findName } from './scope.js'
import type { Model } from './typeModel.js'

export interface EntryModel {
  readonly name: string
  readonly kind: 'entry' | 'query'
  readonly doc: string | undefined
  readonly params: readonly { readonly name: string; readonly model: Model }[]
  readonly result: Model | null
}

export function readEntries(reader: TypeReader, source: Source): EntryModel[] {
  const entries: EntryModel[] = []
  for (const statement of source.statements) {
    if (isNode(statement, 'FunctionDeclaration') && hasFlag(statement, 'Export'))
      entries.push(readEntry(reader, source, statement))
    if (!isNode(statement, 'Export')) continue
    for (const member of statement.members ?? []) {
      const found = findName(reader.sources, source, member.localName.text)
      if (found !== undefined && isNode(found.declaration, 'FunctionDeclaration'))
        reader.problems.push(
          problemAt(
            member,
            `entries are written \`export function\` in this file; export ${member.exportedName.text} so`,
          ),
        )
    }
  }
  if (entries.length === 0)
    reader.problems.push({
      file: source.normalizedPath,
      line: 1,
      column: 1,
      message: 'no entry: export a function, such as `export function add(text: string): u32 { … }`',
    })
  return entries
}

function readEntry(reader: TypeReader, source: Source, declaration: FunctionDeclaration): EntryModel {
  const name = declaration.name.text
  const refuse = (message: string): void =>
    void reader.problems.push(problemAt(declaration.name, `${name}: ${message}`))
  if (declaration.isGeneric) refuse('an entry cannot be generic')
  if (name.startsWith('__') || name === 'then') refuse('this name is reserved')
  const comment = docComment(source, declaration)
  const text = comment.replace(/@query\b/, '').trim()
  const params = declaration.signature.parameters.map((parameter) => ({
    name: parameter.name.text,
    model: readType(reader, source, parameter.type, `parameter ${parameter.name.text} of ${name}`),
  }))
  const { returnType } = declaration.signature
  const isVoid = returnType.range.toString() === 'void'
  return {
    name,
    kind: /@query\b/.test(comment) ? 'query' : 'entry',
    doc: text === '' ? undefined : text.slice(0, 4_096),
    params,
    result: isVoid ? null : readType(reader, source, returnType, `result of ${name}`),
  }
}
