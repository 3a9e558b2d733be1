/**
 * The folder of a node: `node.json` (addresses and ports), key files (32 bytes in hexadecimal), `genesis.bin` and
 * `backend.wasm`. Read strictly; every complaint names file and field.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import type { CometbftPeer } from './engines/cometbft/config.js'
import { elements, integer, type JsonValue, member, text, truth } from './engines/cometbft/json.js'
import type { LinkPeer } from './links/links.js'

/** `node.json` as it is written. Keys and ids in hexadecimal. */
export interface NodeConfigFile {
  readonly name: string
  readonly gateway: { readonly host: string; readonly port: number }
  readonly link: {
    readonly host: string
    readonly port: number
    readonly peers: readonly { name: string; host: string; port: number; publicKey: string }[]
  }
  readonly cometbft: {
    readonly rpcPort: number
    readonly p2pHost: string
    readonly p2pPort: number
    readonly peers: readonly CometbftPeer[]
    /** Multiplies the consensus timeouts; 1 is for nodes in one rack. */
    readonly timeoutScale: number
  }
  /** Test switch: answer wrongly. Only a local cluster takes it. */
  readonly lie: boolean
}

export interface NodeFiles {
  readonly home: string
  readonly config: Omit<NodeConfigFile, 'link'> & {
    readonly link: { readonly host: string; readonly port: number; readonly peers: readonly LinkPeer[] }
  }
  readonly genesis: Uint8Array
  readonly module: Uint8Array
  /** 32 bytes each. */
  readonly validatorKey: Uint8Array
  readonly linkKey: Uint8Array
  readonly p2pSeed: Uint8Array
}

export const nodeFileNames = {
  config: 'node.json',
  genesis: 'genesis.bin',
  module: 'backend.wasm',
  validatorKey: 'validator.key',
  linkKey: 'link.key',
  p2pSeed: 'p2p.key',
} as const

async function readNamed(home: string, name: string): Promise<Buffer> {
  return readFile(join(home, name)).catch((cause) => {
    throw new OnusError('node-folder', `${name} of the node folder ${home} cannot be read`, {
      remedy: 'make the folder with `onus node init`, or a local cluster with `npm start`',
      cause,
    })
  })
}

async function readKey(home: string, name: string): Promise<Uint8Array> {
  const key = fromHex((await readNamed(home, name)).toString('utf8').trim())
  if (key.length !== 32) throw new OnusError('node-folder', `${name} must hold 64 hexadecimal digits`)
  return key
}

function endpoint(json: JsonValue): { host: string; port: number } {
  return { host: text(member(json, 'host')), port: integer(member(json, 'port')) }
}

function linkPeer(json: JsonValue): LinkPeer {
  return { name: text(member(json, 'name')), ...endpoint(json), publicKey: fromHex(text(member(json, 'publicKey'))) }
}

function parseConfig(root: JsonValue): NodeFiles['config'] {
  const link = member(root, 'link')
  const cometbft = member(root, 'cometbft')
  return {
    name: text(member(root, 'name')),
    gateway: endpoint(member(root, 'gateway')),
    link: { ...endpoint(link), peers: elements(member(link, 'peers'), 64).map(linkPeer) },
    cometbft: {
      rpcPort: integer(member(cometbft, 'rpcPort')),
      p2pHost: text(member(cometbft, 'p2pHost')),
      p2pPort: integer(member(cometbft, 'p2pPort')),
      peers: elements(member(cometbft, 'peers'), 64).map((peer) => ({
        nodeId: text(member(peer, 'nodeId')),
        ...endpoint(peer),
      })),
      timeoutScale: integer(member(cometbft, 'timeoutScale')),
    },
    lie: truth(member(root, 'lie')),
  }
}

/** Rejects `node-folder` and `node-config`. */
export async function readNodeFiles(home: string): Promise<NodeFiles> {
  const bytes = await readNamed(home, nodeFileNames.config)
  let config: NodeFiles['config']
  try {
    config = parseConfig({ value: JSON.parse(bytes.toString('utf8')), path: '' })
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new OnusError('node-config', `${nodeFileNames.config} of ${home}: ${what}`, { cause })
  }
  return {
    home,
    config,
    genesis: await readNamed(home, nodeFileNames.genesis),
    module: await readNamed(home, nodeFileNames.module),
    validatorKey: await readKey(home, nodeFileNames.validatorKey),
    linkKey: await readKey(home, nodeFileNames.linkKey),
    p2pSeed: await readKey(home, nodeFileNames.p2pSeed),
  }
}
