/**
 * What Linux says in `/proc` of a process: CPU time, memory, children. Every other system lacks it, and the benchmark
 * says so before it begins (`media.ts`).
 */
import { readFileSync } from 'node:fs'

/** `USER_HZ`, fixed by Linux's ABI for user space. */
const ticksPerSecond = 100

function ticksOf(statFile: string): number {
  const text = readFileSync(statFile, 'utf8')
  // The name of the process stands in parentheses and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** CPU seconds (user and system) of all threads of a process; 0 when it is gone. */
export function cpuSecondsOf(pid: number): number {
  try {
    return ticksOf(`/proc/${pid}/stat`) / ticksPerSecond
  } catch {
    return 0
  }
}

/** CPU seconds of the first thread alone, which in Node is the one with the event loop. */
export function mainThreadCpuSecondsOf(pid: number): number {
  try {
    return ticksOf(`/proc/${pid}/task/${pid}/stat`) / ticksPerSecond
  } catch {
    return 0
  }
}

/** CPU seconds that the whole machine has worked since its start, those taken by its host included. */
export function machineCpuSeconds(): number {
  const [first] = readFileSync('/proc/stat', 'utf8').split('\n')
  const [user, nice, system, , , irq, softIrq, steal] = (first ?? '').trim().split(/\s+/).slice(1).map(Number)
  const busy = [user, nice, system, irq, softIrq, steal].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0)
  return busy / ticksPerSecond
}

/** Bytes of a process's memory, pages that it shares divided among those who share them. */
export function proportionalBytesOf(pid: number): number {
  const match = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  return match === null ? Number.NaN : Number(match[1]) * 1024
}

/** Processes that the first thread of a process started and that still run. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}
