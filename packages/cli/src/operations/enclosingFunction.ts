/** Name of the function or method around a line of a source, by its braces; for messages only. */

const declaration =
  /(?:\bfunction\s+|^\s*(?:(?:public|private|protected|static|get|set)\s+)*)([A-Za-z_$][\w$]*)\s*(?:<[^>{]*>)?\s*\(/
const keywords = new Set(['if', 'for', 'while', 'switch', 'catch', 'return', 'throw', 'new', 'super', 'assert'])

/** Braces outside of texts and comments on a line: +1 for each that opens, -1 for each that closes. */
function depthOf(line: string): number {
  const code = line.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/.*$/g, '')
  return [...code].reduce((depth, character) => depth + (character === '{' ? 1 : character === '}' ? -1 : 0), 0)
}

/** `line` counts from 1. Null where none is found. */
export function enclosingFunction(source: string, line: number): string | null {
  const lines = source.split('\n').slice(0, line)
  let open = 0
  for (let at = lines.length - 1; at >= 0; at--) {
    const text = lines[at] as string
    // What closes on the line itself may close what encloses the place.
    open += at === lines.length - 1 ? Math.max(0, depthOf(text)) : depthOf(text)
    const name = declaration.exec(text)?.[1]
    const isOneLine = at === lines.length - 1 && /\bfunction\b/.test(text)
    if (name !== undefined && !keywords.has(name) && (open > 0 || isOneLine)) return name
  }
  return null
}
