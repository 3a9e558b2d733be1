/**
 * The state between two blocks: the machine's memory and globals, the sessions, and the place in the chain of
 * manifests. Blocks are executed on it by `BlockExecution` and can be undone again.
 */
import { isAdmitted } from '@onus/protocol/admissionToken'
import type { Genesis } from '@onus/protocol/genesis'
import type { Hasher } from '@onus/protocol/hash'
import { emptyRange, type MerkleRange } from '@onus/protocol/merkleRange'
import { type Curve, nobleCurve } from '@onus/protocol/signature'
import type { AdmitsOpening } from './admission.js'
import { SessionTree, type SessionUndo } from './sessionTree.js'
import type { StateDelta, VirtualMachine } from './virtualMachine.js'

/** Functions that a party may replace by faster ones with the same results. */
export interface Hashing extends Hasher {
  /** Swarm reference, 32 bytes, of any number of bytes. */
  swarmReference(data: Uint8Array): Uint8Array
}

/** Where the chain of manifests stands. */
export interface ChainPosition {
  /** Of the last block with content; `initialHeight - 1` before the first. */
  readonly height: number
  /** Hash of the last manifest, 32 bytes. */
  readonly manifestHash: Uint8Array
  /** All manifests so far. */
  readonly range: MerkleRange
}

/** What turns one state into another: to go back (`BlockUndo`) or to follow (`BlockDelta`). */
export interface StateChange {
  readonly machine: StateDelta
  readonly sessions: SessionUndo
  readonly position: ChainPosition
}

export class ClusterState {
  readonly genesis: Genesis
  readonly hashing: Hashing
  readonly machine: VirtualMachine
  readonly sessions: SessionTree
  position: ChainPosition

  /** Whether this cluster admits an opening. */
  readonly admits: AdmitsOpening

  /**
   * The state before the first block; `machine` has run its start function. `curve` may be replaced by a faster one of
   * the same results.
   */
  constructor(genesis: Genesis, hashing: Hashing, machine: VirtualMachine, curve: Curve = nobleCurve) {
    this.genesis = genesis
    this.admits = (opening, milliseconds) => isAdmitted(hashing, curve, genesis, opening, milliseconds)
    this.hashing = hashing
    this.machine = machine
    this.sessions = new SessionTree(hashing)
    this.position = {
      height: genesis.initialHeight - 1,
      manifestHash: genesis.previousManifest,
      range: emptyRange,
    }
  }

  /** Goes to another state; gives the roots there. */
  apply(change: StateChange): { stateRoot: Uint8Array; sessionRoot: Uint8Array } {
    const { stateRoot } = this.machine.apply(change.machine)
    this.sessions.apply(change.sessions)
    this.position = change.position
    return { stateRoot, sessionRoot: this.sessions.root() }
  }
}
