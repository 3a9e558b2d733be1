/**
 * Executes the data of a block as a validator does: everything in it is untrusted, and a rule that it breaks makes the
 * block invalid (a typed error, the state unchanged). Signers come from the caller, who recovers them in workers.
 */

import { type DecodedBlockData, decodeBlockData } from '@onus/protocol/blockData'
import { equalBytes, toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { nanosecondsOfTimestamp, type Timestamp } from '@onus/protocol/timestamp'
import { BlockExecution, type BlockOutcome, envelopesOf } from './blockExecution.js'
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
): BlockOutcome {
  if (bytes.length > state.genesis.limits.blockBytes)
    throw new OnusError('block-limits', `block data has ${bytes.length} bytes of ${state.genesis.limits.blockBytes}`)
  const data = decodeBlockData(bytes)
  checkBegin(state, data, height, time)
  const signed = envelopesOf(data.transactions, data.envelopes).map(({ bytes: envelopeBytes, envelope }, index) => {
    const signer = recoverSigner(envelopeBytes)
    if (signer === null) throw new OnusError('block-signature', `envelope ${index} has no valid signature`)
    return { bytes: envelopeBytes, envelope, signer }
  })
  const execution = new BlockExecution(state, data.begin)
  for (const [index, envelope] of signed.entries()) {
    const passed = execution.execute(envelope)
    if (passed !== null) {
      execution.revert()
      throw new OnusError('block-limits', `envelope ${index} passes the block's limit of ${passed}`)
    }
  }
  return execution.finish()
}
