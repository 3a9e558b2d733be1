/**
 * The folder of a node: `node.json` (addresses and ports), key files (32 bytes in hexadecimal), `genesis.bin` and
 * `backend.wasm`. Read strictly; every complaint names file and field.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { isPublicKey } from '@onus/protocol/signature'
import type { CometbftPeer } from './engines/cometbft/config.js'
import { elements, integer, type JsonValue, member, text, truth } from './engines/cometbft/json.js'
import {
  defaultLogSettings,
  type GatewaySettings,
  gatewaySettings,
  type LogSettings,
  logSettings,
  optional,
} from './gateway/settings.js'
import type { LinkPeer } from './links/links.js'

/** `node.json` as it is written. Keys and ids in hexadecimal. */
export interface NodeConfigFile {
  /** Of the form of this file; 1 where it is left out (`spec/compatibility.md`). */
  readonly version?: 1
  readonly name: string
  /** Beside host and port, what of `GatewaySettings` is to differ from its default. */
  readonly gateway: { readonly host: string; readonly port: number } & Partial<GatewaySettings>
  readonly log?: Partial<LogSettings>
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
  readonly config: Omit<NodeConfigFile, 'link' | 'gateway' | 'log'> & {
    readonly gateway: { readonly host: string; readonly port: number; readonly settings: GatewaySettings }
    readonly log: LogSettings
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
  const digits = (await readNamed(home, name)).toString('utf8').trim()
  if (!/^[0-9a-fA-F]{64}$/.test(digits))
    throw new OnusError('node-folder', `${name} of the node folder ${home} must hold 64 hexadecimal digits`)
  return fromHex(digits)
}

function integerFrom(json: JsonValue, least: number, most: number): number {
  const value = integer(json)
  if (value >= least && value <= most) return value
  throw new OnusError('node-config', `expected an integer from ${least} to ${most}, got ${value}`, { path: json.path })
}

/** 0 lets the system choose. */
function port(json: JsonValue): number {
  return integerFrom(json, 0, 65_535)
}

function endpoint(json: JsonValue): { host: string; port: number } {
  return { host: text(member(json, 'host')), port: port(member(json, 'port')) }
}

function publicKey(json: JsonValue): Uint8Array {
  const digits = text(json)
  if (!/^[0-9a-fA-F]{66}$/.test(digits) || !isPublicKey(fromHex(digits)))
    throw new OnusError('node-config', 'expected a compressed secp256k1 key in hexadecimal', { path: json.path })
  return fromHex(digits)
}

function linkPeer(json: JsonValue): LinkPeer {
  return { name: text(member(json, 'name')), ...endpoint(json), publicKey: publicKey(member(json, 'publicKey')) }
}

function checkVersion(json: JsonValue): void {
  if (json.value !== undefined && json.value !== 1)
    throw new OnusError('node-config', `expected version 1 of this file, got ${JSON.stringify(json.value)}`, {
      path: json.path,
      remedy: 'run the version of Onus that it was written for',
    })
}

function parseConfig(root: JsonValue): NodeFiles['config'] {
  checkVersion(member(root, 'version'))
  const link = member(root, 'link')
  const cometbft = member(root, 'cometbft')
  return {
    name: text(member(root, 'name')),
    gateway: { ...endpoint(member(root, 'gateway')), settings: gatewaySettings(member(root, 'gateway')) },
    log: optional(root, 'log', defaultLogSettings, logSettings),
    link: { ...endpoint(link), peers: elements(member(link, 'peers'), 64).map(linkPeer) },
    cometbft: {
      rpcPort: port(member(cometbft, 'rpcPort')),
      p2pHost: text(member(cometbft, 'p2pHost')),
      p2pPort: port(member(cometbft, 'p2pPort')),
      peers: elements(member(cometbft, 'peers'), 64).map((peer) => ({
        nodeId: text(member(peer, 'nodeId')),
        ...endpoint(peer),
      })),
      timeoutScale: integerFrom(member(cometbft, 'timeoutScale'), 1, 1000),
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
