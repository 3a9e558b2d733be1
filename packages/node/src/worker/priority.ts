/** Lower priority of a worker's thread, so that the event loop, which votes wait for, comes first where cores are few. */
import { setPriority } from 'node:os'

/** `nice` from 1 to 19. On Linux this is the calling thread's alone; elsewhere it would be the process's, so not done. */
export function yieldToEventLoop(nice: number): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, nice)
  } catch {
    // A sandbox may forbid it; only speed under load is lost.
  }
}
