/** Types and entries as a developer of a backend writes them: `add(text: string): u32`. */
import type { Entry, Interface, TypeExpression } from '@onus/protocol/interface/description'

export function typeText(description: Interface, type: TypeExpression | null): string {
  if (type === null) return 'void'
  if (typeof type === 'string') return type
  if ('option' in type) return `${typeText(description, type.option)} | null`
  if ('list' in type) {
    const element = typeText(description, type.list)
    return element.includes(' ') ? `(${element})[]` : `${element}[]`
  }
  if ('map' in type) return `Map<${type.map.map((part) => typeText(description, part)).join(', ')}>`
  const [[form, parts] = ['unknown', null]] = Object.entries(type)
  const texts = Array.isArray(parts) ? parts.map((part: TypeExpression | null) => typeText(description, part)) : []
  return `${form}<${texts.join(', ')}>`
}

/** `add(text: string)` */
export function entryHeading(description: Interface, entry: Entry): string {
  return `${entry.name}(${entry.params.map(([name, type]) => `${name}: ${typeText(description, type)}`).join(', ')})`
}

/** `add(text: string): u32` */
export function entryText(description: Interface, entry: Entry): string {
  return `${entryHeading(description, entry)}: ${typeText(description, entry.result)}`
}
