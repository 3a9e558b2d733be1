/** From the models of the entries to the interface description (`spec/interface.md` 1). */
import { assert } from '@onus/protocol/errors'
import type { Entry, Field, Interface, TypeDefinition, TypeExpression } from '@onus/protocol/interface/description'
import type { EntryModel } from './readEntries.js'
import type { FieldModel, Model, NamedModel } from './typeModel.js'

/** The description, and the names that two different declarations claim. */
export function describeInterface(entries: readonly EntryModel[]): { description: Interface; clashes: string[] } {
  const types: Record<string, TypeDefinition> = {}
  const owners = new Map<string, NamedModel>()
  const clashes: string[] = []

  function expression(model: Model): TypeExpression {
    switch (model.kind) {
      case 'number':
        return model.type
      case 'list':
        return { list: expression(model.element) }
      case 'map':
        return { map: [expression(model.key), expression(model.value)] }
      case 'option':
        return { option: expression(model.content) }
      case 'named':
        return define(model.named)
      default:
        return model.kind
    }
  }

  function define(named: NamedModel): TypeExpression {
    const { shape, name } = named
    if (shape.form === 'alias') return expression(shape.target)
    const owner = owners.get(name)
    if (owner === named) return name
    if (owner !== undefined) {
      clashes.push(`${named.source.normalizedPath} and ${owner.source.normalizedPath} both declare ${name}; rename one`)
      return name
    }
    owners.set(name, named)
    // The place in the description is taken before the parts are described, so that order follows first use.
    types[name] = { record: [] }
    types[name] = definition(named)
    return name
  }

  function definition({ shape }: NamedModel): TypeDefinition {
    if (shape.form === 'enum') return { enum: shape.cases }
    if (shape.form === 'variant') return { variant: shape.cases.map((item) => [item.name, define(item)] as const) }
    assert(shape.form === 'record', 'a defined type is a record, enum or variant')
    return { record: fieldsOf(shape).map(({ name, model }): Field => [name, expression(model)]) }
  }

  const described = entries.map(({ name, kind, doc, params, result }): Entry => {
    const fields = params.map((param): Field => [param.name, expression(param.model)])
    const value = result === null ? null : expression(result)
    return doc === undefined
      ? { name, kind, params: fields, result: value }
      : { name, kind, doc, params: fields, result: value }
  })
  return { description: { version: 1, types, entries: described }, clashes }
}

/** Fields of the base classes, then the own ones. */
function fieldsOf(shape: Extract<NamedModel['shape'], { form: 'record' }>): readonly FieldModel[] {
  const base = shape.base?.shape
  return base?.form === 'record' ? [...fieldsOf(base), ...shape.fields] : shape.fields
}
