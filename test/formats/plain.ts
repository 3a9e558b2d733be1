/** Values as plain JSON, so that what a file means can be kept beside it and compared. */
import { toHex } from '@onus/protocol/bytes'

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain }

/** Bytes become hexadecimal digits, big integers decimal digits with `n`, maps lists of pairs; no functions, no symbols. */
export function plain(value: unknown): Plain {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string')
    return value
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return toHex(value)
  if (value instanceof Uint32Array) return [...value]
  if (value instanceof Map) return [...value].map(plain)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => [name, plain(member)]),
    )
  throw new TypeError(`${typeof value} has no plain form`)
}
