/**
 * The cluster of `onus dev`: four nodes or more on loopback, in a temporary folder. Its module can be replaced: then a new
 * chain starts on the same ports, with a genesis of its own, because code and first state are part of what a genesis names.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClusterSupervisor } from '@onus/node/dev/clusterSupervisor'
import { createLocalnet, type Localnet } from '@onus/node/dev/localnet'
import { StandbyPool } from '@onus/node/dev/standby/standbyPool'
import { nodeFileNames } from '@onus/node/nodeConfig'
import { OnusError } from '@onus/protocol/errors'
import type { EngineName } from '../demo/localCluster.js'
import type { RunnableModule } from './reloader.js'

export interface DevClusterOptions {
  readonly nodes: number
  /** Path of CometBFT; null for the embedded engine. */
  readonly cometbft: string | null
  readonly onExit: (text: string) => void
}

export class DevCluster {
  readonly #options: DevClusterOptions
  readonly #folder: string
  #runs = 0
  readonly #liars = new Set<number>()
  #localnet: Localnet | null = null
  #supervisor: ClusterSupervisor | null = null

  readonly #standby: StandbyPool

  private constructor(options: DevClusterOptions, folder: string) {
    this.#options = options
    this.#standby = options.cometbft === null ? new StandbyPool(1, options.nodes) : new StandbyPool(options.nodes, 1)
    this.#folder = folder
  }

  /** Nothing is started yet. */
  static async create(options: DevClusterOptions): Promise<DevCluster> {
    return new DevCluster(options, await mkdtemp(join(tmpdir(), 'onus-')))
  }

  get folder(): string {
    return this.#folder
  }

  get engine(): EngineName {
    return this.#options.cometbft === null ? 'embedded' : 'cometbft'
  }

  get localnet(): Localnet {
    if (this.#localnet === null) throw new OnusError('not-started', 'the cluster is not started')
    return this.#localnet
  }

  /** Nodes, from 1, that were made to lie in the chain that runs; a new chain has none. */
  get liars(): readonly number[] {
    return [...this.#liars].sort((a, b) => a - b)
  }

  get logs(): readonly string[] {
    const { homes } = this.localnet
    return (this.engine === 'embedded' ? homes.slice(0, 1) : homes).map((home) => join(home, 'node.log'))
  }

  /** Starts a new chain with `runnable`; the nodes must not run. Rejects `cluster-start`. */
  async start({ module, code }: RunnableModule): Promise<void> {
    const old = this.#localnet
    this.#runs += 1
    const folder = join(this.#folder, String(this.#runs))
    const { nodes } = this.#options
    const ports = old === null ? {} : { ports: old.ports }
    this.#localnet = await createLocalnet({ folder, nodes, module, code, ...ports })
    this.#liars.clear()
    await this.#run()
    if (this.#runs > 1) await rm(join(this.#folder, String(this.#runs - 1)), { recursive: true, force: true })
  }

  async #run(): Promise<void> {
    const { cometbft, onExit } = this.#options
    this.#supervisor = new ClusterSupervisor({
      homes: this.localnet.homes,
      cometbft,
      standby: this.#standby,
      onExit: ({ process: name, code, signal, restartIn }) =>
        onExit(`${name} ended (${signal ?? `code ${code}`}); it is started again in ${restartIn} ms`),
    })
    await this.#supervisor.start(60_000)
    // For the next start; it loads while nobody waits.
    this.#standby.fill(join(this.localnet.homes[0] as string, nodeFileNames.module))
  }

  /** Goes on with the chain where it stopped. */
  async resume(): Promise<void> {
    await this.#run()
  }

  async stop(): Promise<void> {
    await this.#supervisor?.stop()
    this.#supervisor = null
  }

  /** `node` counts from 1. With the embedded engine all nodes are one process, and all restart. */
  async restart(node: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#supervisor?.restart(node - 1, signal)
  }

  /** Makes nodes answer wrongly from now on; they are started again for it. */
  async corrupt(nodes: readonly number[]): Promise<void> {
    for (const node of nodes) {
      const file = join(this.localnet.homes[node - 1] as string, nodeFileNames.config)
      const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
      await writeFile(file, `${JSON.stringify({ ...config, lie: true }, null, 2)}\n`)
      this.#liars.add(node)
    }
    if (this.engine === 'embedded') await this.restart(1, 'SIGTERM')
    else await Promise.all(nodes.map((node) => this.restart(node, 'SIGTERM')))
  }

  /** Stops everything and removes the folder. */
  async remove(): Promise<void> {
    this.#standby.close()
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
