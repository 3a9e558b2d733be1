/** A whole node with the counter of `eventGuest.ts`, alone in its cluster over the embedded engine, and a session in it. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalnet } from '@onus/node/dev/localnet'
import { type RunningCluster, runEmbedded } from '@onus/node/embeddedCluster'
import { createLog } from '@onus/node/log'
import { type NodeFiles, nodeFileNames, readNodeFiles } from '@onus/node/nodeConfig'
import { OnusNode } from '@onus/node/onusNode'
import { nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import { decodeGenesis, type Genesis } from '@onus/protocol/genesis'
import { encodeCall } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { envelopeKind } from '@onus/protocol/transaction'
import { counter, counterModule } from './eventGuest.js'
import { accountOf, callWith, type Sent, send } from './testNode.js'

export interface LiveCounter {
  readonly url: string
  readonly genesis: Genesis
  readonly home: string
  /** Lines of the node's log. */
  readonly lines: string[]
  /** Signs the next call of the session. */
  call(entry: 'add' | 'fail', args: readonly unknown[]): Sent
  /** Sends it and gives the gateway's answer. */
  post(sent: Sent, headers?: Record<string, string>): Promise<Response>
  restart(): Promise<void>
  stop(): Promise<void>
}

async function startNode(home: string, lines: string[]): Promise<RunningCluster> {
  const create = (files: NodeFiles, engineName: string, createEngine: never): OnusNode =>
    new OnusNode({
      ...files,
      ...files.config,
      links: { ...files.config.link, privateKey: files.linkKey, publicKey: nativePublicKeyOf(files.linkKey) },
      engineName,
      createEngine,
      log: createLog((line) => lines.push(line), { node: files.config.name }, files.config.log.level),
      logSettings: files.config.log,
      onFailure: (error) => assert.fail(error),
    })
  return runEmbedded([await readNodeFiles(home)], create as never)
}

/** `gateway` and `log` are put into `node.json`. */
export async function startCounter(changes: { gateway?: object; log?: object } = {}): Promise<LiveCounter> {
  const root = await mkdtemp(join(tmpdir(), 'onus-test-'))
  const { homes, gatewayUrls } = await createLocalnet({ folder: join(root, 'net'), nodes: 1, module: counterModule() })
  const [home, url] = [homes[0] as string, gatewayUrls[0] as string]
  const path = join(home, nodeFileNames.config)
  const config = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(
    path,
    JSON.stringify({ ...config, gateway: { ...config.gateway, ...changes.gateway }, log: changes.log ?? {} }),
  )
  const genesis = decodeGenesis((await readNodeFiles(home)).genesis)
  const lines: string[] = []
  let running = await startNode(home, lines)
  const { time } = (await (await fetch(`${url}/v1/status`)).json()) as { time: number }
  const expiry = { height: 10_000, time: time + 500_000 }
  const owner = accountOf('ann')
  const session = { slot: 3, generation: 0 }
  const opening = {
    type: 'opening',
    owner,
    key: owner,
    session,
    closes: expiry,
    expiry,
    admission: new Uint8Array(0),
  } as const
  let counterOfSession = 0
  const live: LiveCounter = {
    url,
    genesis,
    home,
    lines,
    call(entry, args) {
      const argument = new Uint8Array(encodeCall(counter as Interface, entry, args))
      return send({ genesis } as never, envelopeKind.accountCalls, 'ann', [
        callWith(3, counterOfSession++, { expiry, argument }),
      ])
    },
    post: ({ bytes }, headers = {}) =>
      fetch(`${url}/v1/envelopes`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream', ...headers },
        body: Buffer.from(bytes),
      }),
    async restart() {
      await running.stop()
      running = await startNode(home, lines)
    },
    async stop() {
      await running.stop()
      await rm(root, { recursive: true, force: true })
    },
  }
  const opened = await live.post(send({ genesis } as never, envelopeKind.accountOpening, 'ann', [opening]))
  assert.equal(opened.status, 200, await opened.text())
  return live
}
