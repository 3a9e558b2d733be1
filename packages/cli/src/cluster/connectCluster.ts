/** A client of the cluster that a command speaks to, with the user's key, and what makes its failures readable. */
import { readFile } from 'node:fs/promises'
import { NoNodeError } from '@onus/client/clientErrors'
import type { Cluster } from '@onus/client/cluster'
import { connect } from '@onus/client/connect'
import type { ExportedSession } from '@onus/client/exportedSession'
import { createHashing } from '@onus/node/hashing'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { OnusError } from '@onus/protocol/errors'
import { decodeGenesis, type Genesis } from '@onus/protocol/genesis'
import type { Interface } from '@onus/protocol/interface/description'
import type { ClusterFile } from './clusterFile.js'

export async function readGenesis(cluster: ClusterFile): Promise<Genesis> {
  try {
    return decodeGenesis(new Uint8Array(await readFile(cluster.genesis)))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new OnusError('genesis-file', `${cluster.genesis} is no genesis: ${reason}`, {
      remedy: 'name the genesis file of the cluster: --genesis FILE',
      cause,
    })
  }
}

/** f + 1: of so many nodes one is honest. */
export function oneHonestOf(genesis: Genesis): number {
  return Math.floor((genesis.validators.validators.length - 1) / 3) + 1
}

export interface ConnectParts {
  readonly cluster: ClusterFile
  readonly genesis: Genesis
  readonly description: Interface
  /** 32 bytes; none for queries. */
  readonly account?: Uint8Array
  readonly session?: ExportedSession | null
  /** Milliseconds until a call is given up. */
  readonly timeout: number
}

export async function connectCluster(parts: ConnectParts): Promise<Cluster<Interface>> {
  const { cluster, genesis, description, account, session, timeout } = parts
  const options = {
    genesis,
    nodes: cluster.nodes,
    interface: description,
    hasher: createHashing(),
    curve: nativeCurve,
    timeouts: { call: timeout },
    ...(account === undefined ? {} : { account }),
  }
  try {
    return await connect(session === undefined || session === null ? options : { ...options, session })
  } catch (error) {
    // A session file that another version wrote: the next one opens a new session.
    if (error instanceof OnusError && ['session-form', 'account-key'].includes(error.code)) return connect(options)
    throw explainFailure(error, cluster)
  }
}

/** The same failure with the command that mends it. */
export function explainFailure(error: unknown, cluster: ClusterFile): unknown {
  if (!(error instanceof NoNodeError)) return error
  const isDead = error.failures.every(({ kind }) => kind === 'dead')
  const where = cluster.dev === null ? cluster.nodes.join(', ') : `of \`onus dev\` (${cluster.dev.name})`
  if (!isDead) return error
  return new OnusError('no-node', `none of the ${cluster.nodes.length} nodes ${where} answers`, {
    remedy: cluster.dev === null ? 'check that they run: onus status' : 'start them: npx onus dev',
    cause: error,
  })
}
