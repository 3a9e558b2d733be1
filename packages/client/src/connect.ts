/** Connects to a cluster whose genesis the caller pins (`spec/client.md` 1). */

import { nobleHasher } from '@onus/protocol/hash'
import type { Interface } from '@onus/protocol/interface/description'
import { nobleCurve } from '@onus/protocol/signature'
import { askUntil, errorOfFailure, nodesInOrder } from './askNode.js'
import { CallQueue } from './callQueue.js'
import { CallStreams } from './callStreams.js'
import { waitingTime } from './carryEnvelope.js'
import { CertificateStore } from './certificateStore.js'
import { type Cluster, ConnectedCluster } from './cluster.js'
import { createEvidenceLog, type EvidenceLog, keepEvidence } from './evidence.js'
import { Lifetime } from './lifetime.js'
import { newestCertificate } from './moment.js'
import type { Network } from './network.js'
import { createPool } from './nodePool.js'
import { importedSession } from './session.js'
import { type ConnectOptions, settingsOf } from './settings.js'
import { trustedCluster } from './trust.js'
import { accountOf } from './wallet.js'

/** Two certified blocks of one height: both certificates, each enough with the other to convict the signers of both. */
function keepFork(evidence: EvidenceLog, first: Uint8Array, second: Uint8Array): void {
  for (const bytes of [first, second])
    keepEvidence(evidence, {
      node: 'cluster',
      request: 'certificate',
      body: null,
      code: 'forked',
      what: 'two certified blocks of one height',
      bytes,
      at: Date.now(),
    })
}

/**
 * A client of the cluster, once one node showed its newest certificate (or f+1 say that there is none yet). Asks no
 * wallet: a session is opened by the first call. Rejects `cluster-id` and the codes of `decodeGenesis`, `node-url`,
 * `option-range`, `account-key`, `session-form`, `no-node`.
 */
export async function connect<const I extends Interface>(options: ConnectOptions<I>): Promise<Cluster<I>> {
  const trust = trustedCluster(options.genesis, options.hasher ?? nobleHasher, options.curve ?? nobleCurve)
  const evidence = createEvidenceLog()
  const settings = settingsOf(options, trust.genesis)
  const lifetime = new Lifetime()
  const network: Network = {
    trust,
    settings,
    streams: new CallStreams(settings.webSocket, waitingTime(settings.timeouts.request), lifetime),
    pool: createPool(options.nodes),
    evidence,
    certificates: new CertificateStore(trust, (first, second) => keepFork(evidence, first, second)),
    lifetime,
    hint: null,
    readHeight: 0,
  }
  const imported = options.session === undefined ? null : importedSession(options.session)
  const queue = new CallQueue(network, accountOf(options.account), imported)
  const cluster = new ConnectedCluster(options.interface, network, queue)
  const question = newestCertificate(network)
  const found = await askUntil(network, nodesInOrder(network, null), question)
  if (found.kind === 'answer' || (found.kind === 'refused' && found.code === 'unknown-block')) return cluster
  cluster.close()
  throw errorOfFailure(question.request, found)
}
