/**
 * A run of its own with the probe in every node, beside the measured rounds: the stages of a call at rest, what the
 * nodes do under load, and how long their event loops keep others waiting.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AssertionError } from '@onus/protocol/errors'
import { quantile } from '../load/quantile.js'
import type { IdleCall, SignedLoadResult } from '../onus/loadMethods.js'
import { type ClusterPlan, type OnusCluster, startOnusCluster } from '../onus/onusCluster.js'
import { firstWarmSeconds, type OnusLoad, type RoundLengths, singleSessions, startOnusLoad } from '../onus/onusRound.js'
import type { CpuUse } from '../system/cpuWindow.js'
import { type BlockCycle, profileBlocks } from './blockCycle.js'
import { type ProbeReport, probeFolderVariable, readProbeReport } from './probeReport.js'
import { type BusySpan, type IdleProfile, profileBusy, profileIdleCalls } from './stages.js'

const probe = new URL('./probe.js', import.meta.url)

export interface Profile {
  readonly idle: IdleProfile
  readonly cycle: BlockCycle
  readonly busy: readonly BusySpan[]
  readonly busyCpu: CpuUse
  readonly busyCallsPerSecond: number
  readonly busyCallsPerBlock: number
  /** Milliseconds, p99: of the worst node under load, and of an empty process at the same time. */
  readonly loopDelay: number
  readonly controlDelay: number
}

/** Runs `start` with the probe in the environment of the processes that it starts. */
async function withProbe<Value>(folder: string, start: () => Promise<Value>): Promise<Value> {
  const { NODE_OPTIONS: before } = process.env
  process.env['NODE_OPTIONS'] = `${before ?? ''} --import=${probe.href}`.trim()
  process.env[probeFolderVariable] = folder
  try {
    return await start()
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = before
    delete process.env[probeFolderVariable]
  }
}

function startControl(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./control.js', import.meta.url)))
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child))
    child.once('exit', (code) => reject(new AssertionError(`the control process ended with code ${code}`)))
  })
}

async function endControl(control: ChildProcess): Promise<void> {
  if (control.exitCode !== null) return
  const ended = new Promise((resolve) => control.once('exit', resolve))
  control.disconnect()
  await ended
}

interface Observed {
  readonly calls: readonly IdleCall[]
  readonly busy: SignedLoadResult
}

async function observe(cluster: OnusCluster, load: OnusLoad, lengths: RoundLengths): Promise<Observed> {
  const { localnet, watched } = cluster
  const { genesisBytes: genesis, gatewayUrls } = localnet
  const { idleCalls, ...times } = lengths
  await load.call('open', { genesis, gatewayUrls, sessions: singleSessions })
  const busy = await load.call('run', {
    sessions: singleSessions,
    callsPerEnvelope: 1,
    ...times,
    warmSeconds: firstWarmSeconds,
    watched,
  })
  const calls = await load.call('idle', { calls: idleCalls })
  cluster.check()
  return { calls, busy }
}

/** p99 of the delays within a window. */
function loopDelayOf({ loopDelays }: ProbeReport, from: number, to: number): number {
  const delays = loopDelays.filter(({ at }) => at >= from && at <= to).map(({ delay }) => delay)
  return quantile(delays, 0.99)
}

function profileOf({ calls, busy }: Observed, nodes: readonly ProbeReport[], control: ProbeReport): Profile {
  const { openedAt: from, seconds } = busy
  const to = from + seconds * 1000
  return {
    idle: profileIdleCalls(calls, nodes),
    cycle: profileBlocks(nodes, from, to),
    busy: profileBusy(nodes, from, to),
    busyCpu: busy.cpu,
    busyCallsPerSecond: busy.calls / seconds,
    busyCallsPerBlock: busy.calls / busy.blocks,
    loopDelay: Math.max(...nodes.map((report) => loopDelayOf(report, from, to))),
    controlDelay: loopDelayOf(control, from, to),
  }
}

/** Rejects as `startOnusCluster` and the load source. */
export async function runProfile(
  plan: ClusterPlan,
  lengths: RoundLengths,
  say: (what: string) => void,
): Promise<Profile> {
  const folder = join(plan.folder, 'probe')
  await mkdir(folder)
  say('starting nodes with the probe')
  const { cluster, control } = await withProbe(folder, async () => {
    const controlProcess = await startControl()
    try {
      return { control: controlProcess, cluster: await startOnusCluster(plan) }
    } catch (error) {
      await endControl(controlProcess)
      throw error
    }
  })
  const { nodes } = cluster.watched
  const load = startOnusLoad()
  let observed: Observed
  try {
    say('profile')
    observed = await observe(cluster, load, lengths)
  } finally {
    await load.stop()
    await cluster.stop()
    await endControl(control)
  }
  const reports = await Promise.all(nodes.map((pid) => readProbeReport(folder, pid)))
  return profileOf(observed, reports, await readProbeReport(folder, control.pid ?? 0))
}
