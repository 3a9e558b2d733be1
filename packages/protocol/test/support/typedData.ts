/**
 * EIP-712 by its text, generic over a table of types: `encodeType`, `encodeData`, `hashStruct`. Knows the atomic types,
 * `string`, `bytes` and structs; shares nothing with `src`.
 */
import { keccak } from './naiveTrees.js'

export interface TypedField {
  readonly name: string
  readonly type: string
}

export type TypedTable = Readonly<Record<string, readonly TypedField[]>>

/** Integers as bigint or number, bytes and addresses as 0x-hexadecimal text. */
export interface TypedStruct {
  readonly [field: string]: TypedValue
}
export type TypedValue = string | number | bigint | TypedStruct

function referencedTypes(table: TypedTable, type: string, found = new Set<string>()): Set<string> {
  const fields = table[type]
  if (fields === undefined || found.has(type)) return found
  found.add(type)
  for (const field of fields) referencedTypes(table, field.type, found)
  return found
}

/** The primary type first, then the referenced ones by name. */
export function encodeType(table: TypedTable, primary: string): string {
  const others = [...referencedTypes(table, primary)].filter((name) => name !== primary).sort()
  return [primary, ...others]
    .map((name) => `${name}(${(table[name] ?? []).map((field) => `${field.type} ${field.name}`).join(',')})`)
    .join('')
}

function hexBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}

function encodeAtomic(type: string, value: TypedValue): Uint8Array {
  const word = new Uint8Array(32)
  if (/^uint\d*$/.test(type) && (typeof value === 'number' || typeof value === 'bigint')) {
    word.set(Buffer.from(BigInt(value).toString(16).padStart(64, '0'), 'hex'))
    return word
  }
  if (typeof value !== 'string') throw new Error(`${type} takes a text`)
  if (type === 'address') word.set(hexBytes(value), 12)
  else if (/^bytes\d+$/.test(type)) word.set(hexBytes(value))
  else throw new Error(`no type ${type}`)
  return word
}

function encodeField(table: TypedTable, type: string, value: TypedValue | undefined): Uint8Array {
  if (value === undefined) throw new Error(`a value of type ${type} is missing`)
  if (type === 'string' && typeof value === 'string') return keccak(new Uint8Array(Buffer.from(value)))
  if (type === 'bytes' && typeof value === 'string') return keccak(hexBytes(value))
  if (table[type] !== undefined && typeof value === 'object') return hashStruct(table, type, value)
  return encodeAtomic(type, value)
}

export function hashStruct(table: TypedTable, type: string, value: TypedStruct): Uint8Array {
  const typeHash = keccak(new Uint8Array(Buffer.from(encodeType(table, type))))
  const data = (table[type] ?? []).map((field) => encodeField(table, field.type, value[field.name]))
  return keccak(typeHash, ...data)
}

/** keccak256(19 01 ‖ hashStruct(domain) ‖ hashStruct(message)). */
export function typedDataDigest(
  table: TypedTable,
  primary: string,
  domain: TypedStruct,
  message: TypedStruct,
): Uint8Array {
  return keccak(
    Uint8Array.of(0x19, 0x01),
    hashStruct(table, 'EIP712Domain', domain),
    hashStruct(table, primary, message),
  )
}
