/**
 * What a doc comment says: its text, and the tags that mean something here (`spec/interface.md` 6): `@query`, `@event`,
 * `@variant`, `@flags`, `@limit parameter most`, `@gas amount` and `@param parameter text`.
 */
import { interfaceLimits } from '@onus/protocol/interface/description'
import type { Source } from 'assemblyscript'
import { type Documented, docComment } from './nodes.js'

const marks = ['query', 'event', 'variant', 'flags'] as const

export function hasTag(source: Source, declaration: Documented, tag: (typeof marks)[number]): boolean {
  return new RegExp(`@${tag}\\b`).test(docComment(source, declaration))
}

/** The text of a doc comment without its marks; empty if there is none. */
export function docText(source: Source, declaration: Documented): string {
  return textOf(docComment(source, declaration))
}

function textOf(comment: string): string {
  return comment
    .replace(new RegExp(`@(${marks.join('|')})\\b`, 'g'), '')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
    .slice(0, interfaceLimits.docLength)
}

export interface EntryTags {
  readonly doc: string
  readonly isQuery: boolean
  /** As written: parameter and number. */
  readonly limits: readonly (readonly [parameter: string, most: string])[]
  readonly gas: string | undefined
  /** Text by parameter. */
  readonly params: ReadonlyMap<string, string>
  /** Whether a `@limit` or `@gas` is not followed by what belongs to it. */
  readonly isMalformed: boolean
}

/** The doc comment of an entry. */
export function entryTags(source: Source, declaration: Documented): EntryTags {
  let comment = docComment(source, declaration)
  const take = (pattern: RegExp): RegExpMatchArray[] => {
    const found = [...comment.matchAll(pattern)]
    comment = comment.replace(pattern, '')
    return found
  }
  // A parameter's text goes on to the next tag or empty line.
  const params = take(/^@param[ \t]+(\w+)[ \t]+(?:-[ \t]+)?(.*(?:\n(?!\s*@|\s*$).*)*)\n?/gm)
  const limits = take(/@limit[ \t]+(\w+)[ \t]+(\w+)/g)
  const gas = take(/@gas[ \t]+(\w+)/g)
  return {
    doc: textOf(comment.replace(/@(limit|gas)\b/g, '')),
    isQuery: /@query\b/.test(comment),
    limits: limits.map((match) => [match[1] as string, match[2] as string]),
    gas: gas[0]?.[1],
    params: new Map(params.map((match) => [match[1] as string, textOf(match[2] as string)])),
    isMalformed: /@(limit|gas)\b/.test(comment) || gas.length > 1,
  }
}

/** A whole number as written, underscores allowed; undefined if it is none. */
export function integerIn(text: string): number | undefined {
  const number = /^[0-9][0-9_]*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}
