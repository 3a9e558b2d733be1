/**
 * The rounds of one medium: each starts both clusters fresh, one after the other, and every second round begins with the
 * rival, so that a drift of the machine falls on both alike.
 */

import { type KvstoreRound, runKvstoreRound } from '../kvstore/kvstoreRound.js'
import { type OnusRound, type RoundLengths, runOnusRound } from '../onus/onusRound.js'
import type { Programs } from '../programs.js'
import { type Medium, withFolder } from '../system/media.js'
import type { Progress } from '../system/progress.js'
import type { ClusterOptions } from './options.js'

/** Before each window, for the compiler of V8 and for queues to fill. */
const warmSeconds = 2

export interface Round {
  readonly onus: OnusRound
  readonly kvstore: KvstoreRound
}

export function lengthsOf({ seconds }: ClusterOptions): RoundLengths {
  return { warmSeconds, seconds, idleCalls: Math.max(20, 8 * seconds) }
}

export async function runRound(
  options: ClusterOptions,
  medium: Medium,
  programs: Programs,
  number: number,
  progress: Progress,
): Promise<Round> {
  const lengths = lengthsOf(options)
  const say = (what: string): void => progress.update(`${medium}, round ${number} of ${options.rounds}: ${what}`)
  return withFolder(medium, async (folder) => {
    const plan = { folder, nodes: options.nodes, ...programs }
    const runOnus = (): Promise<OnusRound> => runOnusRound(plan, lengths, say)
    const runKvstore = (): Promise<KvstoreRound> => runKvstoreRound({ ...plan, ...lengths }, say)
    if (number % 2 === 1) {
      const onus = await runOnus()
      return { onus, kvstore: await runKvstore() }
    }
    const kvstore = await runKvstore()
    return { kvstore, onus: await runOnus() }
  })
}
