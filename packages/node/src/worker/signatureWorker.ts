/** Worker that recovers the signers of arriving envelopes and makes their ids, so that the event loop never does. */
import { parentPort, workerData } from 'node:worker_threads'
import { concatBytes } from '@onus/protocol/bytes'
import type { ClusterDomain } from '@onus/protocol/chainId'
import { assert, OnusError } from '@onus/protocol/errors'
import { addressLength } from '@onus/protocol/signature'
import { decodeEnvelope, envelopeKind } from '@onus/protocol/transaction'
import { createHashing } from '../hashing.js'
import { serveWorker } from './channel.js'
import { type EnvelopeBatch, type SignedBatch, unpackEnvelopes } from './envelopeBatch.js'
import { yieldToEventLoop } from './priority.js'
import { type RecoveredEnvelope, recoverEnvelope } from './recoverSigner.js'

export interface SignatureWorkerData {
  readonly domain: ClusterDomain
}

export interface SignatureMethods {
  recover(batch: EnvelopeBatch): SignedBatch
}

assert(parentPort !== null, 'this file runs as a worker')
yieldToEventLoop(2)
const { domain } = workerData as SignatureWorkerData
const hashing = createHashing()

/** null where the envelope is malformed or its signature is of no key. */
function recoverOne(bytes: Uint8Array): RecoveredEnvelope | null {
  try {
    const envelope = decodeEnvelope(bytes)
    const recovered = recoverEnvelope(hashing, domain, envelope)
    const first = envelope.transactions[0]
    // An opening names its owner, so a wrong signature shows at once; calls are compared with their session later.
    const isOpening = envelope.kind === envelopeKind.accountOpening || envelope.kind === envelopeKind.typedOpening
    if (recovered !== null && isOpening && first?.type === 'opening')
      return Buffer.compare(first.owner, recovered.signer) === 0 ? recovered : null
    return recovered
  } catch (error) {
    if (error instanceof OnusError) return null
    throw error
  }
}

function recover(batch: EnvelopeBatch): SignedBatch {
  const count = batch.ends.length
  const signers = new Uint8Array(count * addressLength)
  const valid = new Uint8Array(count)
  const ids: Uint8Array[] = []
  for (const [index, bytes] of unpackEnvelopes(batch).entries()) {
    const recovered = recoverOne(bytes)
    if (recovered === null) continue
    valid[index] = 1
    signers.set(recovered.signer, index * addressLength)
    ids.push(...recovered.ids)
  }
  return { ...batch, signers, valid, ids: concatBytes(...ids) }
}

serveWorker<SignatureMethods>(parentPort, { recover })
