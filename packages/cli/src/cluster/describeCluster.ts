/** The interface of a cluster: from a file, or as f+1 of its nodes give it byte for byte alike. */
import { readFile } from 'node:fs/promises'
import { toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import type { Interface } from '@onus/protocol/interface/description'
import { parseInterface } from '@onus/protocol/interface/parseInterface'
import type { ClusterFile } from './clusterFile.js'
import { getBytes } from './nodeRequest.js'

async function readInterfaceFile(file: string): Promise<Interface> {
  try {
    return parseInterface(new Uint8Array(await readFile(file)))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new OnusError('interface-file', `${file} is no interface description: ${reason}`, {
      remedy: 'leave --interface out to ask the nodes, or build it again: npx onus build',
      cause,
    })
  }
}

/** Rejects `interface-file`, and `no-interface` where no `oneHonest` nodes agree. */
export async function describeCluster(cluster: ClusterFile, oneHonest: number): Promise<Interface> {
  if (cluster.interface !== null) return readInterfaceFile(cluster.interface)
  const answers = await Promise.all(cluster.nodes.map((node) => getBytes(node, '/v1/interface').catch(() => null)))
  const votes = new Map<string, number>()
  for (const answer of answers) {
    if (answer === null) continue
    const key = toHex(answer)
    votes.set(key, (votes.get(key) ?? 0) + 1)
    if ((votes.get(key) ?? 0) >= Math.min(oneHonest, cluster.nodes.length)) return parseInterface(answer)
  }
  throw new OnusError('no-interface', `no ${oneHonest} nodes of ${cluster.nodes.length} gave the same interface`, {
    remedy: 'check that they run: onus status; or name a file: --interface FILE',
  })
}
