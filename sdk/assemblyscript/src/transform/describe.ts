/** From the models of entries and events to the interface description (`spec/interface.md` 1). */
import { assert } from '@onus/protocol/errors'
import type {
  Entry,
  EventDefinition,
  Field,
  Interface,
  ParameterLimit,
  TypeDefinition,
  TypeExpression,
} from '@onus/protocol/interface/description'
import type { EntryModel } from './readEntries.js'
import type { EventModel } from './readEvents.js'
import type { FieldModel, Model, NamedModel } from './typeModel.js'

/** The description, and the names that two different declarations claim. */
export function describeInterface(
  entries: readonly EntryModel[],
  eventModels: readonly EventModel[],
): { description: Interface; clashes: string[] } {
  const types: Record<string, TypeDefinition> = {}
  const owners = new Map<string, NamedModel>()
  const clashes: string[] = []
  const docs: Record<string, string> = {}

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
      case 'result':
        return { result: [expression(model.ok), expression(model.err)] }
      case 'wide':
        return model.type
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
    if (named.doc !== '') docs[name] = named.doc
    if (shape.form === 'record')
      for (const { name: field, doc } of fieldsOf(shape)) if (doc !== '') docs[`${name}.${field}`] = doc
    types[name] = definition(named)
    return name
  }

  function definition({ shape }: NamedModel): TypeDefinition {
    if (shape.form === 'enum') return { enum: shape.cases }
    if (shape.form === 'flags') return { flags: shape.cases }
    if (shape.form === 'variant') return { variant: shape.cases.map((item) => [item.name, define(item)] as const) }
    assert(shape.form === 'record', 'a defined type is a record, enum or variant')
    return { record: recordOf(shape) }
  }

  function recordOf(shape: RecordShape): Field[] {
    return fieldsOf(shape).map(({ name, model }): Field => [name, expression(model)])
  }

  function describeEntry({ name, kind, doc, params, result, gas }: EntryModel): Entry {
    for (const param of params) if (param.doc !== '') docs[`${name}(${param.name})`] = param.doc
    const limits = params.flatMap((param): ParameterLimit[] =>
      param.limit === undefined ? [] : [[param.name, param.limit]],
    )
    return {
      name,
      kind,
      ...(doc === undefined ? {} : { doc }),
      params: params.map((param): Field => [param.name, expression(param.model)]),
      result: result === null ? null : expression(result),
      ...(limits.length === 0 ? {} : { limits }),
      ...(gas === undefined ? {} : { gas }),
    }
  }

  function describeEvent({ name, named }: EventModel): EventDefinition {
    assert(named.shape.form === 'record', 'an event is a record')
    const fields = recordOf(named.shape)
    return named.doc === '' ? { name, fields } : { name, doc: named.doc, fields }
  }

  const described = entries.map(describeEntry)
  const events = eventModels.map(describeEvent)
  const description: Interface = {
    version: 1,
    types,
    entries: described,
    ...(events.length === 0 ? {} : { events }),
    ...(Object.keys(docs).length === 0 ? {} : { docs }),
  }
  return { description, clashes }
}

type RecordShape = Extract<NamedModel['shape'], { form: 'record' }>

/** Fields of the base classes, then the own ones. */
function fieldsOf(shape: RecordShape): readonly FieldModel[] {
  const base = shape.base?.shape
  return base?.form === 'record' ? [...fieldsOf(base), ...shape.fields] : shape.fields
}
