/**
 * Runs a network from its manifest: starts it, drives the load, perturbs it meanwhile, and checks that all invariants
 * hold, over the gateways and then on disk. A failure leaves the folder of the nodes and says where it is.
 */
import assert from 'node:assert/strict'
import { buildLedger } from './buildLedger.js'
import { request, statusOf, untilAtRest } from './gatewayClient.js'
import { checkCounter, checkNewest, checkReceipts } from './invariants.js'
import { type CertifiedCall, type LedgerCluster, type LoadResult, openClient, runLoad } from './load.js'
import type { NetworkManifest } from './network.js'
import { perturb } from './perturb.js'
import { compareChains, readStoredChain } from './storedChain.js'
import { startCluster, type TestCluster } from './testCluster.js'

export interface NetworkReport {
  readonly result: LoadResult
  /** Exits that nobody asked for. */
  readonly exits: number
  readonly height: number
  readonly seconds: { readonly start: number; readonly load: number; readonly check: number }
}

const restPatience = 60_000

function isHonest(manifest: NetworkManifest, node: number): boolean {
  return !manifest.liars.includes(node)
}

/** Starts the perturbations that are due, one after the other. */
class Perturber {
  readonly #cluster: TestCluster
  readonly #waiting: NetworkManifest['perturbations'][number][]
  #turn: Promise<void> = Promise.resolve()

  constructor(cluster: TestCluster, manifest: NetworkManifest) {
    this.#cluster = cluster
    this.#waiting = [...manifest.perturbations].sort((a, b) => a.when - b.when)
  }

  certified(count: number): void {
    for (let next = this.#waiting[0]; next !== undefined && next.when <= count; next = this.#waiting[0]) {
      this.#waiting.shift()
      const due = next
      this.#turn = this.#turn.then(() => perturb(this.#cluster, due))
      // Awaited in `done`; until then a rejection must not end the process.
      this.#turn.catch(() => undefined)
    }
  }

  async done(): Promise<void> {
    await this.#turn
    assert.deepEqual(this.#waiting, [], 'every perturbation took place')
  }
}

/** The session opening that precedes each client's calls is certified too, and executed once. */
async function checkLive(
  manifest: NetworkManifest,
  cluster: TestCluster,
  client: LedgerCluster,
  certified: readonly CertifiedCall[],
): Promise<number> {
  const { gatewayUrls, genesis } = cluster.localnet
  const honest = gatewayUrls.filter((_, index) => isHonest(manifest, index + 1))
  const height = await untilAtRest(honest, restPatience)
  await checkNewest(honest, genesis)
  await checkReceipts(honest, genesis, certified)
  await checkCounter(client, honest, certified)
  for (const url of gatewayUrls) assert.equal((await request(`${url}/v1/status`)).status, 200)
  return height
}

async function checkStored(
  manifest: NetworkManifest,
  cluster: TestCluster,
  height: number,
  certified: readonly CertifiedCall[],
): Promise<void> {
  const homes = cluster.localnet.homes.filter((_, index) => isHonest(manifest, index + 1))
  const chains = await Promise.all(homes.map(readStoredChain))
  compareChains(chains, new Map(certified.map((call) => [call.id, call.height])))
  for (const chain of chains) {
    // A wake that was still in a mempool may have made one more block, without content.
    assert.ok(chain.height >= height, 'an orderly stop leaves all heights on disk')
    assert.ok([...chain.manifests.keys()].every((content) => content <= height))
    assert.equal(chain.stateRoot, chains[0]?.stateRoot)
  }
}

async function useCluster(manifest: NetworkManifest, cluster: TestCluster, started: number): Promise<NetworkReport> {
  const running = performance.now()
  const maximumBatch = manifest.load.signed === 'individually' ? 1 : 256
  const clients = await Promise.all([0, 1].map(() => openClient(cluster.localnet, { maximumBatch })))
  try {
    const perturber = new Perturber(cluster, manifest)
    const result = await runLoad(clients, manifest.load, manifest.seed, (count) => perturber.certified(count))
    await perturber.done()
    assert.deepEqual(result.failures, [], 'every call is certified in the end')
    assert.equal(result.certified.length, manifest.load.calls)
    await cluster.ready(restPatience)
    const loaded = performance.now()
    const height = await checkLive(manifest, cluster, clients[0] as LedgerCluster, result.certified)
    assert.deepEqual(
      clients.flatMap(({ evidence }) => evidence),
      [],
      'no node gave an answer that cannot be true',
    )
    const exits = cluster.exits.length
    await cluster.stop()
    await checkStored(manifest, cluster, height, result.certified)
    const seconds = {
      start: (running - started) / 1000,
      load: (loaded - running) / 1000,
      check: (performance.now() - loaded) / 1000,
    }
    return { result, exits, height, seconds }
  } finally {
    for (const client of clients) client.close()
  }
}

function statusTexts(cluster: TestCluster): Promise<unknown[]> {
  return Promise.all(cluster.localnet.gatewayUrls.map((url) => statusOf(url).catch(String)))
}

/** `cometbft` is the path of its binary; unused with the embedded engine. */
export async function runNetwork(manifest: NetworkManifest, cometbft: string | null): Promise<NetworkReport> {
  const module = await buildLedger()
  const started = performance.now()
  const cluster = await startCluster({
    nodes: manifest.nodes,
    module,
    liars: manifest.liars.map((node) => node - 1),
    cometbft: manifest.engine === 'embedded' ? null : cometbft,
  })
  try {
    const report = await useCluster(manifest, cluster, started)
    await cluster.remove()
    return report
  } catch (error) {
    console.log(`${manifest.name} failed; its nodes' folders are in ${cluster.folder}: ${JSON.stringify(manifest)}`)
    console.log(`exits: ${JSON.stringify(cluster.exits)}; nodes: ${JSON.stringify(await statusTexts(cluster))}`)
    await cluster.stop()
    throw error
  }
}

export function reportLine({ name }: NetworkManifest, report: NetworkReport): string {
  const { result, exits, height, seconds } = report
  const sorted = [...result.latencies].sort((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0)
  return (
    `${name}: ${result.certified.length} calls certified by block ${height}, p50 ${at(0.5)} ms, max ${at(1)} ms, ` +
    `${exits} exits; ${seconds.start.toFixed(1)} s to start, ${seconds.load.toFixed(1)} s load, ${seconds.check.toFixed(1)} s checks`
  )
}
