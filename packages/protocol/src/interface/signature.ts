/**
 * The full signature of an entry or event as text (`spec/interface.md` 2): types are expanded structurally, so a renamed type
 * keeps the signature and a renamed, moved or retyped field changes it; a changed entry is then "no such entry" for an
 * old client and never a misread. A definition inside itself is written `^n`, n counting definitions outwards.
 */
import { OnusError } from '../errors.js'
import {
  definitionOf,
  type Entry,
  type EventDefinition,
  type Interface,
  interfaceLimits,
  isPrimitiveType,
  type TypeExpression,
} from './description.js'

/**
 * `name(type,type)->result`, ASCII. Rejects `interface-size` when it is longer than 16,384 characters (definitions
 * used several times multiply) and `interface-type` on an unknown type.
 */
export function signatureOf(description: Interface, entry: Entry): string {
  const expansion: Expansion = { description, entry: entry.name, length: 0 }
  const params = entry.params.map(([, type]) => expandType(expansion, type, []))
  const result = entry.result === null ? 'void' : expandType(expansion, entry.result, [])
  return `${entry.name}(${params.join(',')})->${result}`
}

/** `event:name{field:type,…}`, ASCII. Rejects as `signatureOf`. */
export function eventSignatureOf(description: Interface, event: EventDefinition): string {
  const expansion: Expansion = { description, entry: event.name, length: 0 }
  const fields = event.fields.map(([name, type]) => {
    spend(expansion, name)
    return `${name}:${expandType(expansion, type, [])}`
  })
  return `event:${event.name}{${fields.join(',')}}`
}

interface Expansion {
  readonly description: Interface
  readonly entry: string
  /** Characters written so far, a bound on the work. */
  length: number
}

function spend(expansion: Expansion, text: string): string {
  expansion.length += text.length + 1
  if (expansion.length > interfaceLimits.signatureLength)
    throw new OnusError('interface-size', `signature is longer than ${interfaceLimits.signatureLength} characters`, {
      path: expansion.entry,
    })
  return text
}

function expandType(expansion: Expansion, type: TypeExpression, within: readonly string[]): string {
  if (typeof type === 'string') return expandName(expansion, type, within)
  spend(expansion, 'result<void,void>')
  if ('list' in type) return `list<${expandType(expansion, type.list, within)}>`
  if ('result' in type) {
    const [ok, err] = type.result.map((part) => (part === null ? 'void' : expandType(expansion, part, within)))
    return `result<${ok},${err}>`
  }
  if ('option' in type) return `option<${expandType(expansion, type.option, within)}>`
  const [key, value] = type.map
  return `map<${expandType(expansion, key, within)},${expandType(expansion, value, within)}>`
}

function expandName(expansion: Expansion, name: string, within: readonly string[]): string {
  if (isPrimitiveType(name)) return spend(expansion, name)
  const outer = within.lastIndexOf(name)
  if (outer >= 0) return spend(expansion, `^${within.length - 1 - outer}`)
  const definition = definitionOf(expansion.description, name)
  if (definition === undefined) throw new OnusError('interface-type', `unknown type ${name}`, { path: expansion.entry })
  const inner = [...within, name]
  const named = ([part, type]: readonly [string, TypeExpression | null]): string => {
    spend(expansion, part)
    return type === null ? part : `${part}:${expandType(expansion, type, inner)}`
  }
  if ('record' in definition) return spend(expansion, '{') && `{${definition.record.map(named).join(',')}}`
  if ('flags' in definition) return `flags{${spend(expansion, definition.flags.join(','))}}`
  if ('enum' in definition) return `enum{${spend(expansion, definition.enum.join(','))}}`
  return spend(expansion, 'variant{') && `variant{${definition.variant.map(named).join(',')}}`
}
