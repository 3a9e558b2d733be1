/** The interface of a cluster: from a file, or as f+1 of its nodes give it byte for byte alike. */
import { readFile } from 'node:fs/promises'
import { toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import type { Interface } from '@onus/protocol/interface/description'
import { parseInterface } from '@onus/protocol/interface/parseInterface'
import type { ClusterFile } from './clusterFile.js'
import { explainFailure } from './connectCluster.js'
import { fileProblem, isMissing } from './fileProblem.js'
import { getBytes } from './nodeRequest.js'

async function readInterfaceFile(file: string): Promise<Interface> {
  try {
    return parseInterface(new Uint8Array(await readFile(file)))
  } catch (cause) {
    const message = isMissing(cause)
      ? `no such file: ${file}`
      : `${file} is no interface description: ${fileProblem(cause)}`
    throw new OnusError('interface-file', message, {
      remedy: 'leave --interface out to ask the nodes, or build it again: npx onus build',
      cause,
    })
  }
}

/** What a node gave, or why it gave nothing. */
type Answer = { readonly bytes: Uint8Array } | { readonly problem: string }

async function ask(node: string): Promise<Answer> {
  try {
    return { bytes: await getBytes(node, '/v1/interface') }
  } catch (error) {
    const isSilent = error instanceof OnusError && error.code === 'node-unreachable'
    return { problem: isSilent ? `${node} does not answer` : error instanceof Error ? error.message : String(error) }
  }
}

function disagreement(nodes: readonly string[], answers: readonly Answer[], needed: number): OnusError {
  const problems = answers.flatMap((answer) => ('problem' in answer ? [answer.problem] : []))
  const found = problems.length === 0 ? `the ${nodes.length} named do not` : problems.join('; ')
  const message =
    nodes.length < needed
      ? `${needed} nodes must give the same interface and ${nodes.length} ${nodes.length === 1 ? 'is' : 'are'} named${problems.length === 0 ? '' : `: ${found}`}`
      : `${needed} nodes must give the same interface: ${found}`
  return new OnusError('no-interface', message, {
    remedy:
      nodes.length < needed
        ? `name at least ${needed} nodes that run: --nodes URL,URL,… (or a file: --interface FILE)`
        : 'check that they run: onus status; others are named by --nodes URL,… (or a file: --interface FILE)',
  })
}

/**
 * One node, named twice, counts once; fewer than `oneHonest` are not believed, for a wrong interface makes another call of
 * the same words. Rejects `interface-file`, and `no-interface` where no `oneHonest` nodes agree.
 */
export async function describeCluster(cluster: ClusterFile, oneHonest: number): Promise<Interface> {
  if (cluster.interface !== null) return readInterfaceFile(cluster.interface)
  const nodes = [...new Set(cluster.nodes.map((node) => node.replace(/\/+$/, '')))]
  const answers = await Promise.all(nodes.map(ask))
  const votes = new Map<string, number>()
  for (const answer of answers) {
    if ('problem' in answer) continue
    const key = toHex(answer.bytes)
    votes.set(key, (votes.get(key) ?? 0) + 1)
    if ((votes.get(key) ?? 0) >= oneHonest) return parseInterface(answer.bytes)
  }
  throw await explainFailure(disagreement(nodes, answers, oneHonest), cluster)
}
