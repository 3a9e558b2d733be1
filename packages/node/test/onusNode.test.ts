/** A whole node, alone in its cluster over the embedded engine: a certified call, and what a restart must not lose. */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createLocalnet } from '@onus/node/dev/localnet'
import { type RunningCluster, runEmbedded } from '@onus/node/embeddedCluster'
import { createLog } from '@onus/node/log'
import { type NodeFiles, readNodeFiles } from '@onus/node/nodeConfig'
import { OnusNode } from '@onus/node/onusNode'
import { nativeCurve, nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import { concatBytes, utf8Bytes } from '@onus/protocol/bytes'
import { Certificate, decodeCertificate } from '@onus/protocol/certificate'
import type { OnusError } from '@onus/protocol/errors'
import { decodeResults } from '@onus/protocol/gatewayMessages'
import { decodeGenesis, type Genesis } from '@onus/protocol/genesis'
import { encodeCall } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { formatInterface } from '@onus/protocol/interface/parseInterface'
import { decodeReceiptProof, receiptStatus } from '@onus/protocol/receipt'
import { envelopeKind } from '@onus/protocol/transaction'
import { guestModule, operation, totalOf } from './support/guest.js'
import { withFolder } from './support/seeded.js'
import { accountOf, callWith, hashing, type Sent, send } from './support/testNode.js'

const description = {
  version: 1,
  types: {},
  entries: [
    {
      name: 'run',
      kind: 'entry',
      params: [
        ['operation', 'u8'],
        ['a', 'u32'],
        ['b', 'u32'],
      ],
      result: 'u64',
    },
  ],
} as const satisfies Interface

/** The guest with its interface in a custom section, as an SDK would put it there. */
function module(): Uint8Array {
  const name = utf8Bytes('onus:interface')
  const content = concatBytes(Uint8Array.of(name.length), name, formatInterface(description))
  assert.ok(content.length < 2 ** 14)
  const length = Uint8Array.of((content.length & 0x7f) | 0x80, content.length >> 7)
  return concatBytes(guestModule(), Uint8Array.of(0), length, content)
}

async function start(home: string, failures: OnusError[] = []): Promise<RunningCluster> {
  const create = (files: NodeFiles, engineName: string, createEngine: never): OnusNode =>
    new OnusNode({
      ...files,
      ...files.config,
      links: { ...files.config.link, privateKey: files.linkKey, publicKey: nativePublicKeyOf(files.linkKey) },
      engineName,
      createEngine,
      log: createLog(() => undefined, {}),
      onFailure: (error) => failures.push(error),
    })
  return runEmbedded([await readNodeFiles(home)], create as never)
}

interface Status {
  readonly height: number
  readonly time: number
  readonly certifiedHeight: number
  readonly state: string
}

describe('a node', { timeout: 60_000 }, () => {
  test('certifies a call, and after a restart knows time, certificates and sessions; without its sign state it does not start', () =>
    withFolder(async (folder) => {
      const { homes, gatewayUrls } = await createLocalnet({ folder, nodes: 1, module: module() })
      const [home, url] = [homes[0] as string, gatewayUrls[0] as string]
      const genesis = decodeGenesis((await readNodeFiles(home)).genesis)
      const status = async (): Promise<Status> => (await (await fetch(`${url}/v1/status`)).json()) as Status
      const first = await start(home)
      const { time } = await status()
      assert.equal(
        time,
        genesis.time.seconds * 1000 + genesis.time.nanoseconds / 1e6,
        'the time of the genesis before any block',
      )
      const expiry = { height: 100, time: time + 500_000 }
      const owner = accountOf('ann')
      const session = { slot: 3, generation: 0 }
      const admission = new Uint8Array(0)
      const opening = { type: 'opening', owner, key: owner, session, closes: expiry, expiry, admission } as const
      const cluster = { genesis } as never
      await certified(url, genesis, send(cluster, envelopeKind.accountOpening, 'ann', [opening]))
      const call = (counter: number): Sent => {
        const argument = new Uint8Array(encodeCall(description, 'run', [operation.add, counter + 1, 0]))
        return send(cluster, envelopeKind.accountCalls, 'ann', [callWith(3, counter, { expiry, argument })])
      }
      assert.equal(totalOf(await certified(url, genesis, call(0))), 1n)
      const before = await status()
      assert.ok(before.certifiedHeight > 0 && before.time > time)
      await first.stop()

      const second = await start(home)
      const after = await status()
      assert.deepEqual(
        [after.height, after.time, after.certifiedHeight],
        [before.height, before.time, before.certifiedHeight],
      )
      const latest = new Uint8Array(await (await fetch(`${url}/v1/certificates/latest`)).arrayBuffer())
      const { manifest } = Certificate.verify(hashing, nativeCurve, decodeCertificate(latest), genesis)
      assert.equal(manifest.height, before.certifiedHeight)
      assert.equal(totalOf(await certified(url, genesis, call(1))), 3n)
      assert.equal(totalOf(await certified(url, genesis, call(0))), 1n, 'an old call is answered with its old receipt')
      await second.stop()

      await rm(join(home, 'sign-state'))
      await assert.rejects(start(home), { name: 'OnusError', code: 'sign-state-missing' })
    }))
})

/** Output of the last transaction of an envelope, from receipts under a verified certificate. */
async function certified(url: string, genesis: Genesis, { bytes }: Sent): Promise<Uint8Array> {
  const headers = { 'content-type': 'application/octet-stream' }
  const response = await fetch(`${url}/v1/envelopes`, { method: 'POST', headers, body: Buffer.from(bytes) })
  assert.equal(response.status, 200, await response.clone().text())
  const { certificates, receipts } = decodeResults(new Uint8Array(await response.arrayBuffer()))
  const certificate = Certificate.verify(
    hashing,
    nativeCurve,
    decodeCertificate(certificates[0] as Uint8Array),
    genesis,
  )
  const proof = decodeReceiptProof(receipts[receipts.length - 1] as Uint8Array)
  certificate.verifyReceipt(proof)
  assert.equal(proof.receipt.status, receiptStatus.executed)
  return proof.receipt.output
}
