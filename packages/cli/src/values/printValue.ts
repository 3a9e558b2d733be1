/** A value for people, in the notation of JavaScript: `[{ id: 0, text: "buy milk" }]`. For programs there is `--json`. */

const width = 100

export function printValue(value: unknown, indent = 0): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value))
    return group(
      '[',
      value.map((item) => printValue(item, indent + 2)),
      ']',
      indent,
    )
  if (value instanceof Map) {
    const pairs = [...value].map(([key, item]) => `${printValue(key, indent + 2)} => ${printValue(item, indent + 2)}`)
    return group('Map {', pairs, '}', indent)
  }
  const members = Object.entries(value as Readonly<Record<string, unknown>>)
  return group(
    '{',
    members.map(([name, item]) => `${name}: ${printValue(item, indent + 2)}`),
    '}',
    indent,
  )
}

function group(open: string, parts: readonly string[], close: string, indent: number): string {
  if (parts.length === 0) return open + close
  const inner = parts.join(', ')
  const line = open === '[' ? `[${inner}]` : `${open} ${inner} ${close}`
  if (!inner.includes('\n') && indent + line.length <= width) return line
  const space = ' '.repeat(indent + 2)
  return `${open}\n${parts.map((part) => `${space}${part},\n`).join('')}${' '.repeat(indent)}${close}`
}
