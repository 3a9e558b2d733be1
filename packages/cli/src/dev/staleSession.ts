/**
 * What a killed `onus dev` leaves: its files in `.onus/` of the project, and the temporary folder of its nodes that they
 * name. The file lies in a folder that others may write, so only a folder that `onus dev` itself would make is removed.
 */
import { existsSync } from 'node:fs'
import { lstat, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ClusterFile, type DevPart, devFileName, readClusterFile, stateFolder } from '../cluster/clusterFile.js'
import { isDevRunning } from '../cluster/devState.js'
import { getBytes } from '../cluster/nodeRequest.js'
import type { Progress } from '../progress.js'
import { controlName } from './control.js'
import { removeDevFiles } from './devFiles.js'

/** The nodes end with their parent; one that hangs ends itself after 10 s. */
const nodesPatience = 12_000
const pollPause = 100

/** Whether `folder` is one that `mkdtemp` made for this user's `onus dev`. */
async function isOurFolder({ folder, control }: DevPart): Promise<boolean> {
  if (control !== join(folder, controlName)) return false
  if (resolve(folder) !== folder || dirname(folder) !== resolve(tmpdir())) return false
  if (!/^onus-[A-Za-z0-9]{6}$/.test(basename(folder))) return false
  const found = await lstat(folder).catch(() => null)
  return found?.isDirectory() === true && (process.getuid === undefined || found.uid === process.getuid())
}

async function untilNodesEnd({ nodes }: ClusterFile, progress: Progress): Promise<void> {
  const end = Date.now() + nodesPatience
  const isUp = (node: string): Promise<boolean> =>
    getBytes(node, '/healthz').then(
      () => true,
      () => false,
    )
  while (Date.now() < end && (await Promise.all(nodes.map(isUp))).includes(true)) {
    progress.update('the nodes of the killed `onus dev` are ending')
    await pause(pollPause)
  }
}

export interface Removed {
  /** The temporary folder that was removed too; null without one. */
  readonly folder: string | null
}

/** Removes what a session left that does not run any more; null where one runs or nothing is left. */
export async function removeStaleSession(root: string, progress: Progress): Promise<Removed | null> {
  const file = join(root, stateFolder, devFileName)
  if (!existsSync(file)) return null
  const cluster = await readClusterFile(file).catch(() => null)
  if (cluster !== null && cluster.dev !== null && (await isDevRunning(cluster.dev))) return null
  const folder = cluster?.dev != null && (await isOurFolder(cluster.dev)) ? cluster.dev.folder : null
  if (cluster !== null && folder !== null) {
    await untilNodesEnd(cluster, progress)
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
  await removeDevFiles(root)
  progress.clear()
  return { folder }
}
