/**
 * Names of the functions that were running when a guest trapped, for people: taken from the engine's stack trace, whose
 * function numbers are those of the module before lowering (helpers are added behind). Functions that the compiler
 * inlined have no frame; names of libraries (`~lib/…`) and of generated code (`__onus_…`) are left out.
 */

const mostFrames = 6
const mostNameCharacters = 120

/** Lines `    in NAME`, innermost first; empty if nothing is known. */
export function trapFrames(error: unknown, functionNames: ReadonlyMap<number, string>): string {
  const stack = error instanceof WebAssembly.RuntimeError ? (error.stack ?? '') : ''
  const names: string[] = []
  for (const match of stack.matchAll(/wasm-function\[(\d+)\]/g)) {
    const name = functionNames.get(Number(match[1]))?.slice(0, mostNameCharacters)
    // A recursion is one line.
    if (name === undefined || isLibrary(name) || name === names.at(-1)) continue
    names.push(name)
  }
  return names
    .slice(0, mostFrames)
    .map((name) => `\n    in ${name}`)
    .join('')
}

function isLibrary(name: string): boolean {
  return name.startsWith('~lib/') || name.startsWith('onus-module/') || /(^|\/)__onus_/.test(name)
}
