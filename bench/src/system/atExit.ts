/** What must not outlive the benchmark, however it ends: Ctrl-C and errors end in `process.exit`, which runs these. */
const cleanups = new Set<() => void>()

process.on('exit', () => {
  for (const cleanup of [...cleanups].reverse()) cleanup()
})

/** Runs `cleanup`, which is synchronous, should this process end before the function that is returned is called. */
export function atExit(cleanup: () => void): () => void {
  cleanups.add(cleanup)
  return () => void cleanups.delete(cleanup)
}

/** Ends processes at once; those that are gone already are as good. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {}
}
