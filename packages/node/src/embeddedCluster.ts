/**
 * All nodes of a local cluster in this process, over the embedded engine: for development and tests on machines without
 * Go. The nodes are the same; only what carries their proposals and votes is not a network. Refuses chains that are not
 * local (`embedded-not-local`).
 */
import { join } from 'node:path'
import { chainIdOfGenesis, decodeGenesis } from '@onus/protocol/genesis'
import { cometbftGenesisOf } from './engines/cometbft/genesisFile.js'
import { EmbeddedChain } from './engines/embedded/embeddedChain.js'
import type { Engine } from './engines/engine.js'
import { createHashing } from './hashing.js'
import type { NodeFiles } from './nodeConfig.js'
import type { EngineParts, OnusNode } from './onusNode.js'

export type CreateNode = (
  files: NodeFiles,
  engineName: string,
  createEngine: (parts: EngineParts) => Engine,
) => OnusNode

export interface RunningCluster {
  readonly nodes: readonly OnusNode[]
  stop(): Promise<void>
}

/** Starts a node for each folder; the chain of blocks is kept beside the first. */
export async function runEmbedded(files: readonly NodeFiles[], createNode: CreateNode): Promise<RunningCluster> {
  const [first] = files
  if (first === undefined) throw new TypeError('at least one node folder')
  const genesis = decodeGenesis(first.genesis)
  const chain = await EmbeddedChain.open({
    genesis: cometbftGenesisOf(genesis, chainIdOfGenesis(genesis)),
    folder: join(first.home, 'chain'),
    hasher: createHashing(),
  })
  const nodes = files.map((each) =>
    createNode(each, 'embedded', ({ application, signer, onFailure }) =>
      chain.join({ application, signer, onFailure }),
    ),
  )
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()))
    await chain.close()
  }
  try {
    await Promise.all(nodes.map((node) => node.start()))
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes, stop }
}
