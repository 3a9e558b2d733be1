/**
 * The path of a value inside the arguments or the result, such as `cities[3].name`: segments are pushed and popped on
 * the way and joined only when something is refused.
 */

/** A field name, a list index, or `{ key }` for a map entry. */
export type PathSegment = string | number | { readonly key: unknown }

export function pathText(segments: readonly PathSegment[]): string {
  let text = ''
  for (const segment of segments) {
    if (typeof segment === 'number') text += `[${segment}]`
    else if (typeof segment === 'string') text += text === '' ? segment : `.${segment}`
    else text += `[${String(segment.key).slice(0, 40)}]`
  }
  return text
}
