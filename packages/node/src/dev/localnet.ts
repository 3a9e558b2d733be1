/**
 * Makes the folders of a local cluster on loopback: keys, genesis, and one folder for each node. Nothing is started.
 * For development, tests and `npm start`; a cluster on Ethereum gets its genesis from the registry.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { toHex } from '@onus/protocol/bytes'
import { encodeGenesis, type Genesis, type Limits, localClusterId } from '@onus/protocol/genesis'
import { publicKeyOf, randomPrivateKey } from '@onus/protocol/signature'
import { validatorSetOf } from '@onus/protocol/validatorSet'
import { requiredStackMegabytes } from '@onus/vm/engine/machine'
import { loweringVersion } from '@onus/vm/lower/costs'
import { defaultMachineParameters } from '@onus/vm/profile'
import { memberPower } from '../engines/cometbft/genesisFile.js'
import { nodeKeyOf } from '../engines/cometbft/nodeKey.js'
import { createHashing } from '../hashing.js'
import { type NodeConfigFile, nodeFileNames } from '../nodeConfig.js'
import { WorkerClient } from '../worker/channel.js'
import type { CodeGenesis, GenesisMethods, GenesisWorkerData } from '../worker/genesisWorker.js'

/** Block limits such that executing twice fits half of the proposal timeout of a loaded laptop (S10). */
export const localLimits: Limits = {
  blockGas: 400_000_000,
  blockBytes: 4 * 1024 * 1024,
  blockTransactions: 10_000,
  blockOutputBytes: 4 * 1024 * 1024,
  blockDirtyPages: 8192,
  blockOpenings: 64,
  callGas: 200_000_000,
  envelopeBytes: 512 * 1024,
  expiryBlocks: 10_000,
  expiryMilliseconds: 10 * 60_000,
  sessionCapacity: 65_536,
  sessionBlocks: 10_000_000,
  sessionMilliseconds: 30 * 24 * 3_600_000,
}

export interface LocalnetOptions {
  /** Made; must not exist. Its path is short, for sockets lie in it. */
  readonly folder: string
  readonly nodes: number
  readonly module: Uint8Array
  readonly limits?: Partial<Limits>
  /** Address (20 bytes) whose tokens open sessions; anybody opens them when left out. */
  readonly admissionKey?: Uint8Array
  /** Numbers (from 0) of nodes that answer wrongly. */
  readonly liars?: readonly number[]
  /** Multiplies the consensus timeouts; 2 suits a laptop on which all nodes run. */
  readonly timeoutScale?: number
  /** First of 4 consecutive ports of each node; free ones are drawn when left out. */
  readonly basePort?: number
  /** The ports of an earlier network of as many nodes, whose place this one takes. */
  readonly ports?: readonly number[]
  /** What is known of the module already, so that its start function is not run again. */
  readonly code?: CodeGenesis
}

export interface Localnet {
  readonly homes: readonly string[]
  readonly gatewayUrls: readonly string[]
  readonly genesis: Genesis
  readonly genesisBytes: Uint8Array
  readonly ports: readonly number[]
}

const portsPerNode = 4
const localEthereumChainId = 31337
const startGas = 1_000_000_000
const { maximumMemoryPages } = defaultMachineParameters

/** What a genesis says of a module: its code reference and the state after its start function. */
export async function codeGenesis(module: Uint8Array): Promise<CodeGenesis> {
  const workerData: GenesisWorkerData = { module, maximumMemoryPages, startGas }
  const resourceLimits = { stackSizeMb: requiredStackMegabytes }
  const script = new URL('../worker/genesisWorker.js', import.meta.url)
  const worker = new WorkerClient<GenesisMethods>(script, { workerData, resourceLimits }, () => undefined)
  try {
    return await worker.call('codeGenesis', null)
  } finally {
    await worker.stop()
  }
}

/**
 * Below the ports that systems give to outgoing connections: there a peer that is dialled before it listens may be taken
 * by anyone, even by the dial itself (TCP connects a port to itself), and then it can never listen.
 */
const lowestPort = 10_000
const highestPort = 32_767

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Ports that nobody listens on at this moment, drawn at random so that clusters started at once seldom meet. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = randomInt(lowestPort, highestPort + 1)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

function choosePorts(count: number, basePort: number | undefined): Promise<number[]> {
  if (basePort === undefined) return freePorts(count)
  return Promise.resolve(Array.from({ length: count }, (_, index) => basePort + index))
}

interface NodeKeys {
  readonly validator: Uint8Array
  readonly link: Uint8Array
  readonly p2p: Uint8Array
}

async function makeGenesis(options: LocalnetOptions, keys: readonly NodeKeys[]): Promise<Genesis> {
  const hashing = createHashing()
  const now = Date.now()
  const content: Omit<Genesis, 'clusterId'> = {
    epoch: 1,
    ethereumChainId: localEthereumChainId,
    initialHeight: 1,
    time: { seconds: Math.floor(now / 1000), nanoseconds: (now % 1000) * 1_000_000 },
    previousManifest: new Uint8Array(32),
    ...(options.code ?? (await codeGenesis(options.module))),
    loweringVersion,
    maximumMemoryPages,
    startGas,
    nodeVersion: process.version,
    v8Version: process.versions.v8,
    limits: { ...localLimits, ...options.limits },
    admissionKey: options.admissionKey ?? new Uint8Array(20),
    membershipVersion: 0,
    validators: validatorSetOf(
      keys.map(({ validator }) => ({ publicKey: publicKeyOf(validator), power: memberPower })),
    ),
  }
  return { ...content, clusterId: localClusterId(hashing, content) }
}

function configOf(
  options: LocalnetOptions,
  keys: readonly NodeKeys[],
  ports: readonly number[],
  index: number,
): NodeConfigFile {
  const host = '127.0.0.1'
  const port = (node: number, which: number): number => ports[node * portsPerNode + which] as number
  const others = keys.map((key, node) => ({ key, node })).filter(({ node }) => node !== index)
  return {
    name: `node ${index + 1}`,
    gateway: { host, port: port(index, 0) },
    link: {
      host,
      port: port(index, 1),
      peers: others.map(({ key, node }) => ({
        name: `node ${node + 1}`,
        host,
        port: port(node, 1),
        publicKey: toHex(publicKeyOf(key.link)),
      })),
    },
    cometbft: {
      rpcPort: port(index, 2),
      p2pHost: host,
      p2pPort: port(index, 3),
      peers: others.map(({ key, node }) => ({ nodeId: nodeKeyOf(key.p2p).nodeId, host, port: port(node, 3) })),
      timeoutScale: options.timeoutScale ?? 2,
    },
    lie: options.liars?.includes(index) ?? false,
  }
}

/** Writes the folders `node-1` to `node-n` below `options.folder`. */
export async function createLocalnet(options: LocalnetOptions): Promise<Localnet> {
  const keys = Array.from({ length: options.nodes }, () => ({
    validator: randomPrivateKey(),
    link: randomPrivateKey(),
    p2p: new Uint8Array(randomBytes(32)),
  }))
  const { basePort } = options
  const count = options.nodes * portsPerNode
  const ports = options.ports ?? (await choosePorts(count, basePort))
  const genesis = await makeGenesis(options, keys)
  const genesisBytes = encodeGenesis(genesis)
  const homes: string[] = []
  for (const [index, { validator, link, p2p }] of keys.entries()) {
    const home = join(options.folder, `node-${index + 1}`)
    await mkdir(home, { recursive: true, mode: 0o700 })
    const write = (name: string, content: string | Uint8Array): Promise<void> =>
      writeFile(join(home, name), content, { mode: 0o600 })
    await write(nodeFileNames.config, `${JSON.stringify(configOf(options, keys, ports, index), null, 2)}\n`)
    await write(nodeFileNames.genesis, genesisBytes)
    await write(nodeFileNames.module, options.module)
    await write(nodeFileNames.validatorKey, `${toHex(validator)}\n`)
    await write(nodeFileNames.linkKey, `${toHex(link)}\n`)
    await write(nodeFileNames.p2pSeed, `${toHex(p2p)}\n`)
    homes.push(home)
  }
  const gatewayUrls = homes.map((_, index) => `http://127.0.0.1:${ports[index * portsPerNode]}`)
  return { homes, gatewayUrls, genesis, genesisBytes, ports }
}
