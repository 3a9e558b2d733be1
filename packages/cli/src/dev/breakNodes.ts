/** `onus dev break`: kills nodes or makes them lie, and tells what the others make of it, from their own status. */
import { OnusError } from '@onus/protocol/errors'
import type { ClusterFile } from '../cluster/clusterFile.js'
import { readGenesis } from '../cluster/connectCluster.js'
import { type ClusterStatus, clusterStatus } from '../operations/clusterStatus.js'
import type { DevCluster } from './devCluster.js'

export interface BreakPlan {
  /** From 1. */
  readonly nodes: readonly number[]
  readonly how: 'lie' | 'kill'
}

function checkNodes(nodes: readonly number[], members: number): void {
  const wrong = nodes.find((node) => !Number.isInteger(node) || node < 1 || node > members)
  if (nodes.length === 0 || wrong !== undefined)
    throw new OnusError('no-such-node', `there is no node ${wrong ?? ''}; this cluster has 1 to ${members}`, {
      remedy: 'for example: onus dev break 3 --lie',
    })
}

/** `node 3`, `nodes 1, 2 and 3` */
export function nodeNames(nodes: readonly number[]): string {
  if (nodes.length === 1) return `node ${nodes[0]}`
  return `nodes ${nodes.slice(0, -1).join(', ')} and ${nodes[nodes.length - 1]}`
}

/** What follows from so many liars, by the numbers alone. */
function meaning(liars: number, members: number): string {
  const quorum = Math.floor((2 * members) / 3) + 1
  if (liars >= quorum)
    return `${liars} of ${members} sign wrong results: enough to certify them. An honest node dissents and keeps the evidence (onus status); deposits and disputes, which will answer for it, are not built yet`
  if (members - liars >= quorum) return 'the others certify without it: call again and see who signs'
  return `${quorum} honest signers are needed and ${members - liars} are left: calls are not certified any more, and nothing wrong is`
}

export async function breakNodes(
  cluster: DevCluster,
  file: ClusterFile,
  { nodes, how }: BreakPlan,
  progress: (text: string) => void,
): Promise<Readonly<Record<string, unknown>>> {
  const members = cluster.localnet.homes.length
  const chosen = [...new Set(nodes)].sort((a, b) => a - b)
  checkNodes(chosen, members)
  const isEmbedded = cluster.engine === 'embedded'
  if (how === 'lie') {
    progress(`starting ${nodeNames(chosen)} again with a machine that flips a bit of every output`)
    await cluster.corrupt(chosen)
  } else {
    progress(
      `kill -9 of ${isEmbedded ? 'all nodes, which are one process with the embedded engine' : nodeNames(chosen)}`,
    )
    await Promise.all((isEmbedded ? [1] : chosen).map((node) => cluster.restart(node, 'SIGKILL')))
  }
  const status: ClusterStatus = await clusterStatus(file, await readGenesis(file))
  const text =
    how === 'lie'
      ? `${nodeNames(chosen)} now ${chosen.length === 1 ? 'signs' : 'sign'} a wrong result; ${meaning(chosen.length, members)}`
      : `${isEmbedded ? 'all nodes' : nodeNames(chosen)} killed and back · block ${status.height} · ${status.agreeing} of ${members} agree`
  return { nodes: chosen, how, text, height: status.height, agreeing: status.agreeing }
}
