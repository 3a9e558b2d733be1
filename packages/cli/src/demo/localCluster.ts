/**
 * A local cluster for one run: finds or builds CometBFT, makes the folders of the nodes in a temporary folder, starts
 * and supervises the processes. Without Go the embedded engine takes CometBFT's place, and that is said.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClusterSupervisor } from '@onus/node/dev/clusterSupervisor'
import { createLocalnet, type Localnet } from '@onus/node/dev/localnet'
import { cometbftBinary } from '@onus/node/engines/cometbft/build'
import { OnusError } from '@onus/protocol/errors'
import type { Progress } from '../progress.js'

export type EngineName = 'cometbft' | 'embedded'

export interface LocalClusterOptions {
  readonly nodes: number
  /** null: CometBFT where it is there or can be built, else the embedded engine. */
  readonly engine: EngineName | null
  readonly module: Uint8Array
  readonly progress: Progress
}

export interface LocalCluster {
  readonly engine: EngineName
  readonly localnet: Localnet
  readonly supervisor: ClusterSupervisor
  readonly folder: string
  stop(): Promise<void>
}

const toolFolder = fileURLToPath(new URL('../../../../../tools/cometbft', import.meta.url))

/** Path of the binary, or null for the embedded engine. Rejects `no-go` when CometBFT was asked for and cannot be had. */
export async function findBinary(engine: EngineName | null, progress: Progress): Promise<string | null> {
  if (engine === 'embedded') return null
  const result = await cometbftBinary({
    sourceFolder: toolFolder,
    onProgress: (seconds) => progress.update(`building CometBFT with Go, once: ${seconds} s (about 2 minutes)`),
  })
  if (result.kind === 'binary') {
    progress.done(result.built ? 'CometBFT v0.40.0 built and cached' : 'CometBFT v0.40.0 found in the cache')
    return result.path
  }
  if (engine === 'cometbft')
    throw new OnusError('no-go', 'CometBFT is not built and there is no Go', { remedy: result.remedy })
  progress.done('no Go on this machine: the EMBEDDED engine runs all nodes in one process, for development only')
  return null
}

export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { progress } = options
  const binary = await findBinary(options.engine, progress)
  const folder = await mkdtemp(join(tmpdir(), 'onus-'))
  const localnet = await createLocalnet({ folder, nodes: options.nodes, module: options.module })
  const supervisor = new ClusterSupervisor({
    homes: localnet.homes,
    cometbft: binary,
    onExit: ({ process: name, code, signal, restartIn }) => {
      process.stderr.write(`! ${name} ended (${signal ?? `code ${code}`}); it is started again in ${restartIn} ms\n`)
    },
  })
  const stop = async (): Promise<void> => {
    await supervisor.stop()
    await rm(folder, { recursive: true, force: true })
  }
  progress.update(`starting ${options.nodes} nodes`)
  try {
    await supervisor.start()
  } catch (error) {
    await stop()
    throw error
  }
  progress.done(
    `${options.nodes} nodes run, each with its own CometBFT`.replace(
      binary === null ? ', each with its own CometBFT' : '',
      '',
    ),
  )
  return { engine: binary === null ? 'embedded' : 'cometbft', localnet, supervisor, folder, stop }
}
