/** Where the powers of a node's cluster stand when the node starts: beside the position in its store. */
import { OnusError } from '@onus/protocol/errors'
import type { Genesis } from '@onus/protocol/genesis'
import type { StoredPosition } from '../store/store.js'
import { initialPowers, type PowerState } from './powerPolicy.js'
import { decodePowerState } from './powerState.js'

/**
 * Null where no member of the cluster may be lowered. Rejects `powers-form`, also for a store that another engine wrote:
 * a guess would give other updates than the rest of the cluster.
 */
export function openPowers(
  { initialHeight, validators }: Genesis,
  { height, powers }: Pick<StoredPosition, 'height' | 'powers'>,
): PowerState | null {
  const initial = initialPowers(validators, initialHeight)
  if (initial === null || height < initialHeight) return initial
  try {
    return decodePowerState(powers, height, validators.validators.length)
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new OnusError('powers-form', `the store does not tell the powers at height ${height}: ${what}`, {
      remedy: "delete the node's store folder and let the node replay the chain",
      cause,
    })
  }
}
