/**
 * Writes what others need to check a run without our code: genesis, members, and random certificates with receipts in
 * the binary forms of `spec/`. Each is fetched from a node and verified once more before it is written.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Certificate, decodeCertificate } from '@onus/protocol/certificate'
import { OnusError } from '@onus/protocol/errors'
import { decodeResults } from '@onus/protocol/gatewayMessages'
import type { Genesis } from '@onus/protocol/genesis'
import { nobleHasher } from '@onus/protocol/hash'
import { decodeReceiptProof } from '@onus/protocol/receipt'
import { nobleCurve } from '@onus/protocol/signature'
import { encodeMembers } from '@onus/protocol/validatorSet'

/** `count` different elements drawn at random. */
function sample<Value>(values: readonly Value[], count: number): Value[] {
  const rest = [...values]
  return Array.from({ length: Math.min(count, rest.length) }, () => {
    const [drawn] = rest.splice(Math.floor(Math.random() * rest.length), 1)
    return drawn as Value
  })
}

async function fetchSample(
  url: string,
  id: string,
  genesis: Genesis,
): Promise<{ certificate: Uint8Array; receipt: Uint8Array }> {
  const response = await fetch(`${url}/v1/receipts/${id}`, { signal: AbortSignal.timeout(10_000) })
  if (!response.ok) throw new OnusError('sample', `${url} has no receipt of ${id}: ${await response.text()}`)
  const { certificates, receipts } = decodeResults(new Uint8Array(await response.arrayBuffer()))
  const [certificate, receipt] = [certificates[0], receipts[0]]
  if (certificate === undefined || receipt === undefined)
    throw new OnusError('sample', `${url} gave no receipt of ${id}`)
  Certificate.verify(nobleHasher, nobleCurve, decodeCertificate(certificate), genesis).verifyReceipt(
    decodeReceiptProof(receipt),
  )
  return { certificate, receipt }
}

export interface SampleOptions {
  readonly folder: string
  readonly genesis: Genesis
  readonly genesisBytes: Uint8Array
  readonly gatewayUrls: readonly string[]
  readonly transactionIds: readonly string[]
  readonly count: number
}

/** Writes genesis.bin, members.bin, certificate-N.bin with receipt-N.bin, and index.json; gives how many. */
export async function writeSamples(options: SampleOptions): Promise<number> {
  const { folder, genesis, gatewayUrls } = options
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'genesis.bin'), options.genesisBytes)
  await writeFile(join(folder, 'members.bin'), encodeMembers(genesis.membershipVersion, genesis.validators))
  const ids = sample(options.transactionIds, options.count)
  const index: { transactionId: string; certificate: string; receipt: string }[] = []
  for (const [position, transactionId] of ids.entries()) {
    const url = gatewayUrls[position % gatewayUrls.length] as string
    const found = await fetchSample(url, transactionId, genesis)
    const number = String(position + 1).padStart(3, '0')
    const [certificate, receipt] = [`certificate-${number}.bin`, `receipt-${number}.bin`]
    await writeFile(join(folder, certificate), found.certificate)
    await writeFile(join(folder, receipt), found.receipt)
    index.push({ transactionId, certificate, receipt })
  }
  await writeFile(join(folder, 'index.json'), `${JSON.stringify(index, null, 2)}\n`)
  return ids.length
}
