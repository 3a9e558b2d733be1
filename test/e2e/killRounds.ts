/**
 * Seeded rounds of SIGKILL under load on one cluster: of one process, of any two, of all, at any moment, now and then
 * once more while they are starting. After each round calls certified in it are on every node; at the end nothing is
 * lost, nothing executed twice, all roots are equal, over the gateways and on disk.
 *
 * As a script: `node test/dist/e2e/killRounds.js SEED ROUNDS [NODES]`.
 */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { buildLedger } from './buildLedger.js'
import { untilAtRest, untilStatus } from './gatewayClient.js'
import { checkCounter, checkNewest, checkReceipts } from './invariants.js'
import { type CertifiedCall, type LedgerCluster, openClient } from './load.js'
import { integerBelow, oneOf, randomFrom } from './random.js'
import { compareChains, readStoredChain } from './storedChain.js'
import { findCometbft, startCluster, startPatience, type TestCluster } from './testCluster.js'

export interface Victim {
  /** From 1. */
  readonly node: number
  readonly process: 'node' | 'cometbft'
}

export interface KillRound {
  readonly victims: readonly Victim[]
  /** Milliseconds of load before it. */
  readonly after: number
  /** Milliseconds after the kill at which the same processes are killed again, wherever they are then; null: not. */
  readonly again: number | null
}

export interface KillReport {
  readonly certified: number
  readonly height: number
  readonly exits: number
  readonly seconds: number
  /** Longest time from a kill until all nodes are ready and have the next certified calls, in milliseconds. */
  readonly slowestRecovery: number
}

/** Calls under way at once, and those that a round waits for once all nodes are ready again. */
const concurrency = 6
const callsPerRound = 8
/** Receipts that are fetched from all nodes after each round; the stores are compared as a whole at the end. */
const checkedPerRound = 12
const restPatience = 60_000
const exitPatience = 15_000

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

function drawRound(random: () => number, nodes: number): KillRound {
  const all = Array.from({ length: nodes }, (_, index) => index + 1).flatMap((node): Victim[] => [
    { node, process: 'node' },
    { node, process: 'cometbft' },
  ])
  const count = oneOf(random, [1, 1, 2, 2, all.length])
  const victims: Victim[] = []
  const left = [...all]
  while (victims.length < count) victims.push(...left.splice(integerBelow(random, left.length), 1))
  return {
    victims: count === all.length ? all : victims,
    after: integerBelow(random, 700),
    again: random() < 0.3 ? integerBelow(random, 3500) : null,
  }
}

export function drawRounds(seed: number, rounds: number, nodes: number): KillRound[] {
  const random = randomFrom(seed)
  return Array.from({ length: rounds }, () => drawRound(random, nodes))
}

/** Kills what of `victims` runs; resolves when their node processes are gone, which follow their CometBFT. */
async function kill(cluster: TestCluster, victims: readonly Victim[]): Promise<void> {
  const found = await Promise.all(victims.map(({ node }) => cluster.pids(node)))
  const ending = victims.flatMap(({ node, process: which }, index) => {
    const pids = found[index]
    const pid = pids?.[which] ?? null
    return pid === null ? [] : [{ node, pid, nodePid: pids?.node ?? null }]
  })
  for (const { pid } of ending) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      // Ended by itself since its id was read.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  for (const { node, nodePid } of ending)
    for (const end = Date.now() + exitPatience; nodePid !== null && (await cluster.pids(node)).node === nodePid; ) {
      assert.ok(Date.now() < end, `node ${node} does not end though its CometBFT was killed`)
      await wait(5)
    }
}

/** Calls without end, each counted with what it added. */
class EndlessLoad {
  readonly certified: CertifiedCall[] = []
  readonly failures: unknown[] = []
  readonly #workers: readonly Promise<void>[]
  #stopped = false

  constructor(clients: readonly LedgerCluster[], seed: number) {
    const random = randomFrom(seed)
    this.#workers = Array.from({ length: concurrency }, (_, index) =>
      this.#work(clients[index % clients.length] as LedgerCluster, random),
    )
  }

  async #work(client: LedgerCluster, random: () => number): Promise<void> {
    while (!this.#stopped && this.failures.length === 0) {
      const added = 1 + integerBelow(random, 9)
      try {
        const { value, report } = await (await client.send.add(added)).until('certified')
        this.certified.push({ id: report.transactionId, added, value, height: report.height })
      } catch (error) {
        this.failures.push(error)
      }
    }
  }

  async until(count: number): Promise<void> {
    for (const end = Date.now() + restPatience; this.certified.length < count; await wait(10)) {
      assert.deepEqual(this.failures, [], 'every call is certified in the end')
      assert.ok(Date.now() < end, `${count - this.certified.length} calls are not certified after ${restPatience} ms`)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#workers)
    assert.deepEqual(this.failures, [], 'every call is certified in the end')
  }
}

async function runRound(cluster: TestCluster, load: EndlessLoad, round: KillRound): Promise<number> {
  const { gatewayUrls, genesis } = cluster.localnet
  const begin = load.certified.length
  await wait(round.after)
  const killed = performance.now()
  await kill(cluster, round.victims)
  if (round.again !== null) {
    await wait(round.again)
    await kill(cluster, round.victims)
  }
  await cluster.ready(startPatience)
  await load.until(load.certified.length + callsPerRound)
  const ofRound = load.certified.slice(begin)
  const newest = Math.max(...ofRound.map(({ height }) => height))
  await untilStatus(gatewayUrls, 'all nodes caught up', restPatience, (statuses) =>
    statuses.every(({ height }) => height >= newest),
  )
  const recovery = performance.now() - killed
  const step = Math.max(1, Math.floor(ofRound.length / checkedPerRound))
  await checkReceipts(
    gatewayUrls,
    genesis,
    ofRound.filter((_, index) => index % step === 0),
  )
  return recovery
}

async function checkEnd(cluster: TestCluster, client: LedgerCluster, load: EndlessLoad): Promise<number> {
  const { gatewayUrls, genesis, homes } = cluster.localnet
  const height = await untilAtRest(gatewayUrls, restPatience)
  await checkNewest(gatewayUrls, genesis)
  await checkCounter(client, gatewayUrls, load.certified)
  await cluster.stop()
  const chains = await Promise.all(homes.map(readStoredChain))
  compareChains(chains, new Map(load.certified.map((call) => [call.id, call.height])))
  for (const chain of chains) {
    assert.ok(chain.height >= height, 'an orderly stop leaves all heights on disk')
    assert.equal(chain.stateRoot, chains[0]?.stateRoot)
  }
  return height
}

/** Runs `rounds` on one cluster. A failure leaves the folders of the nodes and says where they are. */
export async function runKillRounds(
  rounds: readonly KillRound[],
  seed: number,
  nodes: number,
  cometbft: string | null,
): Promise<KillReport> {
  const cluster = await startCluster({ nodes, module: await buildLedger(), cometbft })
  const startedAt = performance.now()
  const clients = await Promise.all([0, 1].map(() => openClient(cluster.localnet, { maximumBatch: 1 })))
  let current = 0
  try {
    const load = new EndlessLoad(clients, seed)
    let slowestRecovery = 0
    await load.until(callsPerRound)
    for (const round of rounds) {
      slowestRecovery = Math.max(slowestRecovery, await runRound(cluster, load, round))
      current++
    }
    await load.stop()
    const exits = cluster.exits.length
    const height = await checkEnd(cluster, clients[0] as LedgerCluster, load)
    await cluster.remove()
    const seconds = (performance.now() - startedAt) / 1000
    return { certified: load.certified.length, height, exits, seconds, slowestRecovery }
  } catch (error) {
    console.log(`seed ${seed}: round ${current} failed: ${JSON.stringify(rounds[current] ?? 'the end')}`)
    console.log(`the nodes' folders are in ${cluster.folder}`)
    await cluster.stop()
    throw error
  } finally {
    for (const client of clients) client.close()
  }
}

export function killReportLine(seed: number, rounds: number, report: KillReport): string {
  const { certified, height, exits, seconds, slowestRecovery } = report
  return (
    `${rounds} rounds of seed ${seed}: ${certified} calls certified by block ${height}, ${exits} exits, slowest ` +
    `recovery ${(slowestRecovery / 1000).toFixed(1)} s, ${(seconds / rounds).toFixed(1)} s a round`
  )
}

async function main([seedText, roundsText, nodesText]: readonly string[]): Promise<void> {
  const [seed, rounds, nodes] = [Number(seedText), Number(roundsText ?? 10), Number(nodesText ?? 4)]
  const found = await findCometbft()
  if (!Number.isInteger(seed) || !(rounds > 0) || !(nodes >= 4) || 'skip' in found)
    throw new Error(`usage: killRounds.js SEED [ROUNDS] [NODES] ${'skip' in found ? found.skip : ''}`)
  const report = await runKillRounds(drawRounds(seed, rounds, nodes), seed, nodes, found.path)
  console.log(killReportLine(seed, rounds, report))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
