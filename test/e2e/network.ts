/**
 * Networks as data: what runs, what it is asked, and what happens to it meanwhile. A manifest is plain JSON, so a
 * random network that failed goes into `regressions/` as it is. No code runs here but the strict reading of a manifest.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'

export const perturbationKinds = [
  /** SIGKILL of the node process. */
  'kill-node',
  /** SIGKILL of its CometBFT. */
  'kill-cometbft',
  /** SIGKILL of node and CometBFT of this and the next node. */
  'kill-two',
  /** SIGKILL of every process of the cluster. */
  'kill-all',
  /** SIGSTOP of node and CometBFT, SIGCONT two seconds later. */
  'pause',
  /** The node ends and nobody starts it again, until `start-node`. */
  'stop-node',
  'start-node',
] as const
export type PerturbationKind = (typeof perturbationKinds)[number]

export interface Perturbation {
  /** Certified calls before it. */
  readonly when: number
  readonly kind: PerturbationKind
  /** From 1; of `kill-all` without meaning. */
  readonly node: number
}

export interface Load {
  readonly calls: number
  /** Calls under way at once. */
  readonly concurrency: number
  /** One signature for each call, or one for the calls of a moment. */
  readonly signed: 'individually' | 'batched'
}

export interface NetworkManifest {
  readonly name: string
  readonly engine: 'cometbft' | 'embedded'
  readonly nodes: number
  /** Numbers (from 1) of nodes that answer wrongly. */
  readonly liars: readonly number[]
  readonly load: Load
  readonly perturbations: readonly Perturbation[]
  /** Of the random choices of the load, and of the network itself when it was drawn. */
  readonly seed: number
}

/** Fails unless the manifest describes something that can run and that must survive. */
export function checkManifest(manifest: NetworkManifest): NetworkManifest {
  const { nodes, liars, load, perturbations } = manifest
  assert.ok(nodes >= 4 && nodes <= 16, `${manifest.name}: 4 to 16 nodes`)
  assert.ok(load.calls > 0 && load.concurrency > 0, `${manifest.name}: a load`)
  const isNode = (node: number): boolean => Number.isInteger(node) && node >= 1 && node <= nodes
  assert.ok(liars.every(isNode), `${manifest.name}: liars are nodes`)
  for (const { kind, node, when } of perturbations) {
    assert.ok(perturbationKinds.includes(kind) && isNode(node), `${manifest.name}: ${kind} of node ${node}`)
    assert.ok(when >= 0 && when < load.calls, `${manifest.name}: ${kind} happens before the load ends`)
  }
  return manifest
}

/** Reads `regressions/NAME.json` of the sources. */
export async function readManifest(name: string): Promise<NetworkManifest> {
  const file = new URL(`../../e2e/regressions/${name}.json`, import.meta.url)
  return checkManifest({ name, ...(JSON.parse(await readFile(file, 'utf8')) as Omit<NetworkManifest, 'name'>) })
}
