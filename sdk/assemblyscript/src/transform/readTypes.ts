/**
 * Reads the types that an interface uses from the syntax tree into `Model`s. Problems are collected, not thrown, so
 * that one build shows all of them; a type with a problem becomes a placeholder and the build fails in the end.
 */
import type { ClassDeclaration, EnumDeclaration, NamedTypeNode, Node, Source, TypeNode } from 'assemblyscript'
import { docText, hasTag } from './docTags.js'
import { hasFlag, isNode, isOmitted } from './nodes.js'
import { type Problem, problemAt } from './problems.js'
import { type Declaration, findName, type Sources } from './scope.js'
import {
  type FieldModel,
  type Model,
  type NamedModel,
  numberTypes,
  type ShapeModel,
  unaliased,
  wideTypes,
} from './typeModel.js'

export interface TypeReader {
  readonly sources: Sources
  readonly problems: Problem[]
  readonly named: Map<Declaration, NamedModel & { shape: ShapeModel }>
}

const allowed =
  'allowed are bool, u8 to u64, i8 to i64, f32, f64, string, Uint8Array, T[], Map<K, V>, T | null, enums, and classes whose fields have such types; from @onus/assemblyscript: Address, u128, u256, i128, i256, Result<T, E>'

const libraryPath = '~lib/@onus/assemblyscript/'

const placeholder: Model = { kind: 'bool' }

function problem(reader: TypeReader, node: Node, message: string): Model {
  reader.problems.push(problemAt(node, message))
  return placeholder
}

/** The text of a type as it stands in its file, rebuilt from the tree. */
export function typeText(node: TypeNode, withNull: boolean): string {
  if (!isNode(node, 'NamedType')) return node.range.toString()
  const args = node.typeArguments?.map((argument) => typeText(argument, true)) ?? []
  let name = node.name.identifier.text
  for (let next = node.name.next; next !== null; next = next.next) name += `.${next.identifier.text}`
  return name + (args.length === 0 ? '' : `<${args.join(', ')}>`) + (withNull && node.isNullable ? ' | null' : '')
}

/** The model of `node`, written in `source`; `what` it is the type of, for messages. */
export function readType(reader: TypeReader, source: Source, node: TypeNode, what: string): Model {
  if (isOmitted(node)) return problem(reader, node, `${what} needs a type; ${allowed}`)
  if (!isNode(node, 'NamedType'))
    return problem(
      reader,
      node,
      `${what} has type ${node.range.toString()}, which cannot cross the interface; ${allowed}`,
    )
  if (!node.isNullable) return readNamed(reader, source, node, what)
  const content = readNamed(reader, source, node, what)
  const target = unaliased(content)
  if (
    target.kind === 'number' ||
    target.kind === 'bool' ||
    (target.kind === 'named' && (target.named.shape.form === 'enum' || target.named.shape.form === 'flags'))
  )
    return problem(
      reader,
      node,
      `${what}: numbers, bool and enums cannot be null in AssemblyScript; wrap it in a class`,
    )
  if (target.kind === 'option') return problem(reader, node, `${what}: null inside null has no encoding`)
  return { kind: 'option', text: typeText(node, true), contentText: typeText(node, false), content }
}

function readNamed(reader: TypeReader, source: Source, node: NamedTypeNode, what: string): Model {
  const name = node.name.identifier.text
  const args = node.typeArguments ?? []
  const found = node.name.next === null ? findName(reader.sources, source, name) : undefined
  if (found === undefined) return readBuiltIn(reader, source, node, what)
  if (found.source.internalPath.startsWith(libraryPath)) {
    const model = readLibraryType(reader, source, found.declaration.name.text, node, what)
    if (model !== undefined) return model
  }
  if (args.length > 0)
    return problem(
      reader,
      node,
      `${what}: the generic type ${typeText(node, false)} cannot cross the interface; ${allowed}`,
    )
  return readDeclaration(reader, found.declaration, found.source, node, what)
}

/** Types that the SDK's guest library declares. */
function readLibraryType(
  reader: TypeReader,
  source: Source,
  name: string,
  node: NamedTypeNode,
  what: string,
): Model | undefined {
  if (name === 'Address') return { kind: 'address' }
  const wide = wideTypes.find((type) => type === name)
  if (wide !== undefined) return { kind: 'wide', type: wide }
  const [first, second] = node.typeArguments ?? []
  if (name !== 'Result' || first === undefined || second === undefined) return undefined
  const ok = readType(reader, source, first, `value of ${what}`)
  const err = readType(reader, source, second, `error of ${what}`)
  const okText = typeText(first, true)
  return { kind: 'result', text: typeText(node, false), okText, errText: typeText(second, true), ok, err }
}

const imported: readonly string[] = ['Address', 'Result', ...wideTypes]

/** What to do about a type that is almost right. */
function hintFor(text: string, name: string): string {
  if (text === 'isize') return '; use i32'
  if (text === 'usize') return '; use u32'
  return imported.includes(name) ? `; write import { ${name} } from "@onus/assemblyscript"` : ''
}

function readBuiltIn(reader: TypeReader, source: Source, node: NamedTypeNode, what: string): Model {
  const text = typeText(node, false)
  const args = node.typeArguments ?? []
  const [first, second] = args
  const number = numberTypes.find((type) => type === text)
  if (number !== undefined) return { kind: 'number', type: number }
  if (text === 'number') return { kind: 'number', type: 'f64' }
  if (text === 'bool' || text === 'boolean') return { kind: 'bool' }
  if (text === 'string' || text === 'String') return { kind: 'string' }
  if (text === 'Uint8Array') return { kind: 'bytes' }
  const name = node.name.identifier.text
  if (name === 'Array' && first !== undefined && args.length === 1) {
    const element = readType(reader, source, first, `element of ${what}`)
    return { kind: 'list', text, elementText: typeText(first, true), element }
  }
  if (name === 'Map' && first !== undefined && second !== undefined && args.length === 2) {
    const key = readType(reader, source, first, `key of ${what}`)
    if (!isKey(key))
      return problem(reader, first, `key of ${what}: allowed are integers, bool, string, Address and enums`)
    const value = readType(reader, source, second, `value of ${what}`)
    return { kind: 'map', text, keyText: typeText(first, true), key, value }
  }
  const hint = hintFor(text, name)
  return problem(reader, node, `${what} has type ${text}, which cannot cross the interface${hint}; ${allowed}`)
}

function isKey(model: Model): boolean {
  const target = unaliased(model)
  if (target.kind === 'number') return target.type !== 'f32' && target.type !== 'f64'
  return (
    target.kind === 'bool' ||
    target.kind === 'string' ||
    target.kind === 'address' ||
    target.kind === 'wide' ||
    (target.kind === 'named' && target.named.shape.form === 'enum')
  )
}

export function readDeclaration(
  reader: TypeReader,
  declaration: Declaration,
  source: Source,
  at: Node,
  what: string,
): Model {
  const known = reader.named.get(declaration)
  if (known !== undefined) {
    if (known.shape.form === 'pending' && isNode(declaration, 'TypeDeclaration'))
      return problem(reader, at, `${what}: the type ${known.name} is defined by itself`)
    return { kind: 'named', named: known }
  }
  const name = declaration.name.text
  if (name.startsWith('__')) return problem(reader, at, `${what}: names that begin with __ are reserved`)
  const named: NamedModel & { shape: ShapeModel } = {
    name,
    source,
    doc: docText(source, declaration),
    shape: { form: 'pending' },
  }
  reader.named.set(declaration, named)
  if (isNode(declaration, 'EnumDeclaration')) named.shape = readEnum(reader, declaration, source)
  else if (isNode(declaration, 'TypeDeclaration')) {
    if ((declaration.typeParameters?.length ?? 0) > 0)
      return problem(reader, at, `${what}: the generic type ${name} cannot cross the interface; ${allowed}`)
    named.shape = { form: 'alias', target: readType(reader, source, declaration.type, `type ${name}`) }
  } else if (isNode(declaration, 'ClassDeclaration')) named.shape = readClass(reader, declaration, source)
  else return problem(reader, at, `${what} has type ${name}, which is not a class, enum or alias; ${allowed}`)
  return { kind: 'named', named }
}

function readEnum(reader: TypeReader, declaration: EnumDeclaration, source: Source): ShapeModel {
  const cases = declaration.values.map((value) => value.name.text)
  if (hasTag(source, declaration, 'flags')) {
    if (cases.length > mostFlags)
      problem(reader, declaration.name, `flags ${declaration.name.text}: an enum holds at most ${mostFlags} flags`)
    declaration.values.forEach((value, index) => {
      if (numberIn(value.initializer?.range.toString() ?? '') !== 2 ** index)
        problem(
          reader,
          value,
          `flags ${declaration.name.text}: the values are 1, 2, 4, 8 in order; write ${value.name.text} = 1 << ${index}`,
        )
    })
    return { form: 'flags', cases }
  }
  for (const value of declaration.values)
    if (value.initializer !== null)
      problem(
        reader,
        value,
        `enum ${declaration.name.text}: cases are numbered from 0; remove the value of ${value.name.text}`,
      )
  return { form: 'enum', cases }
}

/** Enums are i32 in AssemblyScript. */
const mostFlags = 32

/** The integer that a literal or `1 << n` means; NaN for all else. */
function numberIn(text: string): number {
  const shift = /^1\s*<<\s*(\d+)$/.exec(text.trim())?.[1]
  return shift === undefined ? Number(text.trim().replaceAll('_', '') || Number.NaN) : 2 ** Number(shift)
}

function isVariant(source: Source, declaration: ClassDeclaration): boolean {
  return hasTag(source, declaration, 'variant')
}

function readClass(reader: TypeReader, declaration: ClassDeclaration, source: Source): ShapeModel {
  const name = declaration.name.text
  if (declaration.isGeneric)
    problem(reader, declaration.name, `class ${name}: generic classes cannot cross the interface`)
  if (declaration.decorators?.some((decorator) => decorator.name.range.toString() === 'unmanaged') === true)
    problem(reader, declaration.name, `class ${name}: @unmanaged classes cannot cross the interface`)
  if (isVariant(source, declaration)) return readVariant(reader, declaration, source)
  if (hasFlag(declaration, 'Abstract'))
    problem(
      reader,
      declaration.name,
      `class ${name}: an abstract class crosses the interface only with /** @variant */`,
    )
  return readRecord(reader, declaration, source)
}

function readVariant(reader: TypeReader, declaration: ClassDeclaration, source: Source): ShapeModel {
  const name = declaration.name.text
  const subclasses = source.statements.filter(
    (statement): statement is ClassDeclaration =>
      isNode(statement, 'ClassDeclaration') &&
      statement.extendsType !== null &&
      typeText(statement.extendsType, false) === name,
  )
  if (subclasses.length === 0)
    problem(reader, declaration.name, `variant ${name}: declare its cases as classes that extend it, in the same file`)
  const cases: NamedModel[] = []
  for (const subclass of subclasses) {
    const model = readDeclaration(reader, subclass, source, subclass, `case of ${name}`)
    if (model.kind === 'named') cases.push(model.named)
  }
  return { form: 'variant', cases }
}

function readRecord(reader: TypeReader, declaration: ClassDeclaration, source: Source): ShapeModel {
  const fields: FieldModel[] = []
  for (const member of declaration.members) {
    if (!isNode(member, 'FieldDeclaration') || hasFlag(member, 'Static')) continue
    const name = member.name.text
    const what = `field ${name} of ${declaration.name.text}`
    if (hasFlag(member, 'Private') || hasFlag(member, 'Protected'))
      problem(reader, member.name, `${what} is not public; all fields of a class that crosses the interface are sent`)
    if (name.startsWith('__')) problem(reader, member.name, `${what}: names that begin with __ are reserved`)
    const model =
      member.type === null
        ? problem(reader, member.name, `${what} needs a type; ${allowed}`)
        : readType(reader, source, member.type, what)
    fields.push({ name, model, readonly: hasFlag(member, 'Readonly'), doc: docText(source, member) })
  }
  return { form: 'record', base: readBase(reader, declaration, source), fields }
}

/** The base class as a record. Of a variant's case it is the variant, whose own fields are not read: it must have none. */
function readBase(reader: TypeReader, declaration: ClassDeclaration, source: Source): NamedModel | null {
  const { extendsType } = declaration
  if (extendsType === null) return null
  const what = `base of class ${declaration.name.text}`
  const found = findName(reader.sources, source, typeText(extendsType, false))
  if (found === undefined || !isNode(found.declaration, 'ClassDeclaration')) {
    problem(reader, extendsType, `${what}: ${typeText(extendsType, true)} is not a class of this backend`)
    return null
  }
  if (isVariant(found.source, found.declaration)) {
    const field = found.declaration.members.find(
      (member) => isNode(member, 'FieldDeclaration') && !hasFlag(member, 'Static'),
    )
    if (field !== undefined)
      problem(reader, field.name, `variant ${found.declaration.name.text}: put fields into its cases`)
    return null
  }
  const model = readDeclaration(reader, found.declaration, found.source, extendsType, what)
  return model.kind === 'named' ? model.named : null
}
