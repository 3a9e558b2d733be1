/** `onus status`: heights, agreement and states of the nodes. */
import { clusterOptions } from '../cluster/clusterFile.js'
import { readGenesis } from '../cluster/connectCluster.js'
import { devRemedy, devState, readyCluster } from '../cluster/devState.js'
import type { Command, Context } from '../command/command.js'
import { type ClusterStatus, clusterStatus, type NodeStatus } from '../operations/clusterStatus.js'

function nodeLine(node: NodeStatus, height: number): string {
  const lag = Math.max(0, height - node.height)
  const behind = lag === 0 ? '' : ` · ${lag} behind`
  const place =
    node.state === 'down' ? node.problem : `block ${node.height}${behind} · certificate of ${node.certifiedHeight}`
  const problem = node.state === 'down' || node.problem === null ? '' : ` · ${node.problem}`
  return `  ${`${node.name} `.padEnd(16, '.')} ${node.state} · ${place}${problem} · ${node.url}`
}

function verdict({ isForked, agreeing, members, certifiedHeight }: ClusterStatus): string {
  if (isForked) return 'FORK: two certified blocks of one height'
  const needed = Math.floor((2 * members) / 3) + 1
  const certified = certifiedHeight === 0 ? 'nothing certified yet' : `newest certificate of block ${certifiedHeight}`
  const work = agreeing >= needed ? 'calls are certified' : `${needed} are needed to certify a call`
  return `${agreeing} of ${members} agree (${work}) · ${certified}`
}

async function run(context: Context): Promise<number> {
  const { output, folder } = context
  const cluster = await readyCluster(context, folder, output.progress)
  const genesis = await readGenesis(cluster)
  output.progress.update(`asking ${cluster.nodes.length} nodes`)
  const status = await clusterStatus(cluster, genesis)
  output.progress.clear()
  output.line(
    `  ${'cluster '.padEnd(16, '.')} block ${status.height} · ${verdict(status)} · ${status.engine ?? 'unknown'} engine`,
  )
  for (const node of status.nodes) output.line(nodeLine(node, status.height))
  const remedy = status.agreeing === 0 ? devRemedy(await devState(cluster), true) : null
  if (remedy !== null && !output.isJson) output.note(`  ${remedy}`)
  output.result(remedy === null ? { ...status } : { ...status, remedy })
  const needed = Math.floor((2 * status.members) / 3) + 1
  return status.isForked || status.agreeing < needed ? 1 : 0
}

export const statusCommand: Command = {
  name: 'status',
  about: 'heights, agreement and states of the nodes',
  details: 'Ends with code 0 where enough nodes agree to certify calls, else with 1.',
  positionals: [],
  options: clusterOptions,
  examples: [
    { command: 'onus status', about: 'the cluster of `onus dev`' },
    { command: 'onus status --cluster staging.json --json', about: 'another cluster, for a script' },
  ],
  run,
}
