/**
 * Decides one height of the embedded engine: rounds with one proposer after the other until a block has its commit. No
 * timers of consensus: a proposer that is not running costs nothing, a failed round is followed by the next after a
 * short pause. A block that more than 2/3 prevoted is proposed again, so nobody who precommitted it ever votes otherwise.
 */
import type { Commit } from '@onus/protocol/commit'
import { OnusError } from '@onus/protocol/errors'
import type { Hasher } from '@onus/protocol/hash'
import { blockRequestOf, lastCommitInfo } from '../blockRequest.js'
import type { Block } from '../records.js'
import { type ChainState, maximumDataBytes, nextBlock } from './chainState.js'
import type { Member } from './member.js'
import { isQuorum, type Proposal, runningPower, runRound, type Seat, seatsOf } from './round.js'

export interface Decision {
  readonly block: Block
  readonly commit: Commit
}

export interface MakerContext {
  readonly hasher: Hasher
  /** All members, running or not. */
  readonly members: () => readonly Member[]
  readonly stopped: () => boolean
  /** Resolves after some milliseconds, or before when a member comes or goes. */
  readonly pause: (milliseconds: number) => Promise<void>
}

/** Pause after a failed round, in milliseconds, per round so far; at most `longestPause`. */
const roundPause = 20
const longestPause = 1000
/** Tag and length of an item in the block. */
const itemFraming = 6

function checkItems(items: readonly Uint8Array[], maximumBytes: number): void {
  const bytes = items.reduce((sum, item) => sum + item.length + itemFraming, 0)
  if (bytes > maximumBytes)
    throw new OnusError('embedded-proposal', `expected items of at most ${maximumBytes} bytes, got ${bytes}`)
}

/** A fresh block of `member`, or null where its application failed. */
async function compose(context: MakerContext, state: ChainState, member: Member): Promise<Proposal | null> {
  const { hasher } = context
  const { genesis, validators } = state
  const proposerAddress = member.signer.address
  const draft = nextBlock(hasher, state, proposerAddress, []).block.header
  const maximumBytes = maximumDataBytes(genesis.maximumBlockBytes, validators.validators.length)
  const items = await member.call('prepareProposal', async (application) => {
    const given = await application.prepareProposal({
      height: draft.height,
      time: draft.time,
      proposerAddress,
      nextValidatorsHash: draft.nextValidatorsHash,
      lastCommit: lastCommitInfo(state.lastCommit, state.lastValidators?.validators ?? null),
      misbehavior: [],
      mempool: member.mempool,
      maximumBytes,
    })
    checkItems(given, maximumBytes)
    // The block outlives the call; the application may reuse its buffers.
    return given.map((item) => item.slice())
  })
  if (items === null) return null
  const { block, blockId } = nextBlock(hasher, state, proposerAddress, items)
  return {
    block,
    blockId,
    request: blockRequestOf(block, blockId.hash, state.lastValidators?.validators ?? null),
    polRound: -1,
  }
}

async function signProposal(member: Member, round: number, { block, blockId, polRound }: Proposal): Promise<boolean> {
  const { height, time: timestamp } = block.header
  return (await member.sign({ kind: 'proposal', height, round, polRound, blockId, timestamp })) !== null
}

/** First round that no running signer has signed in: after a restart within a height the guard refuses earlier ones. */
function firstRound(seats: readonly Seat[], height: number): number {
  let round = 0
  for (const { member } of seats) {
    const last = member?.signer.last ?? null
    if (last !== null && last.height === height) round = Math.max(round, last.round + 1)
  }
  return round
}

/** The decision on the height behind `state`, or null when stopped. */
export async function decideHeight(context: MakerContext, state: ChainState): Promise<Decision | null> {
  const height = state.lastHeight + 1
  let valid: Proposal | null = null
  let failed = 0
  for (let round = 0; !context.stopped(); round++) {
    const seats = seatsOf(state.validators, context.members())
    round = Math.max(round, firstRound(seats, height))
    if (!isQuorum(seats, runningPower(seats))) {
      await context.pause(longestPause)
      round--
      continue
    }
    const proposer: Member | null = seats[(height + round) % seats.length]?.member ?? null
    if (proposer === null) continue
    const proposal: Proposal | null = valid ?? (await compose(context, state, proposer))
    if (proposal !== null && (await signProposal(proposer, round, proposal))) {
      const { locked, commit } = await runRound(seats, round, proposal)
      if (commit !== null) return { block: proposal.block, commit }
      if (locked) valid = { ...proposal, polRound: round }
    }
    failed++
    await context.pause(Math.min(failed * roundPause, longestPause))
  }
  return null
}
