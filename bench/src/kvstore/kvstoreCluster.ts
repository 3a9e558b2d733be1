/** The rival's processes for one round: one CometBFT for each member, nothing else. */
import { CometbftProcess } from '@onus/node/engines/cometbft/process'
import { OnusError } from '@onus/protocol/errors'
import { pause } from '../load/meter.js'
import { freePorts } from '../net/freePorts.js'
import { atExit, killAll } from '../system/atExit.js'
import type { Watched } from '../system/cpuWindow.js'
import { writeKvstoreHomes } from './kvstoreHome.js'

export interface KvstoreCluster {
  readonly rpcPorts: readonly number[]
  readonly watched: Watched
  /** Rejects `node-ended` once a process ended that should run. */
  check(): void
  stop(): Promise<void>
}

const startPatience = 60_000

async function resultOf(rpcPort: number, method: string): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${rpcPort}/${method}`, { signal: AbortSignal.timeout(5000) })
  const { result } = (await response.json()) as { result?: Record<string, unknown> }
  return result ?? {}
}

/** Whether the first block is made and all others are connected. */
async function isReady(rpcPort: number, peers: number): Promise<boolean> {
  try {
    const status = await resultOf(rpcPort, 'status')
    const network = await resultOf(rpcPort, 'net_info')
    const sync = status['sync_info'] as Record<string, unknown>
    return Number(sync['latest_block_height']) >= 1 && Number(network['n_peers']) === peers
  } catch {
    return false
  }
}

async function awaitReady(rpcPort: number, peers: number): Promise<void> {
  for (const end = Date.now() + startPatience; !(await isReady(rpcPort, peers)); await pause(50))
    if (Date.now() > end) throw new OnusError('kvstore-start', `no first block on port ${rpcPort} within a minute`)
}

/** Rejects `kvstore-start`. */
export async function startKvstore(folder: string, nodes: number, binary: string): Promise<KvstoreCluster> {
  const ports = await freePorts(2 * nodes)
  const pairs = Array.from({ length: nodes }, (_, index) => ({
    rpcPort: ports[2 * index] as number,
    p2pPort: ports[2 * index + 1] as number,
  }))
  const homes = await writeKvstoreHomes(folder, pairs)
  const ended: string[] = []
  const processes = homes.map(
    ({ path }) => new CometbftProcess({ binary, home: path, onExit: ({ log }) => ended.push(log.trim().slice(-400)) }),
  )
  const pids = (): number[] => processes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
  const forget = atExit(() => killAll(pids()))
  const stop = async (): Promise<void> => {
    forget()
    await Promise.all(processes.map((one) => one.stop()))
  }
  try {
    await Promise.all(processes.map((one) => one.start()))
    await Promise.all(homes.map(({ rpcPort }) => awaitReady(rpcPort, nodes - 1)))
  } catch (error) {
    await stop()
    if (ended.length > 0) throw new OnusError('kvstore-start', `CometBFT ended:\n${ended[0]}`, { cause: error })
    throw error
  }
  return {
    rpcPorts: homes.map(({ rpcPort }) => rpcPort),
    watched: { nodes: [], engines: pids() },
    check() {
      if (ended.length > 0) throw new OnusError('node-ended', `a kvstore process ended:\n${ended[0]}`)
    },
    stop,
  }
}
