/**
 * One certified call from words: typed arguments, a session kept between invocations, the verified result, and what to
 * say of a call that trapped.
 */
import { CallError } from '@onus/client/clientErrors'
import type { Cluster } from '@onus/client/cluster'
import type { CallReport } from '@onus/client/reports'
import { toHex } from '@onus/protocol/bytes'
import type { Genesis } from '@onus/protocol/genesis'
import { encodeCall } from '@onus/protocol/interface/call'
import type { Entry, Interface } from '@onus/protocol/interface/description'
import type { ClusterFile } from '../cluster/clusterFile.js'
import { connectCluster, explainFailure } from '../cluster/connectCluster.js'
import type { StoredKey } from '../keys/keyStore.js'
import { holdSession } from '../keys/sessionStore.js'
import { trapError } from './explainTrap.js'

export interface CallPlan {
  readonly cluster: ClusterFile
  readonly genesis: Genesis
  readonly description: Interface
  readonly entry: Entry
  readonly args: readonly unknown[]
  readonly keys: string
  readonly key: StoredKey
  /** Milliseconds. */
  readonly timeout: number
}

export interface CallOutcome {
  readonly value: unknown
  readonly report: CallReport
  /** What the call emitted, in order; of a client that does not tell events none. */
  readonly events?: readonly { readonly name: string; readonly value: Readonly<Record<string, unknown>> }[]
}

type Send = Readonly<
  Record<string, (...args: readonly unknown[]) => { until(rung: 'certified'): Promise<CallOutcome> }>
>

/** Rejects what the client rejects; a trap as `call-trapped` with what the backend said. */
export async function callEntry(plan: CallPlan): Promise<CallOutcome> {
  const { cluster, genesis, description, entry, args, key, timeout } = plan
  const held = await holdSession(plan.keys, toHex(genesis.clusterId), key.address)
  try {
    const parts = { cluster, genesis, description, account: key.privateKey, timeout }
    const client = await connectCluster({ ...parts, session: held.session })
    try {
      return await sendOnce(client, plan)
    } finally {
      await held.save(client.exportSession())
      client.close()
    }
  } catch (error) {
    if (error instanceof CallError && error.code === 'call-trapped')
      throw await trapError(plan.cluster, plan.entry, encodeCall(description, entry.name, args), error)
    throw await explainFailure(error, cluster)
  } finally {
    await held.release()
  }
}

async function sendOnce(client: Cluster<Interface>, { entry, args }: CallPlan): Promise<CallOutcome> {
  const send = (client.send as unknown as Send)[entry.name]
  if (send === undefined) throw new TypeError(`the client has no ${entry.name}`)
  return send(...args).until('certified')
}
