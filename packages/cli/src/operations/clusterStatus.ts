/**
 * What the nodes say of themselves, beside what certificates prove. A node's status is its own word; that nodes agree is
 * shown by the newest certificate of each, verified against the genesis: two that differ at one height would be a fork.
 */
import { createHashing } from '@onus/node/hashing'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { toHex } from '@onus/protocol/bytes'
import { Certificate, decodeCertificate } from '@onus/protocol/certificate'
import { OnusError } from '@onus/protocol/errors'
import type { Genesis } from '@onus/protocol/genesis'
import type { ClusterFile } from '../cluster/clusterFile.js'
import { getBytes, getJson } from '../cluster/nodeRequest.js'

export interface NodeStatus {
  readonly url: string
  readonly name: string
  /** `validating`, `starting`, `dissenting`; `down` where it does not answer, `wrong` where its answer is none. */
  readonly state: string
  readonly engine: string | null
  readonly height: number
  /** Height of its newest certificate that was verified here; 0 without one. */
  readonly certifiedHeight: number
  readonly pool: number
  /** Why it does not count, or null. */
  readonly problem: string | null
}

export interface ClusterStatus {
  readonly engine: string | null
  readonly members: number
  /** Greatest height that f+1 nodes claim. */
  readonly height: number
  readonly certifiedHeight: number
  /** Nodes that take part and are at most `lagAllowed` blocks behind. */
  readonly agreeing: number
  readonly isForked: boolean
  readonly nodes: readonly NodeStatus[]
}

const lagAllowed = 3

interface Proof {
  readonly height: number
  readonly manifestHash: string
}

/** The newest certificate of a node, verified; null while it has none. */
async function newestProof(node: string, genesis: Genesis): Promise<Proof | null> {
  const bytes = await getBytes(node, '/v1/certificates/latest').catch((error: unknown) => {
    if (error instanceof OnusError && error.message.includes('unknown-block')) return null
    throw error
  })
  if (bytes === null) return null
  const certificate = Certificate.verify(createHashing(), nativeCurve, decodeCertificate(bytes), genesis)
  const { height } = certificate.manifest
  return { height, manifestHash: toHex(certificate.manifestHash) }
}

function integerOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0
}

async function statusOf(
  url: string,
  index: number,
  genesis: Genesis,
): Promise<{ status: NodeStatus; proof: Proof | null }> {
  const absent = { url, name: `node ${index + 1}`, engine: null, height: 0, certifiedHeight: 0, pool: 0 }
  try {
    const json = await getJson(url, '/v1/status')
    const isOurs = json['clusterId'] === toHex(genesis.clusterId)
    const proof = isOurs ? await newestProof(url, genesis) : null
    const dissent = json['dissent']
    const status: NodeStatus = {
      url,
      name: typeof json['name'] === 'string' ? json['name'] : absent.name,
      state: typeof json['state'] === 'string' ? json['state'] : 'unknown',
      engine: typeof json['engine'] === 'string' ? json['engine'] : null,
      height: integerOf(json['height']),
      certifiedHeight: proof?.height ?? 0,
      pool: integerOf(json['pool']),
      problem: problemOf(isOurs, dissent),
    }
    return { status, proof }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    const isDown = error instanceof OnusError && error.code === 'node-unreachable'
    return { status: { ...absent, state: isDown ? 'down' : 'wrong', problem }, proof: null }
  }
}

function problemOf(isOurs: boolean, dissent: unknown): string | null {
  if (!isOurs) return 'runs another cluster'
  return typeof dissent === 'number' ? `dissents from block ${dissent} on` : null
}

function isForkedBy(proofs: readonly (Proof | null)[]): boolean {
  const roots = new Map<number, string>()
  for (const proof of proofs) {
    if (proof === null) continue
    if ((roots.get(proof.height) ?? proof.manifestHash) !== proof.manifestHash) return true
    roots.set(proof.height, proof.manifestHash)
  }
  return false
}

export async function clusterStatus(cluster: ClusterFile, genesis: Genesis): Promise<ClusterStatus> {
  const found = await Promise.all(cluster.nodes.map((url, index) => statusOf(url, index, genesis)))
  const nodes = found.map(({ status }) => status)
  const members = genesis.validators.validators.length
  const heights = nodes.filter(({ problem }) => problem === null).map(({ height }) => height)
  const height = heights.sort((a, b) => b - a)[Math.min(Math.floor((members - 1) / 3), heights.length - 1)] ?? 0
  const agreeing = nodes.filter(
    (node) => node.problem === null && node.state === 'validating' && node.height >= height - lagAllowed,
  ).length
  return {
    engine: nodes.find(({ engine }) => engine !== null)?.engine ?? null,
    members,
    height,
    certifiedHeight: Math.max(0, ...nodes.map(({ certifiedHeight }) => certifiedHeight)),
    agreeing,
    isForked: isForkedBy(found.map(({ proof }) => proof)),
    nodes,
  }
}
