/**
 * CometBFT's genesis.json: the part of an epoch's genesis that CometBFT must know (`spec/consensus.md` 8). Equal bytes
 * on every member. Powers are 1,000 each, so that a silent member can be lowered to 1 (S11).
 */
import { toHex } from '@onus/protocol/bytes'
import { assert } from '@onus/protocol/errors'
import type { Genesis } from '@onus/protocol/genesis'
import type { Timestamp } from '@onus/protocol/timestamp'
import type { ValidatorSet } from '@onus/protocol/validatorSet'

export interface CometbftGenesis {
  readonly chainId: string
  readonly time: Timestamp
  readonly initialHeight: number
  readonly validators: ValidatorSet
  /** Largest block in bytes, with header and last commit. */
  readonly maximumBlockBytes: number
}

/** Block bytes beyond the items: header, last commit, evidence. */
const blockOverhead = 1024 * 1024

/** What of an epoch's genesis the engine must know. */
export function cometbftGenesisOf(genesis: Genesis, chainId: string): CometbftGenesis {
  const { time, initialHeight, validators, limits } = genesis
  return { chainId, time, initialHeight, validators, maximumBlockBytes: limits.blockBytes + blockOverhead }
}

/** Power of a member that is not lowered. */
export const memberPower = 1000

/** Largest evidence in a block, in bytes: duplicate votes are 1 kB each. */
const maximumEvidenceBytes = 65_536

function rfc3339({ seconds, nanoseconds }: Timestamp): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19)
  return `${whole}.${String(nanoseconds).padStart(9, '0')}Z`
}

/** The text of genesis.json. */
export function cometbftGenesisText(genesis: CometbftGenesis): string {
  assert(genesis.maximumBlockBytes > 4 * maximumEvidenceBytes, 'a block has room for evidence')
  const text = {
    genesis_time: rfc3339(genesis.time),
    chain_id: genesis.chainId,
    initial_height: String(genesis.initialHeight),
    consensus_params: {
      block: { max_bytes: String(genesis.maximumBlockBytes), max_gas: '-1' },
      evidence: {
        max_age_num_blocks: '100000',
        max_age_duration: '172800000000000',
        max_bytes: String(maximumEvidenceBytes),
      },
      validator: { pub_key_types: ['secp256k1eth'] },
      version: { app: '0' },
      abci: { vote_extensions_enable_height: '0' },
      authority: { authority: '' },
    },
    validators: genesis.validators.validators.map(({ publicKey, address, power }) => ({
      address: toHex(address).toUpperCase(),
      pub_key: { type: 'tendermint/PubKeySecp256k1eth', value: Buffer.from(publicKey).toString('base64') },
      power: String(power),
      name: '',
    })),
    app_hash: '',
  }
  return `${JSON.stringify(text, null, 2)}\n`
}
