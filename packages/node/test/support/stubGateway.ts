/** A gateway over a scripted backend and blocks made here, listening on a port of its own. */
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { BlockArchive } from '@onus/node/blockArchive'
import { createGateway } from '@onus/node/gateway/gateway'
import { GatewayMetrics } from '@onus/node/gateway/gatewayMetrics'
import type { GatewayBackend, GatewayParts } from '@onus/node/gateway/gatewayParts'
import { entryOfTransaction } from '@onus/node/gateway/placedCall'
import { RateLimits } from '@onus/node/gateway/rateLimits'
import { defaultSettings, type GatewaySettings } from '@onus/node/gateway/settings'
import { encodeReceiptList } from '@onus/node/store/receiptList'
import { Store, type StoredBlock } from '@onus/node/store/store'
import { encodeBlockData } from '@onus/protocol/blockData'
import { utf8Bytes } from '@onus/protocol/bytes'
import { encodeCall, encodeOutput } from '@onus/protocol/interface/call'
import { type Receipt, receiptStatus } from '@onus/protocol/receipt'
import { decodeEnvelope, envelopeKind, transactionIds } from '@onus/protocol/transaction'
import { receiptLeaves } from '@onus/state-transition/receiptsTree'
import { counter } from './eventGuest.js'
import { withFolder } from './seeded.js'
import { callWith, hashing, send, testCluster } from './testNode.js'

export const cluster: ReturnType<typeof testCluster> = testCluster()

export interface StubGateway {
  readonly url: string
  readonly port: number
  readonly archive: BlockArchive
  readonly metrics: GatewayMetrics
  readonly bugs: Error[]
  /** Newest decided height. */
  height: number
  /** A block at the next height, certified. */
  add(block: StoredBlock): Promise<void>
  close(): Promise<void>
}

/** Bytes in place of a certificate: the gateway does not look into it. */
export const certificateAt = (height: number): Uint8Array => utf8Bytes(`certificate of ${height}`)

/** A block of `count` calls of `add`, each with one event. */
export function blockOf(count: number): StoredBlock {
  const calls = Array.from({ length: count }, (_, index) =>
    callWith(0, index, { argument: new Uint8Array(encodeCall(counter, 'add', [index])) }),
  )
  const { bytes } = send(cluster, envelopeKind.accountCalls, 'ann', calls)
  const ids = transactionIds(hashing, cluster.genesis, decodeEnvelope(bytes))
  const receipts = ids.map((transactionId, index): Receipt => {
    const value = { amount: index, total: BigInt(index) }
    const output = encodeOutput(counter, 'add', BigInt(index), [{ name: 'added', value }])
    return { transactionId, status: receiptStatus.executed, rejection: 0, gasUsed: 1, output: new Uint8Array(output) }
  })
  const { clusterId, epoch } = cluster.genesis
  const begin = {
    clusterId,
    epoch,
    height: 1,
    time: { seconds: 1, nanoseconds: 0 },
    previousManifest: new Uint8Array(32),
  }
  return {
    manifest: new Uint8Array(1024),
    blockData: encodeBlockData({ begin, envelopes: [bytes] }),
    ...encodeReceiptList(receipts),
    leaves: receiptLeaves(hashing, receipts),
    itemCount: 2,
    sealProof: [],
  }
}

const unasked = (): Promise<never> => assert.fail('not asked in this test')

export const quietBackend: GatewayBackend = {
  genesis: new Uint8Array(1),
  description: utf8Bytes('{}'),
  maximumEnvelopeBytes: 100_000,
  submit: unasked,
  carry: unasked,
  receipt: unasked,
  certificate: unasked,
  query: unasked,
  session: unasked,
  freeSession: unasked,
  status: () => ({}),
}

type Changes = Partial<Omit<GatewaySettings, 'events'>> & { readonly events?: Partial<GatewaySettings['events']> }

export async function withGateway(
  changes: Changes,
  backend: Partial<GatewayBackend>,
  action: (gateway: StubGateway) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const store = new Store(join(folder, 'store'))
    const settings = { ...defaultSettings, ...changes, events: { ...defaultSettings.events, ...changes.events } }
    const archive = new BlockArchive(hashing, store)
    const limits = new RateLimits(settings.rates)
    const metrics = new GatewayMetrics(limits)
    const bugs: Error[] = []
    const parts: GatewayParts = {
      backend: { ...quietBackend, ...backend },
      hasher: hashing,
      description: counter,
      members: [],
      settings,
      limits,
      metrics,
      blocks: {
        height: () => gateway.height,
        certifiedHeight: () => archive.newestCertified,
        block: (at) => archive.block(at),
        certificate: (at) => archive.certificate(at),
        receiptProof: (at, index) => archive.receiptProof(at, index),
        onCertified: (listener) => archive.onCertified(listener),
        detail: () => null,
        entryAt: (at, index) => {
          const block = archive.block(at)
          return block === null ? null : entryOfTransaction(counter, block.blockData, index)
        },
      },
      manifestHashAt: async () => null,
      node: { measures: unasked as never, readiness: () => [] },
      backlogDelay: () => 7_500,
      onBug: (error) => bugs.push(error),
      onRequest: null,
    }
    const server = createGateway(parts)
    await server.listen({ host: '127.0.0.1', port: 0 })
    const { port } = server.server.address() as AddressInfo
    const gateway: StubGateway = {
      url: `http://127.0.0.1:${port}`,
      port,
      archive,
      metrics,
      bugs,
      height: 0,
      async add(block) {
        gateway.height += 1
        archive.add(gateway.height, block)
        await archive.certify(gateway.height, certificateAt(gateway.height))
      },
      close: () => server.close(),
    }
    try {
      await action(gateway)
      assert.deepEqual(bugs, [])
    } finally {
      await server.close()
      await store.close()
    }
  })
}
