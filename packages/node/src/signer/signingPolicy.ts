/**
 * Which blocks this node's key may sign (S1, `spec/consensus.md` 7): those whose result it has executed itself and found
 * equal. Stock CometBFT asks for a precommit on any polka, and in later rounds for a prevote on its locked block, without
 * asking the application again, so the answer of `processProposal` alone keeps no signature back.
 *
 * A fresh proposal (no proof-of-lock round) is signed before the application hears the block's hash: CometBFT makes the
 * block from the answer to PrepareProposal, asks for the signature (consensus/state.go, defaultDecideProposal), and only
 * then runs ProcessProposal on it. The hash covers commit signatures that PrepareProposal does not tell, so it cannot be
 * computed either. The rule for it is therefore: the node answered PrepareProposal at that height. A proposal with a
 * proof-of-lock round offers a block that other members prevoted, perhaps against this node, and needs `allows`.
 */
import { toHex } from '@onus/protocol/bytes'

export interface SigningPolicy {
  /** Whether the node executed the block with `blockHash` (32 bytes) at `height` itself, with the result it claims. */
  allows(height: number, blockHash: Uint8Array): boolean
  /** Whether the node itself composed a block for `height`. */
  composed(height: number): boolean
}

/** The policy of a node as a record that its application keeps: what it executed, what it composed. */
export class ExecutedBlocks implements SigningPolicy {
  readonly #executed = new Map<number, Set<string>>()
  readonly #composed = new Set<number>()

  /** The block was executed here and its claimed result is right. */
  allow(height: number, blockHash: Uint8Array): void {
    const hashes = this.#executed.get(height) ?? new Set<string>()
    hashes.add(toHex(blockHash))
    this.#executed.set(height, hashes)
  }

  /** PrepareProposal was answered for `height`. */
  compose(height: number): void {
    this.#composed.add(height)
  }

  /** Nothing below `height` will be signed any more. */
  forgetBelow(height: number): void {
    for (const known of this.#executed.keys()) if (known < height) this.#executed.delete(known)
    for (const known of this.#composed) if (known < height) this.#composed.delete(known)
  }

  allows(height: number, blockHash: Uint8Array): boolean {
    return this.#executed.get(height)?.has(toHex(blockHash)) ?? false
  }

  composed(height: number): boolean {
    return this.#composed.has(height)
  }
}
