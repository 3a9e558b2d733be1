/**
 * The imports of a JavaScript or TypeScript text, read as text: comments, template texts and regular expressions are
 * skipped, so that generated code inside a string is not mistaken for an import. No module is loaded or resolved.
 */

const space = /\s+/y
const comment = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y
const string = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y
const word = /[\w$\u0080-\uffff]+/y
const regularExpression = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
/** Template text up to a substitution or the closing backquote. */
const templateText = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(`|\$\{)/y
/** Words after which a slash begins a regular expression and not a division. */
const beforeExpression = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof'.split(' '),
)

function matchAt(pattern, text, at) {
  pattern.lastIndex = at
  return pattern.exec(text)
}

function countLines(text) {
  return text.split('\n').length - 1
}

function mayBeginExpression(previous) {
  if (previous === undefined) return true
  if (previous.kind === 'word') return beforeExpression.has(previous.text)
  return previous.kind === 'mark' && !')]}'.includes(previous.text)
}

/** What `text` holds at `at`: `{ kind, length }`. `resumesTemplate` says that a closing brace ends a substitution. */
function scanAt(text, at, previous, resumesTemplate) {
  const head = text[at]
  if (head === '`' || (head === '}' && resumesTemplate)) {
    const match = matchAt(templateText, text, at + 1)
    if (match === null) return { kind: 'template', length: text.length - at, opens: false }
    return { kind: 'template', length: 1 + match[0].length, opens: match[1] === '${', resumed: head === '}' }
  }
  for (const [kind, pattern] of Object.entries({ space, comment, string, word })) {
    const match = matchAt(pattern, text, at)
    if (match !== null) return { kind, length: match[0].length }
  }
  if (head === '/' && mayBeginExpression(previous)) {
    const match = matchAt(regularExpression, text, at)
    if (match !== null) return { kind: 'regularExpression', length: match[0].length }
  }
  return { kind: 'mark', length: 1 }
}

/** Words, strings (without quotes) and single marks of `text`, each `{ kind, text, line }`, lines from 1. */
function tokensOf(text) {
  const tokens = []
  /** Depth of plain braces inside each open template substitution, the innermost last. */
  const substitutions = []
  let line = 1
  let at = 0
  while (at < text.length) {
    const found = scanAt(text, at, tokens.at(-1), substitutions.at(-1) === 0)
    const raw = text.slice(at, at + found.length)
    if (found.kind === 'template') {
      if (found.resumed) substitutions.pop()
      if (found.opens) substitutions.push(0)
      tokens.push({ kind: 'template', text: '', line })
    } else if (found.kind === 'string') {
      tokens.push({ kind: 'string', text: raw.slice(1, -1), line })
    } else if (found.kind === 'word' || found.kind === 'mark') {
      tokens.push({ kind: found.kind, text: raw, line })
      if (substitutions.length > 0 && raw === '{') substitutions[substitutions.length - 1]++
      if (substitutions.length > 0 && raw === '}') substitutions[substitutions.length - 1]--
    } else if (found.kind === 'regularExpression') {
      tokens.push({ kind: 'regularExpression', text: '', line })
    }
    line += countLines(raw)
    at += found.length
  }
  return tokens
}

/** The string after the `from` of a clause that begins at token `at`, or undefined if no import clause stands there. */
function specifierAfterFrom(tokens, at) {
  for (let i = at; i < tokens.length; i++) {
    const token = tokens[i]
    const next = tokens[i + 1]
    if (token.kind === 'word' && token.text === 'from' && next?.kind === 'string') return next
    if (token.kind === 'word' || token.kind === 'string') continue
    if (token.kind !== 'mark' || !'{},*'.includes(token.text)) return undefined
  }
  return undefined
}

/** The import that the word at `at` begins, if it begins one. A `specifier` of undefined is a computed one. */
function importAt(tokens, at) {
  const { text, line } = tokens[at]
  const next = tokens[at + 1]
  if (tokens[at - 1]?.text === '.' || next === undefined) return undefined
  if ((text === 'import' || text === 'require') && next.text === '(' && next.kind === 'mark') {
    const argument = tokens[at + 2]
    if (argument?.kind === 'string') return { specifier: argument.text, line }
    return text === 'import' ? { specifier: undefined, line } : undefined
  }
  if (text === 'import') {
    const found = next.kind === 'string' ? next : specifierAfterFrom(tokens, at + 1)
    return found && { specifier: found.text, line: found.line }
  }
  if (text === 'export') {
    const clause = next.text === 'type' ? tokens[at + 2] : next
    if (clause === undefined || clause.kind !== 'mark' || !'{*'.includes(clause.text)) return undefined
    const found = specifierAfterFrom(tokens, at + 1)
    return found && { specifier: found.text, line: found.line }
  }
  return undefined
}

/**
 * Imports and re-exports of `text`, static, dynamic, of types, and `require`: `{ specifier, line }` in order, `line`
 * being that of the specifier. `specifier` is undefined for a dynamic import of a computed path.
 */
export function importsOf(text) {
  const tokens = tokensOf(text)
  const found = []
  tokens.forEach((token, at) => {
    const each = token.kind === 'word' ? importAt(tokens, at) : undefined
    if (each !== undefined) found.push(each)
  })
  return found
}
