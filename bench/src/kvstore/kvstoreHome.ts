/**
 * Homes of the rival: CometBFT with its built-in kvstore under the configuration of an Onus node, of which three things
 * change: the application is in the process, the key lies in a file, and nothing is signed outside.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { localLimits } from '@onus/node/dev/localnet'
import { type CometbftConfig, cometbftConfigText, homeFiles } from '@onus/node/engines/cometbft/config'
import { type CometbftGenesis, cometbftGenesisText, memberPower } from '@onus/node/engines/cometbft/genesisFile'
import { type NodeKey, randomNodeKey } from '@onus/node/engines/cometbft/nodeKey'
import { timeoutsFor } from '@onus/node/engines/cometbft/timeouts'
import { toHex } from '@onus/protocol/bytes'
import { addressOf, publicKeyOf, randomPrivateKey } from '@onus/protocol/signature'
import { validatorSetOf } from '@onus/protocol/validatorSet'
import { parse, stringify } from 'smol-toml'

/** As `createLocalnet` and `main.ts` of the node set them. */
const timeoutScale = 2
const maximumTransactionBytes = 1024
const blockOverhead = 1024 * 1024

export interface KvstoreHome {
  readonly path: string
  readonly rpcPort: number
}

const keyFile = 'config/priv_validator_key.json'
const stateFile = 'data/priv_validator_state.json'

function configText(config: CometbftConfig): string {
  return stringify({
    ...parse(cometbftConfigText(config)),
    proxy_app: 'kvstore',
    priv_validator_key_file: keyFile,
    priv_validator_state_file: stateFile,
    priv_validator_laddr: '',
  })
}

function keyText(privateKey: Uint8Array): string {
  const publicKey = publicKeyOf(privateKey)
  return JSON.stringify({
    address: toHex(addressOf(publicKey)).toUpperCase(),
    pub_key: { type: 'tendermint/PubKeySecp256k1eth', value: Buffer.from(publicKey).toString('base64') },
    priv_key: { type: 'tendermint/PrivKeySecp256k1eth', value: Buffer.from(privateKey).toString('base64') },
  })
}

interface Member {
  readonly validatorKey: Uint8Array
  readonly nodeKey: NodeKey
  readonly rpcPort: number
  readonly p2pPort: number
}

function configOf(members: readonly Member[], index: number): CometbftConfig {
  const { rpcPort, p2pPort } = members[index] as Member
  return {
    moniker: `kvstore-${index + 1}`,
    abciSocket: '/unused',
    signerSocket: '/unused',
    rpcPort,
    p2pHost: '127.0.0.1',
    p2pPort,
    peers: members
      .filter((_, other) => other !== index)
      .map(({ nodeKey, p2pPort: port }) => ({ nodeId: nodeKey.nodeId, host: '127.0.0.1', port })),
    timeouts: timeoutsFor(members.length, timeoutScale),
    maximumTransactionBytes,
  }
}

/** Writes one home for each pair of ports. */
export async function writeKvstoreHomes(
  folder: string,
  ports: readonly { rpcPort: number; p2pPort: number }[],
): Promise<KvstoreHome[]> {
  const members = ports.map((pair): Member => ({ ...pair, validatorKey: randomPrivateKey(), nodeKey: randomNodeKey() }))
  const now = Date.now()
  const genesis: CometbftGenesis = {
    chainId: 'onus-bench-kvstore',
    time: { seconds: Math.floor(now / 1000), nanoseconds: 0 },
    initialHeight: 1,
    validators: validatorSetOf(
      members.map(({ validatorKey }) => ({ publicKey: publicKeyOf(validatorKey), power: memberPower })),
    ),
    maximumBlockBytes: localLimits.blockBytes + blockOverhead,
  }
  return Promise.all(
    members.map(async ({ validatorKey, nodeKey, rpcPort }, index) => {
      const path = join(folder, `kvstore-${index + 1}`)
      for (const name of ['config', 'data']) await mkdir(join(path, name), { recursive: true, mode: 0o700 })
      const write = (name: string, text: string): Promise<void> => writeFile(join(path, name), text, { mode: 0o600 })
      await write(homeFiles.genesis, cometbftGenesisText(genesis))
      await write(homeFiles.config, configText(configOf(members, index)))
      await write(homeFiles.nodeKey, nodeKey.text)
      await write(keyFile, keyText(validatorKey))
      await write(stateFile, JSON.stringify({ height: '0', round: 0, step: 0 }))
      return { path, rpcPort }
    }),
  )
}
