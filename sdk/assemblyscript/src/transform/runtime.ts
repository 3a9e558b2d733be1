/**
 * Changes of the compiler's runtime and standard library (`assembly/runtime/`): a collector that works in small steps at
 * the end of calls, maps and sets that it visits in parts, growth of the memory in small steps, and keys that are compared
 * by value.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '@onus/protocol/errors'
import type { ClassDeclaration, Parser, Source } from 'assemblyscript'
import { libraryFolder } from '../library.js'
import { injectCode, parseCode } from './inject.js'
import { isNode } from './nodes.js'
import type { Sources } from './scope.js'

/**
 * Takes the place of the standard library's function, which hashes the addresses of objects: a class with `hashCode`
 * and `==`, such as `Address` and `u256`, is a key by its value in `Map` and `Set`.
 */
const hashByValue = `export function HASH<T>(key: T): u32 {
  if (isReference<T>() && !isString<T>() && !isNullable<T>()) {
    if (isDefined(key.hashCode)) return key.hashCode();
  }
  return __onus_HASH<T>(key);
}`

function libraryText(name: string): string {
  return readFileSync(join(libraryFolder, 'runtime', name), 'utf8')
}

/** To be called once for each program, before the compiler reads what was parsed. */
export function changeRuntime(parser: Parser, sources: Sources): void {
  const find = (path: string): Source => {
    const source = sources.get(path)
    assert(source !== undefined, `the compiler has ${path}`)
    return source
  }
  const collector = find('~lib/rt/tcms')
  collector.statements.length = 0
  collector.exportPaths = null
  injectCode(parser, collector, libraryText('collector.ts'))
  const visits = libraryText('visits.ts')
  replaceVisit(parser, find('~lib/map'), 'Map', visits)
  replaceVisit(parser, find('~lib/set'), 'Set', visits)
  replaceFunction(parser, find('~lib/util/hash'), 'HASH', hashByValue)
  replaceFunction(parser, find('~lib/rt/tlsf'), 'growMemory', libraryText('growth.ts'))
}

function classOf(source: Source, name: string): ClassDeclaration {
  const found = source.statements.find(
    (statement) => isNode(statement, 'ClassDeclaration') && statement.name.text === name,
  )
  assert(found !== undefined && isNode(found, 'ClassDeclaration'), `there is a class ${name}`)
  return found
}

function replaceVisit(parser: Parser, source: Source, name: string, code: string): void {
  const { members } = classOf(source, name)
  const [visit] = classOf(parseCode(parser, source, code), name).members
  const index = members.findIndex((member) => member.name.text === '__visit')
  assert(visit !== undefined && index >= 0, `${name} is visited by __visit`)
  members[index] = visit
}

/** What was there before can still be called with `__onus_` in front of its name. */
function replaceFunction(parser: Parser, source: Source, name: string, code: string): void {
  const original = source.statements.find(
    (statement) => isNode(statement, 'FunctionDeclaration') && statement.name.text === name,
  )
  assert(original !== undefined && isNode(original, 'FunctionDeclaration'), `there is a function ${name}`)
  original.name.text = `__onus_${name}`
  injectCode(parser, source, code)
}
