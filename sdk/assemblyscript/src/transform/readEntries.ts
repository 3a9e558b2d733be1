/**
 * The entries of a backend: the exported functions of its entry file. `@query` in the doc comment marks one that
 * changes nothing, `@limit` and `@gas` bound it; the rest of the comment is shown to callers.
 */
import { interfaceLimits } from '@onus/protocol/interface/description'
import type { FunctionDeclaration, Source } from 'assemblyscript'
import { type EntryTags, entryTags, integerIn } from './docTags.js'
import { hasFlag, isNode } from './nodes.js'
import { problemAt } from './problems.js'
import { readType, type TypeReader } from './readTypes.js'
import { findName } from './scope.js'
import { type Model, unaliased } from './typeModel.js'

export interface EntryModel {
  readonly name: string
  readonly kind: 'entry' | 'query'
  readonly doc: string | undefined
  readonly params: readonly ParameterModel[]
  readonly result: Model | null
  readonly gas: number | undefined
}

export interface ParameterModel {
  readonly name: string
  readonly model: Model
  /** Most bytes or elements. */
  readonly limit: number | undefined
  /** Empty if there is none. */
  readonly doc: string
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
  const tags = entryTags(source, declaration)
  const limits = readLimits(tags, refuse)
  const params = declaration.signature.parameters.map((parameter): ParameterModel => {
    const { text } = parameter.name
    const model = readType(reader, source, parameter.type, `parameter ${text} of ${name}`)
    const limit = limits.get(text)
    limits.delete(text)
    if (limit !== undefined && !hasLength(model))
      refuse(`@limit ${text}: only a string, Uint8Array, array or Map has a limit`)
    return { name: text, model, limit, doc: tags.params.get(text) ?? '' }
  })
  for (const unknown of limits.keys()) refuse(`@limit ${unknown}: there is no such parameter`)
  for (const unknown of tags.params.keys())
    if (!params.some((param) => param.name === unknown)) refuse(`@param ${unknown}: there is no such parameter`)
  const { returnType } = declaration.signature
  const isVoid = returnType.range.toString() === 'void'
  return {
    name,
    kind: tags.isQuery ? 'query' : 'entry',
    doc: tags.doc === '' ? undefined : tags.doc,
    params,
    result: isVoid ? null : readType(reader, source, returnType, `result of ${name}`),
    gas: tags.gas === undefined ? undefined : readBound(tags.gas, '@gas', 1, interfaceLimits.gas, refuse),
  }
}

type Refuse = (message: string) => void

function readLimits(tags: EntryTags, refuse: Refuse): Map<string, number> {
  if (tags.isMalformed) refuse('write `@limit PARAMETER NUMBER` and, once, `@gas NUMBER`')
  const limits = new Map<string, number>()
  for (const [parameter, most] of tags.limits) {
    if (limits.has(parameter)) refuse(`@limit ${parameter} stands twice`)
    limits.set(parameter, readBound(most, `@limit ${parameter}`, 0, interfaceLimits.parameterLimit, refuse))
  }
  return limits
}

function readBound(text: string, tag: string, least: number, most: number, refuse: Refuse): number {
  const number = integerIn(text)
  if (number !== undefined && number >= least && number <= most) return number
  refuse(`${tag}: expected a whole number of ${least} to ${most}, got ${text}`)
  return least
}

function hasLength(model: Model): boolean {
  const target = unaliased(model)
  const content = target.kind === 'option' ? unaliased(target.content) : target
  return ['string', 'bytes', 'list', 'map'].includes(content.kind)
}
