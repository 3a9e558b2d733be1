/**
 * The process of a node: `node main.js HOME`, with the CometBFT binary in ONUS_COMETBFT; or, for development without
 * Go, `node main.js --embedded HOME HOME …` with all nodes of a local cluster in one process. Logs are JSON lines on
 * standard error. Any failure for good ends the process with code 1: a supervisor starts it again. With a parent over
 * IPC it says when it is ready, and ends when the parent does.
 */
import { join } from 'node:path'
import { OnusError } from '@onus/protocol/errors'
import { publicKeyOf } from '@onus/protocol/signature'
import { type RunningCluster, runEmbedded } from './embeddedCluster.js'
import { CometbftEngine } from './engines/cometbft/cometbftEngine.js'
import { cometbftGenesisOf } from './engines/cometbft/genesisFile.js'
import { nodeKeyOf } from './engines/cometbft/nodeKey.js'
import { timeoutsFor } from './engines/cometbft/timeouts.js'
import type { Engine } from './engines/engine.js'
import { createLog } from './log.js'
import { type NodeFiles, readNodeFiles } from './nodeConfig.js'
import { type EngineParts, OnusNode } from './onusNode.js'

/** Wake transactions are about 100 bytes. */
const maximumMempoolTransaction = 1024

const log = createLog((line) => process.stderr.write(line), { pid: process.pid })

/** Ends the process; what is under way is lost, as at a power cut, and restored at the next start. */
function fail(error: unknown): never {
  const known = error instanceof OnusError ? { code: error.code, remedy: error.remedy } : {}
  log.error(error instanceof Error ? error.message : String(error), known)
  process.exit(1)
}

function cometbftEngine(files: NodeFiles, binary: string, parts: EngineParts): Engine {
  const { cometbft, name } = files.config
  const { genesis } = parts
  return new CometbftEngine({
    binary,
    folder: join(files.home, 'engine'),
    genesis: cometbftGenesisOf(genesis, parts.signer.chainId),
    nodeKey: nodeKeyOf(files.p2pSeed),
    moniker: name,
    rpcPort: cometbft.rpcPort,
    p2pHost: cometbft.p2pHost,
    p2pPort: cometbft.p2pPort,
    peers: cometbft.peers,
    timeouts: timeoutsFor(genesis.validators.validators.length, cometbft.timeoutScale),
    maximumTransactionBytes: maximumMempoolTransaction,
    application: parts.application,
    signer: parts.signer,
    onFailure: parts.onFailure,
    onBadInput: parts.onBadInput,
  })
}

function createNode(files: NodeFiles, engineName: string, createEngine: (parts: EngineParts) => Engine): OnusNode {
  const { config } = files
  return new OnusNode({
    name: config.name,
    home: files.home,
    genesis: files.genesis,
    module: files.module,
    validatorKey: files.validatorKey,
    gateway: config.gateway,
    links: { ...config.link, privateKey: files.linkKey, publicKey: publicKeyOf(files.linkKey) },
    lie: config.lie,
    engineName,
    createEngine,
    log: createLog((line) => process.stderr.write(line), { node: config.name }, config.log.level),
    logSettings: config.log,
    onFailure: fail,
  })
}

async function runCometbft(home: string): Promise<RunningCluster> {
  const binary = process.env['ONUS_COMETBFT']
  if (binary === undefined || binary === '')
    throw new OnusError('no-binary', 'ONUS_COMETBFT does not name the CometBFT binary', {
      remedy: 'start it by `npm start` or `onus`',
    })
  const files = await readNodeFiles(home)
  const node = createNode(files, 'cometbft', (parts) => cometbftEngine(files, binary, parts))
  await node.start()
  return { nodes: [node], stop: () => node.stop() }
}

async function run(): Promise<RunningCluster> {
  const [first, ...rest] = process.argv.slice(2)
  if (first === undefined || (first === '--embedded' && rest.length === 0))
    throw new OnusError('usage', 'usage: node main.js HOME | node main.js --embedded HOME HOME …')
  if (first !== '--embedded') return runCometbft(first)
  return runEmbedded(await Promise.all(rest.map(readNodeFiles)), createNode)
}

process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

const cluster = await run().catch(fail)
let isStopping = false
function stop(): void {
  if (isStopping) return
  isStopping = true
  // A stop that hangs must not keep the machine.
  setTimeout(() => process.exit(1), 10_000).unref()
  cluster.stop().then(() => process.exit(0), fail)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
process.on('disconnect', stop)
process.send?.({ ready: cluster.nodes.map((node) => ({ gatewayPort: node.gatewayPort, state: node.state })) })
