/**
 * A node's gateway with its limits and metrics: gives the HTTP front what it reads of the node beside the backend that
 * takes envelopes. Decides nothing of what is signed or executed.
 */
import type { Hasher } from '@onus/protocol/hash'
import type { Interface } from '@onus/protocol/interface/description'
import { manifestHash } from '@onus/protocol/manifest'
import type { FastifyInstance } from 'fastify'
import type { BlockArchive } from './blockArchive.js'
import { takeWithin } from './gateway/callLimit.js'
import { createGateway } from './gateway/gateway.js'
import { GatewayMetrics, type NodeMeasures } from './gateway/gatewayMetrics.js'
import type { GatewayBackend, GatewayParts } from './gateway/gatewayParts.js'
import { type ReadinessView, readinessOf } from './gateway/health.js'
import { entryOfTransaction } from './gateway/placedCall.js'
import { RateLimits } from './gateway/rateLimits.js'
import type { GatewaySettings, LogSettings } from './gateway/settings.js'
import { Throughput } from './gateway/throughput.js'
import type { Log } from './log.js'

export interface NodeGatewayOptions {
  readonly settings: GatewaySettings
  readonly log: Log
  readonly logSettings: LogSettings
  readonly hasher: Hasher
  readonly description: Interface
  /** Addresses (20 bytes) in the order of the genesis. */
  readonly members: readonly Uint8Array[]
  readonly archive: BlockArchive
  /** Newest decided height. */
  readonly height: () => number
  /** Resolves at the next decided block, or after `timeout` milliseconds. */
  readonly nextDecision: (timeout: number) => Promise<void>
  readonly measures: () => Omit<NodeMeasures, 'certifiedTransactions'>
  readonly readiness: () => Omit<ReadinessView, 'members' | 'contentHeight'>
}

/** This thread may hear of a block after the replica that answered. */
const replicaLead = 50
const leadAttempts = 20

export class NodeGateway {
  readonly #options: NodeGatewayOptions
  readonly #limits: RateLimits
  readonly #metrics: GatewayMetrics
  readonly #throughput: Throughput = new Throughput()
  #manifest: { readonly height: number; readonly hash: Uint8Array } | null = null

  constructor(options: NodeGatewayOptions) {
    this.#options = options
    this.#limits = new RateLimits(options.settings.rates)
    this.#metrics = new GatewayMetrics(this.#limits)
    options.archive.onCertified((transactions) => this.#throughput.count(transactions, performance.now()))
  }

  /** Takes an envelope that was decoded, within the rate of its session. Rejects `rate-limited`, and as `take` does. */
  takeEnvelope(bytes: Uint8Array, take: (bytes: Uint8Array) => Promise<boolean>): Promise<boolean> {
    return takeWithin(this.#limits, bytes, take)
  }

  /** The gateway over `backend`; it does not listen yet. */
  create(backend: GatewayBackend): FastifyInstance {
    const { settings, log, logSettings, hasher, description, members } = this.#options
    return createGateway({
      backend,
      hasher,
      description,
      members,
      settings,
      limits: this.#limits,
      metrics: this.#metrics,
      blocks: this.#blocks(),
      manifestHashAt: (height) => this.#manifestHashAt(height),
      node: { measures: () => this.#measures(), readiness: () => this.#readiness() },
      backlogDelay: () => this.#backlogDelay(),
      onBug: (error) => log.error('bug in the gateway', { error: error.stack }),
      onRequest: logSettings.requests ? (line) => log.info('request', { ...line }) : null,
    })
  }

  #blocks(): GatewayParts['blocks'] {
    const { archive, height, description } = this.#options
    return {
      height,
      certifiedHeight: () => archive.newestCertified,
      block: (at) => archive.block(at),
      certificate: (at) => archive.certificate(at),
      receiptProof: (at, index) => archive.receiptProof(at, index),
      onCertified: (listener) => archive.onCertified(listener),
      detail: (at, index) => archive.detail(at, index),
      entryAt: (at, index) => {
        const block = archive.block(at)
        return block === null ? null : entryOfTransaction(description, block.blockData, index)
      },
    }
  }

  async #manifestHashAt(height: number): Promise<Uint8Array | null> {
    const { archive, hasher, nextDecision } = this.#options
    for (let attempt = 0; attempt < leadAttempts && this.#options.height() < height; attempt++)
      await nextDecision(replicaLead)
    const found = archive.contentHeight(height)
    if (found === null) return null
    if (this.#manifest?.height === found) return this.#manifest.hash
    const block = archive.block(found)
    if (block === null) return null
    const hash = manifestHash(hasher, block.manifest)
    this.#manifest = { height: found, hash }
    return hash
  }

  #measures(): NodeMeasures {
    return { ...this.#options.measures(), certifiedTransactions: this.#throughput.total }
  }

  #readiness(): ReturnType<typeof readinessOf> {
    const { archive, members, readiness, height } = this.#options
    const contentHeight = archive.contentHeight(height()) ?? 0
    return readinessOf({ ...readiness(), members: members.length, contentHeight })
  }

  #backlogDelay(): number {
    const { pool, waiting } = this.#options.measures()
    return this.#throughput.delayOf(Math.max(pool, waiting), performance.now())
  }
}
