/** A client of the cluster that a command speaks to, with the user's key, and what makes its failures readable. */
import { readFile } from 'node:fs/promises'
import { CallError, NoNodeError } from '@onus/client/clientErrors'
import type { Cluster } from '@onus/client/cluster'
import { connect } from '@onus/client/connect'
import type { ExportedSession } from '@onus/client/exportedSession'
import { createHashing } from '@onus/node/hashing'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { OnusError } from '@onus/protocol/errors'
import { decodeGenesis, type Genesis } from '@onus/protocol/genesis'
import type { Interface } from '@onus/protocol/interface/description'
import type { ClusterFile } from './clusterFile.js'
import { devRemedy, devState } from './devState.js'
import { fileProblem, isMissing } from './fileProblem.js'

export async function readGenesis(cluster: ClusterFile): Promise<Genesis> {
  try {
    return decodeGenesis(new Uint8Array(await readFile(cluster.genesis)))
  } catch (cause) {
    const { genesis, dev } = cluster
    const message = isMissing(cause) ? `no such file: ${genesis}` : `${genesis} is no genesis: ${fileProblem(cause)}`
    const named = 'name the genesis file of the cluster: --genesis FILE'
    throw new OnusError('genesis-file', message, {
      remedy: dev === null ? named : (devRemedy(await devState(cluster), false) ?? named),
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
    throw await explainFailure(error, cluster)
  }
}

/** What mends failures of the client on the command line, where the client names its own options. */
const remedies: Readonly<Record<string, string>> = {
  'too-few-nodes': 'name more nodes: --nodes URL,URL,… (or believe one of them: onus query … --node URL)',
  'node-url': 'name nodes as http://host:port or https://host: --nodes URL,…',
  'no-node': 'check that the nodes run this cluster: onus status; others are named by --nodes URL,…',
  'outcome-unknown': 'look at the nodes (onus status) and at the state (onus query) before calling again',
}

/** Codes of failures that say nothing of the request: nodes were away, or belong to another chain by now. */
const passing = new Set(['no-node', 'no-agreement', 'no-interface', 'deadline', 'genesis-file'])

/** The same failure with the command that mends it. */
export async function explainFailure(error: unknown, cluster: ClusterFile): Promise<unknown> {
  if (!(error instanceof OnusError) || error instanceof CallError) return error
  const { code, path } = error
  const isDead = error instanceof NoNodeError && error.failures.every(({ kind }) => kind === 'dead')
  const isSilent = isDead || code === 'no-interface'
  const byDev = passing.has(code) ? devRemedy(await devState(cluster), isSilent) : null
  const known = `it must be one of ${cluster.nodes.join(', ')}; others are named by --nodes URL,…`
  const remedy = byDev ?? (code === 'unknown-node' ? known : remedies[code]) ?? error.remedy
  const details = { cause: error, ...(remedy === undefined ? {} : { remedy }) }
  if (isDead) return new OnusError(code, `${deadNodes(cluster, error)}${mayExecute(error)}`, details)
  if (remedy === error.remedy || path !== undefined) return error
  return new OnusError(code, `${error.message}${mayExecute(error)}`, details)
}

function deadNodes({ nodes: known, dev }: ClusterFile, { failures }: NoNodeError): string {
  const asked = [...new Set(failures.map(({ node }) => node))]
  const nodes = asked.length === 0 ? known : asked
  if (nodes.length === 1) return `${nodes[0]} does not answer`
  return `none of the ${nodes.length} nodes ${dev === null ? nodes.join(', ') : `of \`onus dev\` (${dev.name})`} answers`
}

/** The client tells of a call that was signed in its remedy; that must not be lost. */
function mayExecute({ remedy }: OnusError): string {
  const found = /it may still execute .*/.exec(remedy ?? '')
  return found === null ? '' : `; the call was signed and ${found[0]}`
}
