/**
 * Whether the `onus dev` behind a cluster runs, and how to wait while it reloads: then no node answers, and afterwards a
 * new chain with another genesis does. Its control socket tells: ids of processes are given out again, and a killed
 * session leaves its files behind.
 */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { OnusError } from '@onus/protocol/errors'
import type { Parsed } from '../command/command.js'
import type { Progress } from '../progress.js'
import { type ClusterFile, clusterOf, type DevPart, readClusterFile } from './clusterFile.js'

const connectPatience = 2_000
const pollPause = 100
const defaultPatience = 30_000

/** Whether somebody listens at the control socket of the session. */
export function isDevRunning({ control }: Pick<DevPart, 'control'>): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(control)
    const end = (isRunning: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(isRunning)
    }
    // A session that is stopped (Ctrl-Z) has a full queue at worst: it is there.
    const timer = setTimeout(() => end(true), connectPatience)
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

export function devGone(dev: DevPart): OnusError {
  return new OnusError('no-cluster', `\`onus dev\` does not run any more for ${dev.root} (it was process ${dev.pid})`, {
    remedy: 'start it again: npx onus dev',
  })
}

/** The cluster as its file names it once no reload is under way. Rejects `no-cluster` and `dev-reloading`. */
export async function waitWhileReloading(
  cluster: ClusterFile,
  progress: Progress,
  patience: number = defaultPatience,
): Promise<ClusterFile> {
  const { dev } = cluster
  if (dev === null) return cluster
  const end = Date.now() + patience
  for (let now = cluster; ; ) {
    if (!(await isDevRunning(dev))) throw devGone(dev)
    if (now.dev?.reloading !== true) return now
    if (Date.now() > end)
      throw new OnusError(
        'dev-reloading',
        `\`onus dev\` (process ${dev.pid}) is still reloading after ${patience / 1000} s`,
        {
          remedy: 'try again in a moment; what it waits for stands in its terminal',
        },
      )
    progress.update('`onus dev` is reloading')
    await pause(pollPause)
    now = await readClusterFile(cluster.file).catch(() => {
      throw devGone(dev)
    })
  }
}

/** `clusterOf`, ready to be asked. Rejects as that and as `waitWhileReloading`. */
export async function readyCluster(parsed: Parsed, folder: string, progress: Progress): Promise<ClusterFile> {
  return waitWhileReloading(await clusterOf(parsed, folder), progress)
}

/** What became of the session since `cluster` was read. */
export type DevState = 'none' | 'gone' | 'reloading' | 'reloaded' | 'running'

export async function devState(cluster: ClusterFile): Promise<DevState> {
  if (cluster.dev === null) return 'none'
  if (!(await isDevRunning(cluster.dev))) return 'gone'
  const now = await readClusterFile(cluster.file).catch(() => null)
  if (now === null) return 'gone'
  if (now.dev?.reloading === true) return 'reloading'
  return now.genesis === cluster.genesis ? 'running' : 'reloaded'
}

/** What to do when the nodes of `onus dev` fail; null where that is not the session's doing. `isSilent`: none answers. */
export function devRemedy(state: DevState, isSilent: boolean): string | null {
  switch (state) {
    case 'gone':
      return 'start it again: npx onus dev'
    case 'reloading':
      return '`onus dev` is reloading, try again in a moment'
    case 'reloaded':
      return '`onus dev` reloaded in between (a reload is a new chain): try again'
    case 'running':
      return isSilent ? '`onus dev` runs and starts its nodes again by itself: try again in a moment' : null
    default:
      return null
  }
}
