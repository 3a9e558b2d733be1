/**
 * What holds in every network whose honest nodes are more than two thirds, whatever happened to it. Live, over the
 * gateways; `storedChain.ts` looks at the same on disk.
 */
import assert from 'node:assert/strict'
import { createHashing } from '@onus/node/hashing'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { toHex } from '@onus/protocol/bytes'
import { Certificate, decodeCertificate } from '@onus/protocol/certificate'
import { decodeResults } from '@onus/protocol/gatewayMessages'
import type { Genesis } from '@onus/protocol/genesis'
import { decodeReceiptProof, type Receipt, receiptStatus } from '@onus/protocol/receipt'
import { request } from './gatewayClient.js'
import type { CertifiedCall, LedgerCluster } from './load.js'

const hashing = createHashing()

export interface FetchedReceipt {
  readonly receipt: Receipt
  readonly certificate: Certificate
}

/**
 * The verified receipt of `id` from one node, which may hear of the block a moment later than others. Fails where the node
 * has none, or one that does not verify.
 */
export async function fetchReceipt(url: string, genesis: Genesis, id: string): Promise<FetchedReceipt> {
  const reply = await request(`${url}/v1/receipts/${id}?timeout=5000`)
  assert.equal(reply.status, 200, `${url} has no certified receipt of ${id}: ${reply.code}`)
  const { certificates, receipts } = decodeResults(reply.bytes)
  assert.equal(certificates.length, 1)
  assert.equal(receipts.length, 1)
  const [encoded, proof] = [certificates[0] as Uint8Array, receipts[0] as Uint8Array]
  const certificate = Certificate.verify(hashing, nativeCurve, decodeCertificate(encoded), genesis)
  const receipt = certificate.verifyReceipt(decodeReceiptProof(proof))
  assert.equal(toHex(receipt.transactionId), id, `${url} gave another receipt`)
  return { receipt, certificate }
}

/** Every certified transaction is on every node, under certificates of one and the same block. */
export async function checkReceipts(
  urls: readonly string[],
  genesis: Genesis,
  certified: readonly CertifiedCall[],
): Promise<void> {
  const manifests = new Map<number, string>()
  for (const { id, height } of certified) {
    const found = await Promise.all(urls.map((url) => fetchReceipt(url, genesis, id)))
    for (const { receipt, certificate } of found) {
      assert.equal(receipt.status, receiptStatus.executed)
      assert.equal(certificate.manifest.height, height, `${id} stands in another block than its client saw`)
      const hash = toHex(certificate.manifestHash)
      assert.equal(manifests.get(height) ?? hash, hash, `two results of block ${height} are certified`)
      manifests.set(height, hash)
    }
  }
}

/** The newest certificates of all nodes are of one block; gives it. Nodes must be at rest. */
export async function checkNewest(urls: readonly string[], genesis: Genesis): Promise<Certificate> {
  const newest = await Promise.all(
    urls.map(async (url) => {
      const { status, bytes } = await request(`${url}/v1/certificates/latest`)
      assert.equal(status, 200)
      return Certificate.verify(hashing, nativeCurve, decodeCertificate(bytes), genesis)
    }),
  )
  const [first] = newest
  assert.ok(first !== undefined)
  for (const { manifest, manifestHash } of newest) {
    assert.equal(toHex(manifest.stateRoot), toHex(first.manifest.stateRoot), 'state roots differ')
    assert.equal(toHex(manifest.sessionRoot), toHex(first.manifest.sessionRoot), 'session roots differ')
    assert.equal(toHex(manifestHash), toHex(first.manifestHash), 'manifests differ')
  }
  return first
}

/** The counter of the backend is the sum of what was certified: nothing lost, nothing twice. Asked of each node. */
export async function checkCounter(
  client: LedgerCluster,
  urls: readonly string[],
  certified: readonly CertifiedCall[],
): Promise<void> {
  const sum = certified.reduce((total, { added }) => total + added, 0)
  for (const node of urls) {
    assert.equal((await client.at({ node }).count()).value, sum, `the counter of ${node}`)
    assert.equal((await client.at({ node }).calls()).value, certified.length, `executed calls of ${node}`)
  }
  const values = certified.filter(({ added }) => added > 0).map(({ value }) => value)
  assert.equal(new Set(values).size, values.length, 'two calls saw the same counter')
}
