/** What happens to a cluster under load: processes killed, stopped or paused, as `network.ts` names it. */
import type { Perturbation } from './network.js'
import type { TestCluster } from './testCluster.js'

const pauseMilliseconds = 2000

function signal(pid: number | null, name: NodeJS.Signals): void {
  if (pid === null) return
  try {
    process.kill(pid, name)
  } catch (error) {
    // Ended by itself since its id was read.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Sends `name` to all processes of `nodes`, as close together as one process can. */
async function signalNodes(cluster: TestCluster, nodes: readonly number[], name: NodeJS.Signals): Promise<void> {
  const pids = await Promise.all(nodes.map((node) => cluster.pids(node)))
  for (const { node, cometbft } of pids) {
    signal(node, name)
    signal(cometbft, name)
  }
}

export async function perturb(cluster: TestCluster, { kind, node }: Omit<Perturbation, 'when'>): Promise<void> {
  const count = cluster.localnet.homes.length
  const all = Array.from({ length: count }, (_, index) => index + 1)
  switch (kind) {
    case 'kill-node':
      return signal((await cluster.pids(node)).node, 'SIGKILL')
    case 'kill-cometbft':
      return signal((await cluster.pids(node)).cometbft, 'SIGKILL')
    case 'kill-two':
      return signalNodes(cluster, [node, (node % count) + 1], 'SIGKILL')
    case 'kill-all':
      return signalNodes(cluster, all, 'SIGKILL')
    case 'pause': {
      const { node: process, cometbft } = await cluster.pids(node)
      for (const pid of [process, cometbft]) signal(pid, 'SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds))
      for (const pid of [process, cometbft]) signal(pid, 'SIGCONT')
      return
    }
    case 'stop-node':
      return cluster.stopNode(node)
    case 'start-node':
      return cluster.startNode(node)
  }
}
