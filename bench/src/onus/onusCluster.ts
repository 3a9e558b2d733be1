/** A fresh cluster of Onus nodes, each with its CometBFT, in processes of their own, for one round. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterSupervisor } from '@onus/node/dev/clusterSupervisor'
import { createLocalnet, type Localnet } from '@onus/node/dev/localnet'
import { OnusError } from '@onus/protocol/errors'
import { atExit, killAll } from '../system/atExit.js'
import type { Watched } from '../system/cpuWindow.js'
import { childrenOf, proportionalBytesOf } from '../system/processFiles.js'

export interface OnusCluster {
  readonly localnet: Localnet
  /** From starting the first process to the last node's word that it is ready. */
  readonly startSeconds: number
  readonly watched: Watched
  /** Rejects `node-ended` once a process ended that should run. */
  check(): void
  /** Bytes of each node with its CometBFT. */
  memory(): number[]
  stop(): Promise<void>
}

export interface ClusterPlan {
  readonly folder: string
  readonly nodes: number
  readonly module: Uint8Array
  readonly cometbft: string
}

/** The last lines of a log. */
function tailOf(path: string): string {
  return readFileSync(path, 'utf8').trim().split('\n').slice(-4).join('\n')
}

/** Rejects `cluster-start`. */
export async function startOnusCluster({ folder, nodes, module, cometbft }: ClusterPlan): Promise<OnusCluster> {
  const localnet = await createLocalnet({ folder: join(folder, 'onus'), nodes, module })
  const ended: string[] = []
  const logs = localnet.homes.map((home) => join(home, 'node.log'))
  const supervisor = new ClusterSupervisor({
    homes: localnet.homes,
    cometbft,
    onExit: ({ process: name, code, signal }) => ended.push(`${name} (${signal ?? `code ${code}`})`),
  })
  const running = (): number[] => supervisor.pids.filter((pid) => pid !== null)
  const forget = atExit(() => killAll(running().flatMap((pid) => [pid, ...childrenOf(pid)])))
  const stop = async (): Promise<void> => {
    forget()
    await supervisor.stop()
  }
  const startedAt = performance.now()
  try {
    await supervisor.start()
  } catch (error) {
    await stop()
    throw error
  }
  const startSeconds = (performance.now() - startedAt) / 1000
  return {
    localnet,
    startSeconds,
    watched: { nodes: running(), engines: running().flatMap(childrenOf) },
    check() {
      if (ended.length > 0)
        throw new OnusError(
          'node-ended',
          `ended during the measurement: ${ended.join(', ')}\n${logs.map(tailOf).join('\n')}`,
        )
    },
    memory: () =>
      running().map((pid) => [pid, ...childrenOf(pid)].reduce((sum, one) => sum + proportionalBytesOf(one), 0)),
    stop,
  }
}
