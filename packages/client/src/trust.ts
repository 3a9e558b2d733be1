/**
 * What a client believes before it asks anyone: the genesis that its user pinned (`spec/client.md` 1). Everything else
 * is checked against it.
 */
import type { TrustedMembers } from '@onus/protocol/certificate'
import type { ClusterDomain } from '@onus/protocol/chainId'
import { checkLocalClusterId, decodeGenesis, domainOfGenesis, type Genesis } from '@onus/protocol/genesis'
import type { Hasher } from '@onus/protocol/hash'
import type { BlockMoment } from '@onus/protocol/session'
import type { Curve } from '@onus/protocol/signature'
import { millisecondsOfTimestamp } from '@onus/protocol/timestamp'

export interface TrustedCluster {
  readonly genesis: Genesis
  readonly members: TrustedMembers
  readonly domain: ClusterDomain
  readonly hasher: Hasher
  readonly curve: Curve
  /** f + 1, where f = floor((members - 1) / 3) may be faulty: of so many nodes one is honest. */
  readonly oneHonest: number
}

/** Rejects what `decodeGenesis` rejects, and `cluster-id` where a local cluster's id does not commit to the genesis. */
export function trustedCluster(genesis: Uint8Array | Genesis, hasher: Hasher, curve: Curve): TrustedCluster {
  const pinned = genesis instanceof Uint8Array ? decodeGenesis(genesis) : genesis
  checkLocalClusterId(hasher, pinned)
  const { clusterId, epoch, membershipVersion, validators } = pinned
  return {
    genesis: pinned,
    members: { clusterId, epoch, membershipVersion, validators },
    domain: domainOfGenesis(pinned),
    hasher,
    curve,
    oneHonest: Math.floor((validators.validators.length - 1) / 3) + 1,
  }
}

/** The moment before the first block. */
export function genesisMoment(genesis: Genesis): BlockMoment {
  return { height: genesis.initialHeight - 1, milliseconds: millisecondsOfTimestamp(genesis.time) }
}
