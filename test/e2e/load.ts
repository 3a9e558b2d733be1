/** Typed load: calls through the client, each with the result that it had to have, and a record of what was certified. */
import type { Cluster } from '@onus/client/cluster'
import { connect } from '@onus/client/connect'
import type { ConnectOptions } from '@onus/client/settings'
import type { Localnet } from '@onus/node/dev/localnet'
import { createHashing } from '@onus/node/hashing'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { ledger } from './backend/ledger.interface.js'
import type { Load } from './network.js'
import { integerBelow, randomFrom } from './random.js'

export type LedgerCluster = Cluster<typeof ledger>

/** A client of the cluster with the native curve and hash functions; `urls` are all gateways unless given. */
export function openClient(
  localnet: Pick<Localnet, 'genesisBytes' | 'gatewayUrls'>,
  options: Partial<ConnectOptions<typeof ledger>> = {},
): Promise<LedgerCluster> {
  return connect({
    genesis: localnet.genesisBytes,
    nodes: localnet.gatewayUrls,
    interface: ledger,
    hasher: createHashing(),
    curve: nativeCurve,
    timeouts: { call: 60_000, request: 5_000 },
    ...options,
  })
}

/** A call whose receipt the client verified. */
export interface CertifiedCall {
  /** 64 hexadecimal digits. */
  readonly id: string
  /** What it added to the counter; 0 of a transfer. */
  readonly added: number
  readonly value: number
  readonly height: number
}

export interface LoadResult {
  readonly certified: readonly CertifiedCall[]
  readonly failures: readonly unknown[]
  /** Milliseconds from issue to verified result. */
  readonly latencies: readonly number[]
  readonly seconds: number
}

/** Runs `load` on `clients` in turn; `onCertified` hears of each certified call how many there are. */
export async function runLoad(
  clients: readonly LedgerCluster[],
  load: Load,
  seed: number,
  onCertified: (count: number) => void,
): Promise<LoadResult> {
  const random = randomFrom(seed)
  const certified: CertifiedCall[] = []
  const failures: unknown[] = []
  const latencies: number[] = []
  const startedAt = performance.now()
  let issued = 0
  const callOnce = async (client: LedgerCluster): Promise<void> => {
    const amount = 1 + integerBelow(random, 9)
    const isTransfer = random() < 0.3
    const sent = isTransfer
      ? client.send.transfer(integerBelow(random, 256), integerBelow(random, 256), amount)
      : client.send.add(amount)
    const { value, report } = await sent.until('certified')
    const added = isTransfer ? 0 : amount
    certified.push({ id: report.transactionId, added, value, height: report.height })
    latencies.push(report.latency.total)
    onCertified(certified.length)
  }
  const worker = async (client: LedgerCluster): Promise<void> => {
    // One failure fails the test: what would only fail later as well is not waited for.
    while (issued < load.calls && failures.length === 0) {
      issued += 1
      await callOnce(client).catch((error: unknown) => failures.push(error))
    }
  }
  const workers = Array.from({ length: load.concurrency }, (_, index) =>
    worker(clients[index % clients.length] as LedgerCluster),
  )
  await Promise.all(workers)
  return { certified, failures, latencies, seconds: (performance.now() - startedAt) / 1000 }
}
