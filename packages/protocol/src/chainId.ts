/**
 * Names of a cluster (`spec/consensus.md` 1): the 32-byte cluster id and the chain id that every vote signs, `onus-`,
 * 20 hexadecimal digits of the cluster id, `-`, epoch. An id whose first 5 bytes are zero is local: it stands for no
 * contract, and only such a chain may be run by the embedded engine.
 */
import { toHex } from './bytes.js'
import { assert, OnusError } from './errors.js'

export const clusterIdLength = 32
export const localPrefixLength = 5

/** Names the cluster in every digest, so that nothing signed for one can be used in another. */
export interface ClusterDomain {
  readonly clusterId: Uint8Array
  readonly epoch: number
  /** Chain of the registry contract, for wallets (EIP-712 domain). */
  readonly ethereumChainId: number
}

export function isLocalClusterId(clusterId: Uint8Array): boolean {
  return clusterId.subarray(0, localPrefixLength).every((byte) => byte === 0)
}

export function chainIdOf(clusterId: Uint8Array, epoch: number): string {
  assert(clusterId.length === clusterIdLength, 'a cluster id has 32 bytes')
  return `onus-${toHex(clusterId.subarray(0, 10))}-${epoch}`
}

const chainIdForm = /^onus-([0-9a-f]{20})-([1-9][0-9]{0,9})$/

/** Whether a chain id is one that only local clusters have. Rejects `chain-id` on another form. */
export function isLocalChainId(chainId: string): boolean {
  const match = chainIdForm.exec(chainId)
  if (match === null)
    throw new OnusError(
      'chain-id',
      `expected onus-<20 hex digits>-<epoch>, got ${JSON.stringify(chainId.slice(0, 60))}`,
    )
  return (match[1] as string).startsWith('0'.repeat(2 * localPrefixLength))
}
