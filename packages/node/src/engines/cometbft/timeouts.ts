/**
 * CometBFT's consensus timeouts for a cluster of n members (`consensus.md`: 300 ms for four on one machine, where a
 * block costs 20 ms). More members cost more signatures and, on one machine, more CPU, so they scale with n. The
 * proposal timeout bounds execution: twice the longest block must fit in half of it (S10).
 */
export interface Timeouts {
  /** All in milliseconds. Each delta is added per round. */
  readonly propose: number
  readonly proposeDelta: number
  readonly prevote: number
  readonly prevoteDelta: number
  readonly precommit: number
  readonly precommitDelta: number
}

/** `scale` 1 is for nodes of one machine or rack; wide-area clusters take more. */
export function timeoutsFor(members: number, scale: number): Timeouts {
  const of = (perMember: number, least: number): number => Math.ceil(Math.max(least, perMember * members) * scale)
  return {
    propose: of(75, 300),
    proposeDelta: of(50, 200),
    prevote: of(25, 100),
    prevoteDelta: of(25, 100),
    precommit: of(25, 100),
    precommitDelta: of(25, 100),
  }
}
