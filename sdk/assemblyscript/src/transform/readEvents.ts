/**
 * The events of a backend: the classes with `@event` in the doc comment, in any file of the backend. An event is called
 * as its class, with a small first letter.
 */
import type { ClassDeclaration, Source } from 'assemblyscript'
import { hasTag } from './docTags.js'
import { hasFlag, isNode } from './nodes.js'
import { problemAt } from './problems.js'
import { readDeclaration, type TypeReader } from './readTypes.js'
import type { NamedModel } from './typeModel.js'

export interface EventModel {
  readonly name: string
  readonly declaration: ClassDeclaration
  readonly named: NamedModel
}

export function readEvents(reader: TypeReader, sources: readonly Source[]): EventModel[] {
  const events: EventModel[] = []
  for (const source of sources.filter((candidate) => !candidate.isLibrary))
    for (const statement of source.statements) {
      if (!isNode(statement, 'ClassDeclaration') || !hasTag(source, statement, 'event')) continue
      const event = readEvent(reader, source, statement)
      if (event === undefined) continue
      if (events.some(({ name }) => name === event.name))
        reader.problems.push(problemAt(statement.name, `two events are called ${event.name}; rename one of them`))
      events.push(event)
    }
  return events
}

function readEvent(reader: TypeReader, source: Source, declaration: ClassDeclaration): EventModel | undefined {
  const { text } = declaration.name
  if (hasTag(source, declaration, 'variant') || hasFlag(declaration, 'Abstract')) {
    reader.problems.push(
      problemAt(declaration.name, `${text}: an event is a class with fields, not abstract, no variant`),
    )
    return undefined
  }
  const model = readDeclaration(reader, declaration, source, declaration.name, `event ${text}`)
  if (model.kind !== 'named') return undefined
  return { name: text.charAt(0).toLowerCase() + text.slice(1), declaration, named: model.named }
}
