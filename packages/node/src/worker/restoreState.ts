/**
 * Sessions and position of the decided state from the store, checked against the last manifest, so that a node never
 * goes on from sessions that it did not agree to. The machine's part is `openMachine`.
 */
import { equalBytes } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { decodeManifest } from '@onus/protocol/manifest'
import type { ClusterState } from '@onus/state-transition/clusterState'
import type { Store, StoredPosition } from '../store/store.js'

/** Brings `state`, as it is at genesis, to the stored position; null where there is none. Rejects `store-corrupt`. */
export function restoreState(state: ClusterState, store: Store): StoredPosition | null {
  const { position } = store
  if (position === null) return null
  state.position = position.chain
  state.sessions.apply([...store.sessions()])
  if (position.chain.range.size > 0) checkLastManifest(state, store)
  return position
}

function checkLastManifest(state: ClusterState, store: Store): void {
  const { genesis, position, sessions } = state
  const block = store.block(position.height)
  const manifest = block === null ? null : decodeManifest(block.manifest)
  const isOfCluster =
    manifest !== null && equalBytes(manifest.clusterId, genesis.clusterId) && manifest.epoch === genesis.epoch
  if (isOfCluster && equalBytes(manifest.sessionRoot, sessions.root())) return
  throw new OnusError(
    'store-corrupt',
    isOfCluster
      ? `the stored sessions at height ${position.height} do not have the root of their manifest`
      : `the store holds no manifest of this cluster and epoch at height ${position.height}`,
    { remedy: "delete the node's store folder and let the node replay the chain" },
  )
}
