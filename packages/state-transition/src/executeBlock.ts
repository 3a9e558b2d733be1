/**
 * Executes the data of a block as a validator does: everything in it is untrusted, and a rule that it breaks makes the
 * block invalid (a typed error, the state unchanged). Signers come from the caller, who recovers them in workers.
 */

import { type DecodedBlockData, decodeBlockData } from '@onus/protocol/blockData'
import { equalBytes, toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { nanosecondsOfTimestamp, type Timestamp } from '@onus/protocol/timestamp'
import { decodeEnvelope, type Envelope } from '@onus/protocol/transaction'
import { BlockExecution, type BlockOutcome, type SignedEnvelope } from './blockExecution.js'
import type { ClusterState } from './clusterState.js'

/** Address (20 bytes) that an envelope's signature recovers to, or null if to none. */
export type RecoverSigner = (bytes: Uint8Array) => Uint8Array | null

function checkBegin(state: ClusterState, data: DecodedBlockData, height: number, time: Timestamp): void {
  const { begin } = data
  const { genesis, position } = state
  if (!equalBytes(begin.clusterId, genesis.clusterId) || begin.epoch !== genesis.epoch)
    throw new OnusError('block-begin', 'the block data is of another cluster or epoch')
  if (begin.height !== height || nanosecondsOfTimestamp(begin.time) !== nanosecondsOfTimestamp(time))
    throw new OnusError('block-begin', `the block data says height ${begin.height} in block ${height}`)
  if (!equalBytes(begin.previousManifest, position.manifestHash))
    throw new OnusError('block-begin', `the block does not follow manifest ${toHex(position.manifestHash)}`)
}

/** An envelope of the same bytes whose signer was recovered before. */
export type FindEnvelope = (bytes: Uint8Array) => SignedEnvelope | undefined

/** Its envelopes with their signers: those known already, and the others recovered. */
function signedEnvelopes(
  data: DecodedBlockData,
  known: readonly (SignedEnvelope | undefined)[],
  recoverSigner: RecoverSigner,
): SignedEnvelope[] {
  return data.envelopes.map((bytes, index) => {
    const found = known[index]
    if (found !== undefined) return found
    const signer = recoverSigner(bytes)
    if (signer === null) throw new OnusError('block-signature', `envelope ${index} has no valid signature`)
    return { bytes, envelope: data.decoded[index] as Envelope, signer }
  })
}

/**
 * The outcome of block data at a height and time. Rejects `block-begin`, `block-limits`, `block-signature` and what
 * `decodeBlockData` rejects.
 */
export function executeBlock(
  state: ClusterState,
  bytes: Uint8Array,
  height: number,
  time: Timestamp,
  recoverSigner: RecoverSigner,
  find: FindEnvelope = () => undefined,
): BlockOutcome {
  if (bytes.length > state.genesis.limits.blockBytes)
    throw new OnusError('block-limits', `block data has ${bytes.length} bytes of ${state.genesis.limits.blockBytes}`)
  const known: (SignedEnvelope | undefined)[] = []
  const data = decodeBlockData(bytes, (envelope) => {
    const found = find(envelope)
    known.push(found)
    return found?.envelope ?? decodeEnvelope(envelope)
  })
  checkBegin(state, data, height, time)
  const signed = signedEnvelopes(data, known, recoverSigner)
  const execution = new BlockExecution(state, data.begin)
  for (const [index, envelope] of signed.entries()) {
    const passed = execution.execute(envelope)
    if (passed !== null) {
      execution.revert()
      throw new OnusError('block-limits', `envelope ${index} passes the block's limit of ${passed}`)
    }
  }
  return execution.finish(bytes)
}
