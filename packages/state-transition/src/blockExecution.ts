/**
 * The state transition: a block's transactions on a state give receipts and a manifest (`spec/manifest.md`). Pure but
 * for the state it is given. Proposer, validators, replay and audit all run this code; nothing here reads a clock.
 */

import { type BeginBlock, blockDataLength, encodeDecodedBlock } from '@onus/protocol/blockData'
import { encodeCallInput } from '@onus/protocol/callHeader'
import type { ClusterDomain } from '@onus/protocol/chainId'
import { domainOfGenesis } from '@onus/protocol/genesis'
import { encodeManifest, type Manifest, manifestHash } from '@onus/protocol/manifest'
import { appendToRange, rangeRoot } from '@onus/protocol/merkleRange'
import type { Opening } from '@onus/protocol/opening'
import { type Receipt, type RejectionCode, receiptStatus, rejectionCode } from '@onus/protocol/receipt'
import type { BlockMoment } from '@onus/protocol/session'
import { millisecondsOfTimestamp } from '@onus/protocol/timestamp'
import type { Call, Envelope } from '@onus/protocol/transaction'
import { transactionId } from '@onus/protocol/transaction'
import { admitCall, admitOpening, sessionOfOpening } from './admission.js'
import type { ClusterState, StateChange } from './clusterState.js'
import { receiptLeaves, receiptsTree } from './receiptsTree.js'

/** An envelope with the address that its signature recovers to. */
export interface SignedEnvelope {
  readonly bytes: Uint8Array
  readonly envelope: Envelope
  /** 20 bytes. */
  readonly signer: Uint8Array
  /** Of its transactions, 32 bytes each, where they are known already. */
  readonly ids?: readonly Uint8Array[]
}

export interface BlockOutcome {
  readonly manifest: Manifest
  /** 1,024 bytes. */
  readonly encodedManifest: Uint8Array
  readonly manifestHash: Uint8Array
  readonly blockData: Uint8Array
  /** Encoded, as in the block data. */
  readonly envelopes: readonly Uint8Array[]
  readonly receipts: readonly Receipt[]
  /** Leaves of the receipts tree: n x 32 bytes. */
  readonly receiptLeaves: Uint8Array
  /** What a call said before it trapped, by index; never part of consensus. */
  readonly details: ReadonlyMap<number, string>
  /** What calls logged, by index; never part of consensus. */
  readonly logs: ReadonlyMap<number, readonly string[]>
  /** To follow from the state before, and to go back to it. */
  readonly delta: StateChange
  readonly undo: StateChange
}

/** Which limit of a block an envelope would pass. */
export type BlockLimit = 'gas' | 'bytes' | 'transactions' | 'output' | 'dirty-pages' | 'openings'

/** Calls of a block whose logs are kept: callers could fill a node's log with what costs them little. */
const maximumLoggingCalls = 16
/** A machine reads the input of a call only while it runs, so one room serves all short ones. */
const inputRoom = new Uint8Array(4096)

export class BlockExecution {
  readonly #state: ClusterState
  readonly #begin: BeginBlock
  readonly #moment: BlockMoment
  readonly #domain: ClusterDomain
  readonly #envelopes: Uint8Array[] = []
  readonly #decoded: Envelope[] = []
  readonly #receipts: Receipt[] = []
  readonly #details = new Map<number, string>()
  readonly #logs = new Map<number, readonly string[]>()
  #gasUsed = 0
  #envelopeBytes = 0
  #outputBytes = 0
  #dirtyPages = 0
  #openings = 0

  constructor(state: ClusterState, begin: BeginBlock) {
    this.#state = state
    this.#begin = begin
    this.#moment = { height: begin.height, milliseconds: millisecondsOfTimestamp(begin.time) }
    this.#domain = domainOfGenesis(state.genesis)
  }

  get transactionCount(): number {
    return this.#receipts.length
  }

  /**
   * Executes an envelope. Gives null, or the limit of the block that it passes; then the block must be reverted, for
   * what the envelope did so far is not undone alone.
   */
  execute(signed: SignedEnvelope): BlockLimit | null {
    const { limits } = this.#state.genesis
    const count = this.#receipts.length + signed.envelope.transactions.length
    if (count > limits.blockTransactions) return 'transactions'
    this.#envelopeBytes += signed.bytes.length
    if (blockDataLength(count, this.#envelopeBytes) > limits.blockBytes) return 'bytes'
    this.#envelopes.push(signed.bytes)
    this.#decoded.push(signed.envelope)
    for (const [index, transaction] of signed.envelope.transactions.entries()) {
      const body = signed.envelope.bodies[index] as Uint8Array
      const id = signed.ids?.[index] ?? transactionId(this.#state.hashing, this.#domain, transaction.type, body)
      this.#receipts.push(
        transaction.type === 'call' ? this.#call(transaction, id, signed) : this.#open(transaction, id, signed),
      )
      const passed = this.#passedLimit()
      if (passed !== null) return passed
    }
    return null
  }

  #passedLimit(): BlockLimit | null {
    const { limits } = this.#state.genesis
    if (this.#gasUsed > limits.blockGas) return 'gas'
    if (this.#outputBytes > limits.blockOutputBytes) return 'output'
    if (this.#dirtyPages > limits.blockDirtyPages) return 'dirty-pages'
    if (this.#openings > limits.blockOpenings) return 'openings'
    return null
  }

  #rejected(id: Uint8Array, rejection: RejectionCode): Receipt {
    return { transactionId: id, status: receiptStatus.rejected, rejection, gasUsed: 0, output: new Uint8Array(0) }
  }

  #call(call: Call, id: Uint8Array, signed: SignedEnvelope): Receipt {
    const { hashing, sessions, machine, genesis, position } = this.#state
    const session = sessions.get(call.session.slot)
    const rejection = admitCall(session, call, signed.envelope.kind, signed.signer, this.#moment, genesis.limits)
    if (rejection !== rejectionCode.none || session === null) return this.#rejected(id, rejection)
    const context = {
      caller: session.owner,
      session: call.session,
      counter: call.counter,
      height: this.#moment.height,
      milliseconds: this.#moment.milliseconds,
      transactionId: id,
      previousManifest: position.manifestHash,
    }
    const outcome = machine.call(encodeCallInput(hashing, context, call.argument, inputRoom), call.gasLimit)
    machine.accept()
    sessions.set(call.session.slot, { ...session, nextCounter: session.nextCounter + 1 })
    this.#gasUsed += outcome.gasUsed
    this.#outputBytes += outcome.output.length
    this.#dirtyPages = outcome.dirtyPages
    if (outcome.detail !== null) this.#details.set(this.#receipts.length, outcome.detail)
    if (outcome.logs.length > 0 && this.#logs.size < maximumLoggingCalls)
      this.#logs.set(this.#receipts.length, outcome.logs)
    return {
      transactionId: id,
      status: outcome.ok ? receiptStatus.executed : receiptStatus.trapped,
      rejection: rejectionCode.none,
      gasUsed: outcome.gasUsed,
      output: outcome.output,
    }
  }

  #open(opening: Opening, id: Uint8Array, signed: SignedEnvelope): Receipt {
    const { sessions, genesis } = this.#state
    const held = sessions.get(opening.session.slot)
    const { kind } = signed.envelope
    const rejection = admitOpening(held, opening, kind, signed.signer, this.#moment, genesis.limits, this.#state.admits)
    if (rejection !== rejectionCode.none) return this.#rejected(id, rejection)
    this.#openings += 1
    sessions.set(opening.session.slot, sessionOfOpening(opening, kind))
    return {
      transactionId: id,
      status: receiptStatus.executed,
      rejection: rejectionCode.none,
      gasUsed: 0,
      output: new Uint8Array(0),
    }
  }

  /** Undoes what was executed; this object is spent. */
  revert(): void {
    this.#state.machine.revertBlock()
    this.#state.sessions.revertBlock()
  }

  /**
   * Commits the block to the state and gives its manifest. At least one transaction was executed. `known` is the block
   * data where it was decoded from bytes.
   */
  finish(known: Uint8Array | null = null): BlockOutcome {
    const { hashing, position, genesis } = this.#state
    const machine = this.#state.machine.endBlock()
    const sessions = this.#state.sessions.endBlock()
    const content = { begin: this.#begin, envelopes: this.#envelopes }
    const blockData = known ?? encodeDecodedBlock(content, this.#decoded)
    const leaves = receiptLeaves(hashing, this.#receipts)
    const manifest: Manifest = {
      clusterId: genesis.clusterId,
      epoch: genesis.epoch,
      membershipVersion: genesis.membershipVersion,
      nextMembershipVersion: genesis.membershipVersion,
      nextMembershipHeight: 0,
      nextMembersHash: new Uint8Array(32),
      index: position.range.size,
      height: this.#begin.height,
      time: this.#begin.time,
      previousManifest: position.manifestHash,
      rangeRoot: rangeRoot(hashing, position.range),
      blockDataReference: hashing.swarmReference(blockData),
      blockDataLength: blockData.length,
      transactionCount: this.#receipts.length,
      receiptsRoot: receiptsTree(hashing, leaves).root,
      stateRoot: machine.stateRoot,
      sessionRoot: sessions.root,
      codeReference: genesis.codeReference,
      loweringVersion: genesis.loweringVersion,
      gasUsed: this.#gasUsed,
      nodeVersion: genesis.nodeVersion,
      v8Version: genesis.v8Version,
      observation: { blockNumber: 0, blockHash: new Uint8Array(32), membershipVersion: 0 },
    }
    const encodedManifest = encodeManifest(manifest)
    const hash = manifestHash(hashing, encodedManifest)
    const next = {
      height: this.#begin.height,
      manifestHash: hash,
      range: appendToRange(hashing, position.range, hash),
    }
    this.#state.position = next
    return {
      manifest,
      encodedManifest,
      manifestHash: hash,
      blockData,
      envelopes: this.#envelopes,
      receipts: this.#receipts,
      receiptLeaves: leaves,
      details: this.#details,
      logs: this.#logs,
      delta: { machine: machine.delta, sessions: sessions.changed, position: next },
      undo: { machine: machine.undo, sessions: sessions.undo, position },
    }
  }
}
