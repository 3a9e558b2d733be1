/**
 * A block that CometBFT holds for the height under way, out of its consensus state (RPC `dump_consensus_state`), in the
 * form in which the application is asked about it. The block is believed only as far as its hash covers it.
 */
import { equalBytes } from '@onus/protocol/bytes'
import { nobleHasher } from '@onus/protocol/hash'
import { dataHash, headerHash } from '@onus/protocol/header'
import { addressLength } from '@onus/protocol/signature'
import { maximumMembers } from '@onus/protocol/validatorSet'
import type { BlockRequest } from '../../abci/application.js'
import { blockRequestOf, type LastValidator } from '../blockRequest.js'
import { type Block, lastCommitHash } from '../records.js'
import { base64, elements, hexBytes, integerText, type JsonValue, member } from './json.js'
import { commitOfJson, headerOfJson } from './signedHeader.js'

/** Where a block of the height may stand. */
const places = ['proposal_block', 'locked_block', 'valid_block'] as const
/** More items than fit into the largest block. */
const maximumItems = 1_000_000

function lastValidators(state: JsonValue): LastValidator[] {
  return elements(member(member(state, 'last_validators'), 'validators'), maximumMembers).map((validator) => ({
    address: hexBytes(member(validator, 'address'), addressLength),
    power: integerText(member(validator, 'voting_power')),
  }))
}

/** Go leaves an empty list out or writes null. */
function listOf(json: JsonValue): JsonValue[] {
  return json.value === null || json.value === undefined ? [] : elements(json, maximumItems)
}

function blockOfJson(json: JsonValue): Block {
  const header = headerOfJson(member(json, 'header'))
  return {
    header,
    items: listOf(member(member(json, 'data'), 'txs')).map(base64),
    lastCommit: header.lastBlockId === null ? null : commitOfJson(member(json, 'last_commit')),
  }
}

/**
 * The block with `hash` (32 bytes) in a round state, or null where there is none, or where it carries evidence of
 * CometBFT's own (its form differs from what the application is told; such a block is only voted for when it came in
 * time). Rejects `rpc-shape`.
 */
export function undecidedBlockOfJson(state: JsonValue, hash: Uint8Array): BlockRequest | null {
  for (const place of places) {
    const json = member(state, place)
    if (json.value === null || json.value === undefined) continue
    const block = blockOfJson(json)
    const { header, items, lastCommit } = block
    if (!equalBytes(headerHash(nobleHasher, header), hash)) continue
    const whole =
      listOf(member(member(json, 'evidence'), 'evidence')).length === 0 &&
      equalBytes(dataHash(nobleHasher, items), header.dataHash) &&
      equalBytes(lastCommitHash(nobleHasher, lastCommit), header.lastCommitHash)
    return whole ? blockRequestOf(block, hash, lastCommit === null ? null : lastValidators(state)) : null
  }
  return null
}
