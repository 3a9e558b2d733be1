/** One query from typed arguments: f+1 nodes must answer alike, or the one that the caller names is believed. */
import type { QueryReport } from '@onus/client/reports'
import type { Genesis } from '@onus/protocol/genesis'
import type { Entry, Interface } from '@onus/protocol/interface/description'
import { toJsonValue } from '@onus/protocol/interface/jsonValue'
import type { ClusterFile } from '../cluster/clusterFile.js'
import { connectCluster, explainFailure, oneHonestOf } from '../cluster/connectCluster.js'
import type { Output } from '../command/output.js'
import { printValue } from '../values/printValue.js'

export interface QueryPlan {
  readonly cluster: ClusterFile
  readonly genesis: Genesis
  readonly description: Interface
  readonly entry: Entry
  readonly args: readonly unknown[]
  /** null: the newest. */
  readonly height: number | null
  /** URL of the one node to believe; null: f+1 must agree. */
  readonly node: string | null
}

export interface QueryOutcome {
  readonly value: unknown
  readonly report: QueryReport
}

type Methods = Readonly<Record<string, (...args: readonly unknown[]) => Promise<QueryOutcome>>>

export async function queryEntry({
  cluster,
  genesis,
  description,
  entry,
  args,
  height,
  node,
}: QueryPlan): Promise<QueryOutcome> {
  const client = await connectCluster({ cluster, genesis, description, timeout: 30_000 })
  try {
    const methods = client.at({ ...(height === null ? {} : { height }), ...(node === null ? {} : { node }) })
    const ask = (methods as unknown as Methods)[entry.name]
    if (ask === undefined) throw new TypeError(`the client has no ${entry.name}`)
    return await ask(...args)
  } catch (error) {
    throw await explainFailure(error, cluster)
  } finally {
    client.close()
  }
}

/** Asks and prints. */
export async function showQuery(output: Output, plan: QueryPlan): Promise<number> {
  const { entry, genesis, description, node } = plan
  output.progress.update(`waiting for ${node === null ? oneHonestOf(genesis) : 1} nodes to answer ${entry.name} alike`)
  const { value, report } = await queryEntry(plan)
  const milliseconds = Math.round(report.latency)
  const note =
    node === null
      ? `verified at block ${report.height} · ${report.agreedBy.length} nodes agree · ${milliseconds} ms`
      : `block ${report.height} · on the word of ${node} alone · ${milliseconds} ms`
  output.progress.clear()
  output.value(entry.result === null ? 'done' : printValue(value), note)
  output.result({
    value: entry.result === null ? null : toJsonValue(description, entry.result, value),
    height: report.height,
    agreedBy: report.agreedBy,
    milliseconds: report.latency,
  })
  return 0
}
