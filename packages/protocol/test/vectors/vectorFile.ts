/** Shape of the files in `spec/vectors/`: a note and groups of cases. Bytes are lower-case hexadecimal, times objects. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export interface VectorFile {
  readonly note: string
  readonly [group: string]: Json
}

/** JSON of a value of `src`: bytes as hexadecimal, bigints as decimal text, objects and lists of them. */
export function jsonOf(value: unknown): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return value.map(jsonOf)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, jsonOf(entry)]))
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null)
    return value
  throw new Error(`no JSON of a ${typeof value}`)
}

export function textOf(file: VectorFile): string {
  return `${JSON.stringify(file, null, 2)}\n`
}
