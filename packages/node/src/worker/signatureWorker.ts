/** Worker that recovers the signers of arriving envelopes, so that the event loop never does. */
import { parentPort, workerData } from 'node:worker_threads'
import type { ClusterDomain } from '@onus/protocol/chainId'
import { assert, OnusError } from '@onus/protocol/errors'
import { decodeEnvelope, envelopeKind } from '@onus/protocol/transaction'
import { createHashing } from '../hashing.js'
import { serveWorker } from './channel.js'
import { recoverEnvelopeSigner } from './recoverSigner.js'

export interface SignatureWorkerData {
  readonly domain: ClusterDomain
}

/** Address of each signer, in order; null where the envelope is malformed or its signature is of no key. */
export interface SignatureMethods {
  recover(envelopes: readonly Uint8Array[]): (Uint8Array | null)[]
}

assert(parentPort !== null, 'this file runs as a worker')
const { domain } = workerData as SignatureWorkerData
const hashing = createHashing()

function recover(bytes: Uint8Array): Uint8Array | null {
  try {
    const envelope = decodeEnvelope(bytes)
    const first = envelope.transactions[0]
    const signer = recoverEnvelopeSigner(hashing, domain, envelope)
    // An opening names its owner, so a wrong signature shows at once; calls are compared with their session later.
    if (signer === null || first === undefined) return null
    const isOpening = envelope.kind === envelopeKind.accountOpening || envelope.kind === envelopeKind.typedOpening
    if (isOpening && first.type === 'opening' && Buffer.compare(first.owner, signer) !== 0) return null
    return signer
  } catch (error) {
    if (error instanceof OnusError) return null
    throw error
  }
}

serveWorker<SignatureMethods>(parentPort, { recover: (envelopes) => envelopes.map(recover) })
