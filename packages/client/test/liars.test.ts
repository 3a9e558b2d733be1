/**
 * One node lies in every way we know of. Alone it makes the call fail with a typed reason; among honest nodes the call
 * succeeds. Either way the evidence is kept.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Cluster } from '@onus/client/cluster'
import { connect } from '@onus/client/connect'
import { decodeCertificate, encodeCertificate, type UnverifiedCertificate } from '@onus/protocol/certificate'
import { decodeResults, encodeResults } from '@onus/protocol/gatewayMessages'
import { nobleHasher } from '@onus/protocol/hash'
import { dataHash } from '@onus/protocol/header'
import { encodeSeal } from '@onus/protocol/manifest'
import { merkleLeaf, merkleProof } from '@onus/protocol/merkleTree'
import { decodeReceiptProof, encodeReceiptProof, type ReceiptProof } from '@onus/protocol/receipt'
import { certify, FakeChain, testKey } from './fakeChain.js'
import { type Behaviour, binary, FakeCluster, pause } from './fakeCluster.js'
import { notes } from './notes.js'

const hasher = nobleHasher

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer())
}

type Bend = (results: { certificates: Uint8Array[]; receipts: Uint8Array[] }, fake: FakeCluster) => void

/** Results of calls (never of the opening, so that the liar is asked for one) bent by `bend`. */
function bent(bend: Bend, fake: FakeCluster): Behaviour {
  return async (request, honest) => {
    const response = await honest()
    if (!isCall(request) || response.status !== 200) return response
    const { certificates, receipts } = decodeResults(await bytesOf(response))
    const results = { certificates: [...certificates], receipts: [...receipts] }
    bend(results, fake)
    return binary(encodeResults(results))
  }
}

function isCall(request: { path: string; body: Uint8Array }): boolean {
  return request.path.startsWith('/v1/envelopes') && (request.body[0] ?? 0) < 0x10
}

function onCertificate(change: (certificate: UnverifiedCertificate, fake: FakeCluster) => UnverifiedCertificate): Bend {
  return (results, fake) => {
    results.certificates = results.certificates.map((bytes) =>
      encodeCertificate(change(decodeCertificate(bytes), fake)),
    )
  }
}

function onReceipt(change: (proof: ReceiptProof) => ReceiptProof): Bend {
  return (results) => {
    results.receipts = results.receipts.map((bytes) => encodeReceiptProof(change(decodeReceiptProof(bytes))))
  }
}

function lastBlock(fake: FakeCluster) {
  return fake.chain.blocks[fake.chain.blocks.length - 1] as FakeChain['blocks'][number]
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  copy[0] = (copy[0] ?? 0) ^ 1
  return copy
}

const bends: Record<string, { readonly code: string; readonly members?: number; readonly bend: Bend }> = {
  "another block's certificate": {
    code: 'missing-certificate',
    bend: (results, fake) => {
      results.certificates = [(fake.chain.blocks[0] as FakeChain['blocks'][number]).certificate]
    },
  },
  'no certificate': {
    code: 'missing-certificate',
    bend: (results) => {
      results.certificates = []
    },
  },
  "another key's signatures": {
    code: 'bad-signature',
    bend: onCertificate((_, fake) => {
      const { header, items, manifest } = lastBlock(fake)
      const keys = fake.chain.keys.map((_key, index) => testKey(index, 77))
      return certify(header, items, manifest, fake.chain.keys, { keys })
    }),
  },
  'exactly 2/3 of the signatures': {
    code: 'too-few-signatures',
    members: 6,
    bend: onCertificate((certificate) => ({ ...certificate, signatures: certificate.signatures.slice(0, 4) })),
  },
  'one signer several times': {
    code: 'certificate-form',
    bend: onCertificate((certificate) => {
      const first = certificate.signatures[0] as UnverifiedCertificate['signatures'][number]
      return { ...certificate, signatures: [first, first, first, first] }
    }),
  },
  'a signature under several places': {
    code: 'bad-signature',
    bend: onCertificate((certificate) => {
      const first = certificate.signatures[0] as UnverifiedCertificate['signatures'][number]
      return { ...certificate, signatures: [0, 1, 2].map((validator) => ({ ...first, validator })) }
    }),
  },
  'a signer that is no member': {
    code: 'unknown-signer',
    bend: onCertificate((certificate) => ({
      ...certificate,
      signatures: certificate.signatures.map((one, index) => (index === 3 ? { ...one, validator: 9 } : one)),
    })),
  },
  'another state root': {
    code: 'wrong-seal',
    bend: onCertificate((certificate) => {
      const manifest = certificate.manifest.slice()
      manifest[16 * 32] = (manifest[16 * 32] ?? 0) ^ 1
      return { ...certificate, manifest }
    }),
  },
  'a seal forged inside a client transaction': {
    code: 'wrong-seal',
    bend: onCertificate((_, fake) => {
      // The block is signed by all, but the seal stands at index 1, where clients' bytes stand.
      const { header, items, manifest } = lastBlock(fake)
      const forged = [items[0] as Uint8Array, encodeSeal(flipped(manifest))]
      const leaves = forged.map((item) => merkleLeaf(hasher, hasher.sha256(item)))
      const signed = certify(
        { ...header, dataHash: dataHash(hasher, forged) },
        forged,
        flipped(manifest),
        fake.chain.keys,
      )
      return { ...signed, sealProof: merkleProof(hasher, leaves, 1) }
    }),
  },
  'a certificate of another cluster': {
    code: 'wrong-cluster',
    bend: onCertificate((certificate) => ({
      ...certificate,
      header: { ...certificate.header, chainId: 'onus-00000000000000000000-1' },
    })),
  },
  'a certificate of other members': {
    code: 'wrong-members',
    bend: onCertificate((certificate) => ({
      ...certificate,
      header: { ...certificate.header, validatorsHash: flipped(certificate.header.validatorsHash) },
    })),
  },
  'another output': {
    code: 'wrong-receipt',
    bend: onReceipt((proof) => ({ ...proof, receipt: { ...proof.receipt, output: Uint8Array.of(9, 0, 0, 0) } })),
  },
  'a rejection that no block made': {
    code: 'wrong-receipt',
    bend: onReceipt((proof) => ({
      ...proof,
      receipt: { ...proof.receipt, status: 2, rejection: 3, output: new Uint8Array(0) },
    })),
  },
  'a forged proof': {
    code: 'wrong-receipt',
    bend: onReceipt((proof) => ({ ...proof, siblings: flipped(proof.siblings) })),
  },
  'another place in the block': { code: 'wrong-receipt', bend: onReceipt((proof) => ({ ...proof, index: 1 })) },
  'the receipt of another transaction': {
    code: 'wrong-transaction',
    bend: (results, fake) => {
      const block = fake.chain.blocks[0] as FakeChain['blocks'][number]
      results.certificates = [block.certificate]
      results.receipts = [block.receipts[0] as Uint8Array]
    },
  },
  'too many receipts': {
    code: 'results-form',
    bend: (results) => {
      results.receipts.push(results.receipts[0] as Uint8Array)
    },
  },
  'a truncated receipt': {
    code: 'truncated',
    bend: (results) => {
      results.receipts = results.receipts.map((bytes) => bytes.subarray(0, bytes.length - 1))
    },
  },
}

function endless(): Response {
  const chunk = new Uint8Array(512 * 1024)
  return new Response(
    new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setImmediate(resolve))
        controller.enqueue(chunk)
      },
    }),
  )
}

const raw: Record<string, { readonly code: string; readonly kind: string; readonly answer: () => Promise<Response> }> =
  {
    garbage: { code: 'bad-tag', kind: 'lying', answer: async () => binary(new Uint8Array(500).fill(7)) },
    nothing: { code: 'bad-tag', kind: 'lying', answer: async () => new Response(null) },
    'an endless body': { code: 'too-long', kind: 'lying', answer: async () => endless() },
    'a response that never comes': { code: 'deadline', kind: 'slow', answer: () => new Promise(() => undefined) },
    'a body that never ends': {
      code: 'deadline',
      kind: 'slow',
      answer: async () =>
        new Response(new ReadableStream({ start: (controller) => controller.enqueue(Uint8Array.of(1)) })),
    },
    'a closed connection': { code: 'unreachable', kind: 'dead', answer: () => Promise.reject(new TypeError('reset')) },
    'an error page': {
      code: 'http-502',
      kind: 'refused',
      answer: async () => new Response('<html>Bad gateway</html>', { status: 502 }),
    },
    'an error without form': {
      code: 'http-400',
      kind: 'refused',
      answer: async () => new Response('{"error":{"code":5}}', { status: 400 }),
    },
  }

function open(fake: FakeCluster, nodes: readonly string[], request: number): Promise<Cluster<typeof notes>> {
  return connect({
    genesis: fake.chain.genesisBytes,
    nodes,
    interface: notes,
    fetch: fake.fetch,
    timeouts: { request, call: 20_000, hedge: 100 },
  })
}

/** The first node lies with calls; a client that knows only it, and one that knows all. */
async function checkLiar(fake: FakeCluster, behaviour: Behaviour, kind: string, code: string): Promise<void> {
  const request = kind === 'slow' ? 250 : 10_000
  fake.behaviours.set(0, behaviour)
  const alone = await open(fake, ['http://node0'], request)
  const outcome = alone.call.add('a').catch((error) => error)
  // Before the first block there is no certificate, which the node says truly.
  const isQuiet = (): boolean => [null, 'refused: unknown-block'].includes(alone.nodes[0]?.lastFailure ?? null)
  while (isQuiet()) await pause(5)
  assert.equal(alone.nodes[0]?.lastFailure, `${kind}: ${code}`)
  const [first] = alone.evidence
  assert.equal(first?.code, kind === 'lying' ? code : undefined)
  if (first !== undefined) assert.ok(first.node === 'http://node0' && first.request.startsWith('POST /v1/envelopes'))
  alone.close()
  assert.equal((await outcome).code, 'closed')
  const among = await open(fake, fake.urls(), request)
  for (let index = 0; index < 3; index++) assert.equal(typeof (await among.call.add('b')), 'number')
  for (const count of fake.chain.executions.values()) assert.equal(count, 1)
  for (const one of among.evidence) assert.deepEqual([one.node, one.code], ['http://node0', code])
  assert.ok(among.nodes.every(({ url, lies }) => url === 'http://node0' || lies === 0))
  among.close()
}

describe('a node that answers with', { concurrency: 4 }, () => {
  for (const [name, { code, bend, members }] of Object.entries(bends))
    test(name, async () => {
      const fake = new FakeCluster({ members: members ?? 4 })
      await checkLiar(fake, bent(bend, fake), 'lying', code)
    })
  for (const [name, { code, kind, answer }] of Object.entries(raw))
    test(name, async () => {
      const fake = new FakeCluster({ members: 4 })
      await checkLiar(fake, (request, honest) => (isCall(request) ? answer() : honest()), kind, code)
    })
})

test('two certified blocks of one height end the client, and both certificates are kept', async () => {
  const fake = new FakeCluster({ members: 4 })
  const twin = new FakeChain({ members: 4 })
  const cluster = await open(fake, fake.urls(), 5000)
  await cluster.call.add('a')
  // The same members sign another history.
  twin.milliseconds += 7
  const opening = fake.posted().find(({ body }) => (body[0] ?? 0) >= 0x10)
  for (let height = 1; height <= fake.chain.height + 1; height++) twin.produce([opening?.body as Uint8Array])
  const other = twin.blocks[fake.chain.height - 1]?.certificate as Uint8Array
  for (const node of [0, 1, 2, 3])
    fake.behaviours.set(node, async (request, honest) => {
      if (!isCall(request)) return honest()
      const results = decodeResults(await bytesOf(await honest()))
      return binary(encodeResults({ ...results, certificates: [other] }))
    })
  await assert.rejects(cluster.call.add('b'), { code: 'forked' })
  await assert.rejects(cluster.call.add('c'), { code: 'forked' })
  await assert.rejects(cluster.query.list(0, 1), { code: 'forked' })
  const kept = cluster.evidence.filter(({ node }) => node === 'cluster').map(({ bytes }) => decodeCertificate(bytes))
  assert.deepEqual(
    kept.map(({ header }) => header.height),
    [fake.chain.height - 1, fake.chain.height - 1],
  )
  cluster.close()
})
