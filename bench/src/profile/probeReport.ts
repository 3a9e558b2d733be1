/** What the probe writes, and where. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Environment variable with the folder that reports are written to. */
export const probeFolderVariable = 'ONUS_BENCH_PROBE'

/** One call of a timed method; milliseconds of the monotonic clock. */
export interface Span {
  readonly name: string
  readonly start: number
  readonly end: number
  /** 0 where the method knows none. */
  readonly height: number
  /** The block of the span has a seal. */
  readonly hasContent: boolean
}

/** By how many milliseconds the event loop was late, and when (monotonic clock). */
export interface LoopDelay {
  readonly at: number
  readonly delay: number
}

export interface ProbeReport {
  readonly spans: readonly Span[]
  readonly loopDelays: readonly LoopDelay[]
}

/** Report of a process that has ended. */
export async function readProbeReport(folder: string, pid: number): Promise<ProbeReport> {
  return JSON.parse(await readFile(join(folder, `${pid}.json`), 'utf8')) as ProbeReport
}
