/** The generated TypeScript file of a description: `as const`, so that a client infers all types from it. */

import type { Interface } from '@onus/protocol/interface/description'
import { formatInterface } from '@onus/protocol/interface/parseInterface'

const width = 120

/** Source text of `NAME.ts`, which exports the description as `name`. The text depends on the description alone. */
export function descriptionSource(description: Interface, name: string): string {
  const json: unknown = JSON.parse(new TextDecoder().decode(formatInterface(description)))
  return `// Generated from the backend's source; do not edit.
export const ${name} = ${print(json, 0, 0)} as const
`
}

/**
 * JSON as TypeScript the way the formatter of this repository (Biome, 120 columns) prints it, so that the generated
 * file can be committed; `before` are the characters in front of it on its line.
 */
function print(json: unknown, indent: number, before: number): string {
  const line = printLine(json)
  if (typeof json !== 'object' || json === null) return line
  const fits = indent + before + line.length + 1 <= width
  if (fits && !mustBreak(json)) return line
  const inner = ' '.repeat(indent + 2)
  const close = ' '.repeat(indent)
  if (Array.isArray(json))
    return `[\n${json.map((item) => `${inner}${print(item, indent + 2, 0)},\n`).join('')}${close}]`
  const members = Object.entries(json).map(
    ([key, value]) => `${inner}${keyText(key)}: ${print(value, indent + 2, keyText(key).length + 2)},\n`,
  )
  return `{\n${members.join('')}${close}}`
}

/** The formatter breaks an array of several arrays of several items, and everything around it. */
function mustBreak(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return false
  if (!Array.isArray(json)) return Object.values(json).some(mustBreak)
  return (json.length > 1 && json.every((item) => Array.isArray(item) && item.length > 1)) || json.some(mustBreak)
}

function printLine(json: unknown): string {
  if (typeof json === 'string') return quote(json)
  if (Array.isArray(json)) return `[${json.map(printLine).join(', ')}]`
  if (typeof json !== 'object' || json === null) return String(json)
  const members = Object.entries(json).map(([key, value]) => `${keyText(key)}: ${printLine(value)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

function keyText(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key)
}

/** A string literal in the quotes that need fewer escapes, single ones if equal. */
function quote(text: string): string {
  const single = text.split("'").length
  const double = text.split('"').length
  const escaped = JSON.stringify(text)
  if (single > double) return escaped
  return `'${escaped.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
