/**
 * Who voted for a block, as CometBFT's write-ahead log has it: every vote that a node received or cast. So a signature
 * that left a signer is seen even where no commit holds it.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeMessage } from '@onus/node/protobuf/decode'
import { toHex } from '@onus/protocol/bytes'

/** A vote's protobuf up to its block id: type (1), height (2) and perhaps round (3) take at most this many bytes. */
const longestHead = 24
const longestVote = 256

/** The vote that holds the block hash at `at`, or null where the hash stands in something else. */
function voteAround(log: Buffer, at: number): { type: number; address: string } | null {
  for (let start = at - 4; start >= Math.max(0, at - longestHead); start--) {
    // Field 1 (type) as varint: 1 is a prevote, 2 a precommit; field 2 (height) follows.
    if (log[start] !== 0x08 || (log[start + 1] !== 1 && log[start + 1] !== 2) || log[start + 2] !== 0x10) continue
    for (let end = at + 100; end < Math.min(log.length, start + longestVote); end++) {
      try {
        const vote = decodeMessage('Vote', log.subarray(start, end))
        if (vote.validatorAddress.length === 20 && vote.signature.length === 65)
          return { type: vote.type, address: toHex(vote.validatorAddress) }
      } catch {
        // Not the end of the vote.
      }
    }
  }
  return null
}

/** Addresses (40 hexadecimal digits) of all whose signed votes for the block with `hash` are in the log of `home`. */
export async function votersFor(home: string, hash: Uint8Array): Promise<Set<string>> {
  const folder = join(home, 'engine/cometbft/data/cs.wal')
  const voters = new Set<string>()
  for (const name of await readdir(folder)) {
    const log = await readFile(join(folder, name))
    for (let at = log.indexOf(hash); at >= 0; at = log.indexOf(hash, at + 1)) {
      const vote = voteAround(log, at)
      if (vote !== null) voters.add(vote.address)
    }
  }
  return voters
}
