/**
 * Who used the processors between two moments, in cores (CPU seconds a second). What none of the named processes used is
 * noise: other work on the machine, the kernel's own threads, and what the host of a virtual machine took away.
 */
import { cpuSecondsOf, machineCpuSeconds, mainThreadCpuSecondsOf } from './processFiles.js'

/** Processes of a cluster under measurement. */
export interface Watched {
  /** Node processes; none for the rival. */
  readonly nodes: readonly number[]
  /** CometBFT processes. */
  readonly engines: readonly number[]
}

/** Cores. */
export interface CpuUse {
  readonly nodes: number
  /** The part of `nodes` on event loops; the rest is workers, compiler and garbage collector. */
  readonly nodeLoops: number
  readonly engines: number
  /** The load source and the benchmark itself. */
  readonly client: number
  readonly noise: number
}

function sumOf(pids: readonly number[], read: (pid: number) => number): number {
  return pids.reduce((sum, pid) => sum + read(pid), 0)
}

function readAll({ nodes, engines }: Watched, client: readonly number[]): CpuUse {
  const used = {
    nodes: sumOf(nodes, cpuSecondsOf),
    nodeLoops: sumOf(nodes, mainThreadCpuSecondsOf),
    engines: sumOf(engines, cpuSecondsOf),
    client: sumOf(client, cpuSecondsOf),
  }
  return { ...used, noise: machineCpuSeconds() - used.nodes - used.engines - used.client }
}

/** Opens a window; the function that it returns closes it. Called in the load source: it and its parent are the client. */
export function openCpuWindow(watched: Watched): () => CpuUse {
  const client = [process.pid, process.ppid]
  const startedAt = performance.now()
  const before = readAll(watched, client)
  return () => {
    const after = readAll(watched, client)
    const seconds = (performance.now() - startedAt) / 1000
    const cores = (name: keyof CpuUse): number => Math.max(0, (after[name] - before[name]) / seconds)
    return {
      nodes: cores('nodes'),
      nodeLoops: cores('nodeLoops'),
      engines: cores('engines'),
      client: cores('client'),
      noise: cores('noise'),
    }
  }
}
