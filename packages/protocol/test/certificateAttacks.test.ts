/** What a lying node would send for a certificate or a receipt (`security.md` S7; `spec/certificate.md` 3). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Certificate,
  decodeCertificate,
  encodeCertificate,
  type TrustedMembers,
  type UnverifiedCertificate,
} from '../src/certificate.js'
import { type CanonicalVote, voteType } from '../src/commit.js'
import { nobleHasher } from '../src/hash.js'
import { encodeManifest, encodeSeal, type Manifest } from '../src/manifest.js'
import { merkleLeaf, merkleNode } from '../src/merkleTree.js'
import { type ReceiptProof, rejectionCode } from '../src/receipt.js'
import { memoizedCurve } from './support/memoizedCurve.js'
import { mirrored } from './support/naiveCurve.js'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { seededHash } from './support/seeded.js'
import {
  itemProof,
  type SyntheticBlock,
  signVote,
  syntheticBlock,
  syntheticCertificate,
  syntheticCluster,
  syntheticReceiptProof,
} from './support/syntheticCluster.js'

type Signed = UnverifiedCertificate['signatures'][number]

const curve = memoizedCurve()
const cluster = syntheticCluster([10, 10, 10, 10])
const block = syntheticBlock(cluster)
const honest = syntheticCertificate(cluster, block)
const { trusted } = cluster

function verify(certificate: UnverifiedCertificate, members: TrustedMembers = trusted): Certificate {
  return Certificate.verify(nobleHasher, curve, certificate, members)
}

function refuses(code: string, certificate: UnverifiedCertificate, members: TrustedMembers = trusted): void {
  assertRejects(code, () => verify(certificate, members))
}

function withVotes(changes: Partial<CanonicalVote>, from: SyntheticBlock = block): UnverifiedCertificate {
  const signatures = honest.signatures.map(({ validator }) => {
    const { vote, signature } = signVote(cluster, from, validator, changes)
    return { validator, timestamp: vote.timestamp, signature }
  })
  return { ...honest, signatures }
}

test('the honest certificate passes, so each refusal below has its own reason', () => {
  assert.equal(verify(honest).signers.length, 4)
})

describe('signatures of something else', () => {
  test('another block, another round, nil, a prevote, another height, time or chain', () => {
    const other = syntheticBlock(cluster, { height: 6 })
    refuses('bad-signature', { ...honest, signatures: syntheticCertificate(cluster, other).signatures })
    refuses('bad-signature', withVotes({ blockId: other.blockId }))
    refuses('bad-signature', withVotes({ round: 1 }))
    refuses('bad-signature', { ...honest, round: 1 })
    refuses('bad-signature', withVotes({ blockId: null }))
    refuses('bad-signature', withVotes({ type: voteType.prevote }))
    refuses('bad-signature', withVotes({ height: 6 }))
    refuses('bad-signature', withVotes({ chainId: 'onus-00000000000000000000-1' }))
    const parts = { ...block.blockId, partSetHeader: { total: 4, hash: block.blockId.partSetHeader.hash } }
    refuses('bad-signature', withVotes({ blockId: parts }))
    refuses('bad-signature', { ...honest, partSetHeader: { ...honest.partSetHeader, total: 4 } })
    const late = honest.signatures.map((entry) => ({ ...entry, timestamp: { seconds: 1, nanoseconds: 0 } }))
    refuses('bad-signature', { ...honest, signatures: late })
  })

  test('keys of no member, or of another one', () => {
    const strangers = syntheticCluster([10, 10, 10, 10], 'strangers', { clusterId: cluster.genesis.clusterId })
    const theirs = syntheticCertificate(strangers, block)
    refuses('bad-signature', { ...honest, signatures: theirs.signatures })
    refuses('wrong-members', syntheticCertificate(strangers, syntheticBlock(strangers)))
    const [a, b, ...rest] = honest.signatures as [Signed, Signed, ...Signed[]]
    const swapped = [{ ...b, validator: a.validator }, { ...a, validator: b.validator }, ...rest]
    refuses('bad-signature', { ...honest, signatures: swapped })
  })

  test('one bad signature spoils the rest, even where enough others are good', () => {
    const signatures = honest.signatures.map((entry, index) =>
      index === 3 ? { ...entry, signature: signVote(cluster, block, 3, { round: 9 }).signature } : entry,
    )
    refuses('bad-signature', { ...honest, signatures })
    assert.equal(verify({ ...honest, signatures: signatures.slice(0, 3) }).signers.length, 3)
  })

  test('the second form of a true signature: high S, or the other V', () => {
    const replaced = (change: (signature: Uint8Array) => Uint8Array): UnverifiedCertificate => ({
      ...honest,
      signatures: honest.signatures.map((entry, index) =>
        index === 0 ? { ...entry, signature: change(entry.signature) } : entry,
      ),
    })
    refuses('bad-signature', replaced(mirrored))
    refuses(
      'bad-signature',
      replaced((signature) => signature.map((byte, at) => (at === 64 ? byte ^ 1 : byte))),
    )
  })
})

describe('too few signatures', () => {
  const sizes = (powers: readonly number[], signers: readonly number[]): string | null => {
    const made = syntheticCluster(powers, 'quorum')
    const certificate = syntheticCertificate(made, syntheticBlock(made), signers)
    return rejectionOf(() => verify(certificate, made.trusted))
  }

  test('none at all', () => {
    assert.equal(sizes([1, 1, 1, 1], []), 'too-few-signatures')
  })

  test('exactly two thirds of power and count', () => {
    assert.equal(sizes([1, 1, 1], [0, 1]), 'too-few-signatures')
    assert.equal(sizes([5, 5, 5, 5, 5, 5], [0, 1, 2, 3]), 'too-few-signatures')
    assert.equal(sizes([5, 5, 5, 5, 5, 5], [0, 1, 2, 3, 4]), null)
  })

  test('exactly two thirds of the power, though four of five members', () => {
    assert.equal(sizes([3, 3, 1, 1, 1], [0, 2, 3, 4]), 'too-few-signatures')
    assert.equal(sizes([3, 3, 1, 1, 1], [0, 1, 2, 3]), null)
  })

  test('exactly two thirds of the members, though nearly all of the power', () => {
    assert.equal(sizes([10, 10, 1], [0, 1]), 'too-few-signatures')
    assert.equal(sizes([100, 100, 100, 100, 1, 1], [0, 1, 2, 3]), 'too-few-signatures')
  })

  test('one signer counted twice, beside or far from itself, or signers out of order', () => {
    const [a, b, c] = honest.signatures as [Signed, Signed, Signed, Signed]
    for (const signatures of [
      [a, a, b],
      [a, b, a],
      [a, a, a, a],
      [b, a, c],
      [c, b, a],
    ]) {
      const certificate = { ...honest, signatures }
      refuses('certificate-form', certificate)
      assertRejects('certificate-form', () => decodeCertificate(encodeCertificate(certificate)))
    }
  })

  test('a signer beyond the set', () => {
    const signatures = [...honest.signatures.slice(0, 3), { ...honest.signatures[3], validator: 4 }]
    refuses('unknown-signer', { ...honest, signatures } as UnverifiedCertificate)
    const odd = [{ ...honest.signatures[0], validator: 0.5 }] as UnverifiedCertificate['signatures']
    refuses('unknown-signer', { ...honest, signatures: odd })
  })
})

describe('another cluster, epoch or membership', () => {
  test('a header of another chain or epoch', () => {
    refuses('wrong-cluster', honest, { ...trusted, epoch: 2 })
    refuses('wrong-cluster', honest, { ...trusted, clusterId: seededHash('other') })
    const foreign = syntheticBlock(cluster, { header: { chainId: 'onus-ffffffffffffffffffff-1' } })
    refuses('wrong-cluster', syntheticCertificate(cluster, foreign))
  })

  test('a cluster id that shares only the ten bytes that the chain id shows', () => {
    const clusterId = trusted.clusterId.map((byte, index) => (index < 10 ? byte : byte ^ 0xff))
    refuses('wrong-cluster', honest, { ...trusted, clusterId })
  })

  test('members other than those in the header', () => {
    const more = syntheticCluster([10, 10, 10, 10, 10])
    refuses('wrong-members', honest, { ...trusted, validators: more.trusted.validators })
    const powers = syntheticCluster([10, 10, 10, 11])
    refuses('wrong-members', honest, { ...trusted, validators: powers.trusted.validators })
    refuses('wrong-members', honest, { ...trusted, membershipVersion: 2 })
  })

  test('a manifest of another height, time, cluster, epoch or membership that the quorum sealed', () => {
    const sealed = (manifest: Partial<Manifest>): UnverifiedCertificate =>
      syntheticCertificate(cluster, syntheticBlock(cluster, { manifest }))
    refuses('wrong-manifest', sealed({ height: 4 }))
    refuses('wrong-manifest', sealed({ time: { ...block.header.time, nanoseconds: 0 } }))
    refuses('wrong-cluster', sealed({ clusterId: seededHash('other') }))
    refuses('wrong-cluster', sealed({ epoch: 2 }))
    refuses('wrong-members', sealed({ membershipVersion: 2 }))
  })
})

describe('forged seals', () => {
  const forged = encodeManifest({ ...block.manifest, stateRoot: seededHash('a better state') })

  test('a manifest that is not in the block', () => {
    refuses('wrong-seal', { ...honest, manifest: forged })
    refuses('wrong-seal', { ...honest, manifest: syntheticBlock(cluster, { height: 6 }).encodedManifest })
  })

  test('a whole seal as item 1, with every proof that its tree has', () => {
    for (const extra of [0, 1, 2, 5]) {
      const made = syntheticBlock(cluster, {
        items: (items) => [...items, encodeSeal(forged), ...new Array<Uint8Array>(extra).fill(Uint8Array.of(1))],
      })
      const base = { ...syntheticCertificate(cluster, made), manifest: forged }
      for (let index = 0; index < made.items.length; index++)
        for (let itemCount = 0; itemCount <= 16; itemCount++)
          refuses('wrong-seal', { ...base, itemCount, sealProof: itemProof(made.items, index) })
    }
  })

  test('a whole seal as the argument of a call: no node above it stands for it', () => {
    const made = syntheticBlock(cluster, { argument: encodeSeal(forged), calls: 1 })
    assert.ok(Buffer.from(made.blockData).includes(Buffer.from(encodeSeal(forged))))
    const base = { ...syntheticCertificate(cluster, made), manifest: forged }
    verify({ ...base, manifest: made.encodedManifest })
    for (const sealProof of [[], itemProof(made.items, 0), itemProof(made.items, 1)])
      for (let itemCount = 0; itemCount <= 8; itemCount++) refuses('wrong-seal', { ...base, itemCount, sealProof })
  })

  test('an item that is itself the inner node of a forged tree', () => {
    const left = merkleLeaf(nobleHasher, nobleHasher.sha256(encodeSeal(forged)))
    const right = seededHash('sibling')
    const node = merkleNode(nobleHasher, left, right)
    for (const item of [
      node,
      Uint8Array.of(1, ...left, ...right),
      Uint8Array.of(...left, ...right),
      encodeSeal(forged),
    ]) {
      const made = syntheticBlock(cluster, { items: (items) => [items[1] as Uint8Array, item] })
      const base = { ...syntheticCertificate(cluster, made), manifest: forged }
      for (const sealProof of [
        [right],
        [right, ...itemProof(made.items, 0)],
        [right, ...itemProof(made.items, 1)],
        itemProof(made.items, 1),
      ])
        for (let itemCount = 1; itemCount <= 8; itemCount++) refuses('wrong-seal', { ...base, itemCount, sealProof })
    }
  })

  test('an item count of another path length, more or fewer siblings', () => {
    for (const itemCount of [0, 1, 3, 4, 5, 100, 2 ** 32 - 1]) refuses('wrong-seal', { ...honest, itemCount })
    refuses('wrong-seal', { ...honest, sealProof: [] })
    refuses('wrong-seal', { ...honest, sealProof: [...honest.sealProof, seededHash('more')] })
  })

  test('a block whose item 0 is no seal', () => {
    const made = syntheticBlock(cluster, { items: (items) => [...items].reverse() })
    refuses('wrong-seal', syntheticCertificate(cluster, made))
  })

  test('a seal that holds no manifest is refused though the quorum signed it', () => {
    const broken = block.encodedManifest.slice()
    broken[1023] = 1
    const made = syntheticBlock(cluster, { items: (items) => [encodeSeal(broken), items[1] as Uint8Array] })
    refuses('manifest-form', { ...syntheticCertificate(cluster, made), manifest: broken })
  })
})

test('a certificate with any one byte changed is refused', () => {
  const bytes = encodeCertificate(honest)
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice()
    changed[at] = (changed[at] as number) ^ 1
    const code = rejectionOf(() => verify(decodeCertificate(changed)))
    assert.notEqual(code, null, `byte ${at} of ${bytes.length}`)
  }
})

describe('receipts', () => {
  const certificate = verify(honest)
  const proof = syntheticReceiptProof(block, 1)
  const refusesReceipt = (changes: Partial<ReceiptProof>): void =>
    assertRejects('wrong-receipt', () => certificate.verifyReceipt({ ...proof, ...changes }))

  test('at another index, of another height, or past the transactions of the block', () => {
    assert.deepEqual(certificate.verifyReceipt(proof), block.receipts[1])
    for (const index of [0, 2, 3, 5, 6, 7, 65_535, -1, 1.5, Number.NaN]) refusesReceipt({ index })
    for (const height of [4, 6, 0]) refusesReceipt({ height })
  })

  test('with any field changed', () => {
    const { receipt } = proof
    refusesReceipt({ receipt: { ...receipt, transactionId: seededHash('other') } })
    refusesReceipt({ receipt: { ...receipt, status: 1 } })
    refusesReceipt({ receipt: { ...receipt, rejection: rejectionCode.expired } })
    refusesReceipt({ receipt: { ...receipt, gasUsed: receipt.gasUsed + 1 } })
    refusesReceipt({ receipt: { ...receipt, output: Uint8Array.of(...receipt.output, 0) } })
    refusesReceipt({ receipt: { ...receipt, output: receipt.output.subarray(1) } })
  })

  test('with another sibling, fewer or more', () => {
    for (let at = 0; at < 512; at += 32)
      refusesReceipt({ siblings: proof.siblings.map((byte, index) => (index === at ? byte ^ 1 : byte)) })
    refusesReceipt({ siblings: proof.siblings.subarray(32) })
    refusesReceipt({ siblings: Uint8Array.of(...proof.siblings, ...seededHash('more')) })
    refusesReceipt({ siblings: syntheticReceiptProof(block, 0).siblings })
  })

  test('of another block with the same height', () => {
    const other = syntheticBlock(cluster, { calls: 9 })
    for (let index = 0; index < 9; index++)
      assertRejects('wrong-receipt', () => certificate.verifyReceipt(syntheticReceiptProof(other, index)))
  })
})
