/**
 * Arguments of an entry from words of a command line, typed by the interface: each word is JSON, or a bare text where
 * a text is expected (string, enum, bytes, address). Nothing is guessed: a word that is JSON of another type is refused
 * with the word that would do.
 */
import { OnusError } from '@onus/protocol/errors'
import { definitionOf, type Entry, type Interface, type TypeExpression } from '@onus/protocol/interface/description'
import { encodeValue } from '@onus/protocol/interface/encodeValue'
import { fromJsonValue } from '@onus/protocol/interface/jsonValue'
import { entryHeading, typeText } from './typeText.js'

/** Integers that a JSON number cannot hold become texts, which the JSON form of 64 bits and more is anyway. */
function parseJson(word: string): unknown {
  const exact = word.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (part) =>
    part[0] === '"' ? part : `"${part}"`,
  )
  return JSON.parse(exact)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`
}

function textKind(description: Interface, type: TypeExpression): boolean {
  if (typeof type !== 'string') return 'option' in type && textKind(description, type.option)
  if (type === 'string' || type === 'bytes' || type === 'address') return true
  const definition = definitionOf(description, type)
  return definition !== undefined && 'enum' in definition
}

/** As one word for a POSIX shell. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** JSON of `word`, or the word itself where it is no JSON and a text is wanted. */
function wordValue(description: Interface, type: TypeExpression, word: string): unknown {
  let json: unknown
  try {
    json = parseJson(word)
  } catch {
    if (textKind(description, type)) return word
    return undefined
  }
  // Digits that were quoted only to keep them exact are a number all the same.
  return json
}

interface Place {
  readonly description: Interface
  readonly entry: Entry
  readonly words: readonly string[]
  readonly index: number
}

function commandWith(place: Place, replacement: string): string {
  const words = place.words.map((word, at) => shellWord(at === place.index ? replacement : word))
  const verb = place.entry.kind === 'query' ? 'query' : 'call'
  return ['onus', verb, place.entry.name, ...words].join(' ')
}

function refuse(place: Place, message: string, replacement: string | null): never {
  const { description, entry, index } = place
  const remedy = replacement === null ? null : commandWith(place, replacement)
  const hint = remedy === null ? '' : ` Try: ${remedy}`
  throw new OnusError(
    'argument-type',
    `${entryHeading(description, entry)}: argument ${index + 1} ${message}.${hint}   (not sent)`,
    remedy === null ? {} : { remedy },
  )
}

/** What to type instead, where it is plain. */
function replacementFor(place: Place, type: TypeExpression, value: unknown): string | null {
  const word = place.words[place.index] as string
  if (textKind(place.description, type) && typeof value !== 'string') return JSON.stringify(word)
  if (typeof type !== 'string' && 'list' in type && !Array.isArray(value))
    return `[${value === undefined ? JSON.stringify(word) : word}]`
  if (typeof value === 'string' && type === 'bool' && /^(true|false)$/i.test(value)) return value.toLowerCase()
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return value
  return null
}

function readOne(place: Place): unknown {
  const { description, entry, words, index } = place
  const [name, type] = entry.params[index] as readonly [string, TypeExpression]
  const word = words[index] as string
  const json = wordValue(description, type, word)
  if (json === undefined)
    return refuse(
      place,
      `${JSON.stringify(word)} is neither JSON nor ${typeText(description, type)}`,
      replacementFor(place, type, undefined),
    )
  if (type === 'string' && typeof json !== 'string') return refuse(place, `is ${kindOf(json)}`, JSON.stringify(word))
  try {
    const value = fromJsonValue(description, type, mapsAsPairs(description, type, json), name)
    encodeValue(description, type, value, name)
    return value
  } catch (error) {
    if (!(error instanceof OnusError)) throw error
    const what = json === word && typeof json === 'string' ? 'a text' : kindOf(json)
    const reason = error.path === name ? error.message.slice(name.length + 2) : error.message
    return refuse(place, `is ${what}: ${reason}`, replacementFor(place, type, json))
  }
}

/** A map may be typed as an object where its keys are texts; its JSON form is a list of pairs. */
function mapsAsPairs(description: Interface, type: TypeExpression, json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (typeof type !== 'string') {
    if ('map' in type) {
      const [, valueType] = type.map
      const pairs = Array.isArray(json) ? (json as readonly unknown[]) : Object.entries(json)
      return pairs.map((pair) =>
        Array.isArray(pair) && pair.length === 2 ? [pair[0], mapsAsPairs(description, valueType, pair[1])] : pair,
      )
    }
    if ('option' in type) return mapsAsPairs(description, type.option, json)
    if ('list' in type && Array.isArray(json)) return json.map((item) => mapsAsPairs(description, type.list, item))
    return json
  }
  const definition = definitionOf(description, type)
  if (definition === undefined || !('record' in definition) || Array.isArray(json)) return json
  const fields = new Map(definition.record)
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      const fieldType = fields.get(name)
      return [name, fieldType === undefined ? value : mapsAsPairs(description, fieldType, value)]
    }),
  )
}

/** The arguments that `encodeCall` takes. Rejects `argument-count` and `argument-type`, before anything is sent. */
export function readArguments(description: Interface, entry: Entry, words: readonly string[]): unknown[] {
  const { params } = entry
  const needed =
    params.length - [...params].reverse().findIndex(([, type]) => typeof type === 'string' || !('option' in type))
  const least = params.every(([, type]) => typeof type !== 'string' && 'option' in type) ? 0 : needed
  if (words.length < least || words.length > params.length) {
    const expected = least === params.length ? `${least}` : `${least} to ${params.length}`
    const example = params.map(([, type]) => shellWord(sampleWord(description, type))).join(' ')
    throw new OnusError(
      'argument-count',
      `${entryHeading(description, entry)}: expected ${expected} argument${expected === '1' ? '' : 's'}, got ${words.length}.   (not sent)`,
      { remedy: `for example: onus ${entry.kind === 'query' ? 'query' : 'call'} ${entry.name} ${example}`.trimEnd() },
    )
  }
  return words.map((_, index) => readOne({ description, entry, words, index }))
}

/** A word that the type takes, for examples. */
function sampleWord(description: Interface, type: TypeExpression, depth = 0): string {
  if (depth > 4) return 'null'
  const inner = (part: TypeExpression): string => {
    const word = sampleWord(description, part, depth + 1)
    return textKind(description, part) && !word.startsWith('"') && word !== 'null' ? JSON.stringify(word) : word
  }
  if (typeof type !== 'string') {
    if ('option' in type) return sampleWord(description, type.option, depth)
    if ('list' in type) return `[${inner(type.list)}]`
    if ('map' in type) return `[[${inner(type.map[0])},${inner(type.map[1])}]]`
    return 'null'
  }
  const definition = definitionOf(description, type)
  if (definition === undefined) return samplePrimitive(type)
  if ('enum' in definition) return definition.enum[0] ?? ''
  if ('record' in definition)
    return `{${definition.record.map(([name, part]) => `${JSON.stringify(name)}:${inner(part)}`).join(',')}}`
  if ('variant' in definition) {
    const [tag, content] = definition.variant[0] ?? ['', null]
    return `{"tag":${JSON.stringify(tag)}${content === null ? '' : `,"value":${inner(content)}`}}`
  }
  return '[]'
}

function samplePrimitive(type: string): string {
  if (type === 'string') return 'text'
  if (type === 'bool') return 'true'
  if (type === 'bytes') return '0x00ff'
  if (type === 'address') return `0x${'00'.repeat(20)}`
  return type.startsWith('f') ? '0.5' : '1'
}
