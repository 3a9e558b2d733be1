/**
 * A local cluster for one test, as real processes in a temporary folder (in memory where the system has /dev/shm). Each
 * node has a supervisor of its own, so that one can stay down while the others run.
 */

import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClusterSupervisor } from '@onus/node/dev/clusterSupervisor'
import { createLocalnet, type Localnet, type LocalnetOptions } from '@onus/node/dev/localnet'
import { cometbftBinary } from '@onus/node/engines/cometbft/build'

/** An exit that nobody asked for. */
export interface UnplannedExit {
  /** From 1. */
  readonly node: number
  readonly code: number | null
  readonly signal: string | null
}

export interface TestCluster {
  readonly localnet: Localnet
  readonly folder: string
  /** Of all processes, in order, the killed ones included. */
  readonly exits: UnplannedExit[]
  /** Ids of the node process and its CometBFT; null while it is down. Nodes count from 1. */
  pids(node: number): Promise<{ node: number | null; cometbft: number | null }>
  startNode(node: number): Promise<void>
  stopNode(node: number): Promise<void>
  /** SIGKILL of node and CometBFT; nobody starts them again, until `startNode`. */
  killNode(node: number): Promise<void>
  /** Resolves when every node that is meant to run says that it is ready. */
  ready(patience: number): Promise<void>
  /** Lines of the node's log that have `text`. */
  logLines(node: number, text: string): Promise<string[]>
  /** Ends all processes; the folder stays for inspection. */
  stop(): Promise<void>
  /** Ends all processes and removes the folder. */
  remove(): Promise<void>
}

const toolFolder = fileURLToPath(new URL('../../../tools/cometbft', import.meta.url))
export const startPatience = 120_000

/** Path of the CometBFT binary, or the reason for which a test that needs it is skipped. */
export async function findCometbft(): Promise<{ path: string } | { skip: string }> {
  const result = await cometbftBinary({ sourceFolder: toolFolder })
  return result.kind === 'binary' ? { path: result.path } : { skip: `needs go: ${result.remedy}` }
}

/** The file outlives a killed node, and another process may have the id by then: the command line proves it. */
async function cometbftPid(home: string): Promise<number | null> {
  const engineHome = join(home, 'engine/cometbft')
  const text = await readFile(join(engineHome, 'cometbft.pid'), 'utf8').catch(() => '')
  if (!/^\d+\s*$/.test(text)) return null
  if (process.platform !== 'linux') return Number(text)
  const command = await readFile(`/proc/${Number(text)}/cmdline`, 'utf8').catch(() => '')
  return command.split('\0').includes(engineHome) ? Number(text) : null
}

type ClusterOptions = Omit<LocalnetOptions, 'folder'> & {
  /** Path of CometBFT, or null for the embedded engine: then all nodes are one process, under node 1. */
  readonly cometbft: string | null
  /** Keep the folder on disk, where the system counts what processes write. */
  readonly isOnDisk?: boolean
}

class Processes {
  readonly exits: UnplannedExit[] = []
  readonly #localnet: Localnet
  readonly #cometbft: string | null
  readonly #supervisors = new Map<number, ClusterSupervisor>()

  constructor(localnet: Localnet, cometbft: string | null) {
    this.#localnet = localnet
    this.#cometbft = cometbft
  }

  /** Homes of the process that node `node` is, or that all nodes are. */
  #homesOf(node: number): readonly string[] {
    return this.#cometbft === null ? this.#localnet.homes : [this.#localnet.homes[node - 1] as string]
  }

  get numbers(): number[] {
    return this.#cometbft === null ? [1] : this.#localnet.homes.map((_, index) => index + 1)
  }

  async start(node: number): Promise<void> {
    const supervisor = new ClusterSupervisor({
      homes: this.#homesOf(node),
      cometbft: this.#cometbft,
      onExit: ({ code, signal }) => void this.exits.push({ node, code, signal }),
    })
    this.#supervisors.set(node, supervisor)
    await supervisor.start(startPatience)
  }

  async stop(node: number): Promise<void> {
    const supervisor = this.#supervisors.get(node)
    this.#supervisors.delete(node)
    await supervisor?.stop()
  }

  async kill(node: number): Promise<void> {
    const pids = await this.pids(node)
    for (const pid of [pids.node, pids.cometbft]) if (pid !== null) process.kill(pid, 'SIGKILL')
    await this.stop(node)
  }

  async ready(patience: number): Promise<void> {
    await Promise.all([...this.#supervisors.values()].map((supervisor) => supervisor.ready(patience)))
  }

  async pids(node: number): Promise<{ node: number | null; cometbft: number | null }> {
    const home = this.#homesOf(node)[0] as string
    return {
      node: this.#supervisors.get(this.#cometbft === null ? 1 : node)?.pids[0] ?? null,
      cometbft: this.#cometbft === null ? null : await cometbftPid(home),
    }
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#supervisors.keys()].map((node) => this.stop(node)))
  }
}

/** Makes and starts a cluster; resolves when all nodes are ready. */
export async function startCluster(options: ClusterOptions): Promise<TestCluster> {
  const { cometbft, isOnDisk = false, ...rest } = options
  // Sockets lie in the folder, so its path must be short.
  const folder = await mkdtemp(join(existsSync('/dev/shm') && !isOnDisk ? '/dev/shm' : tmpdir(), 'onus-'))
  const localnet = await createLocalnet({ ...rest, folder })
  const processes = new Processes(localnet, cometbft)
  const remove = async (): Promise<void> => {
    await processes.stopAll()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await Promise.all(processes.numbers.map((node) => processes.start(node)))
  } catch (error) {
    await remove()
    throw error
  }
  return {
    localnet,
    folder,
    exits: processes.exits,
    pids: (node) => processes.pids(node),
    startNode: (node) => processes.start(node),
    stopNode: (node) => processes.stop(node),
    killNode: (node) => processes.kill(node),
    ready: (patience) => processes.ready(patience),
    async logLines(node, text) {
      const log = await readFile(join(localnet.homes[node - 1] as string, 'node.log'), 'utf8')
      return log.split('\n').filter((line) => line.includes(text))
    },
    stop: () => processes.stopAll(),
    remove,
  }
}
