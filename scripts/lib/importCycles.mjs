/** Import cycles between files. */

/**
 * One cycle for each import that closes one in a depth-first walk, as the list of files from the first back to itself.
 * `graph` maps a file to the files that it imports. Empty exactly if the graph has no cycle.
 */
export function importCycles(graph) {
  const cycles = []
  const finished = new Set()
  const path = []

  function visit(file) {
    if (finished.has(file)) return
    const start = path.indexOf(file)
    if (start >= 0) {
      cycles.push([...path.slice(start), file])
      return
    }
    path.push(file)
    for (const target of graph.get(file) ?? []) visit(target)
    path.pop()
    finished.add(file)
  }

  for (const file of graph.keys()) visit(file)
  return cycles
}
