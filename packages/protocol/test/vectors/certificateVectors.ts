/** Vectors of certificates: true ones with all that is hashed on the way, and forged ones with the code they get. */
import { encodeCertificate, type UnverifiedCertificate } from '../../src/certificate.js'
import { voteSignBytes, voteType } from '../../src/commit.js'
import { encodeGenesis } from '../../src/genesis.js'
import { nobleHasher } from '../../src/hash.js'
import { headerHash, headerLeaves } from '../../src/header.js'
import { encodeManifest, encodeSeal, manifestHash } from '../../src/manifest.js'
import { encodeReceiptProof } from '../../src/receipt.js'
import { encodeMembers } from '../../src/validatorSet.js'
import { mirrored } from '../support/naiveCurve.js'
import { seededHash } from '../support/seeded.js'
import {
  itemProof,
  type SyntheticBlock,
  type SyntheticCluster,
  signVote,
  syntheticBlock,
  syntheticCertificate,
  syntheticCluster,
  syntheticReceiptProof,
} from '../support/syntheticCluster.js'
import { jsonOf, type VectorFile } from './vectorFile.js'

const cluster = syntheticCluster([30, 20, 20, 10, 10])

function trueCase(what: string, block: SyntheticBlock, certificate: UnverifiedCertificate): object {
  const { header, round, partSetHeader } = certificate
  const blockId = { hash: headerHash(nobleHasher, header), partSetHeader }
  const votes = certificate.signatures.map(({ validator, timestamp, signature }) => {
    const vote = { type: voteType.precommit, height: header.height, round, blockId, timestamp, chainId: header.chainId }
    const bytes = voteSignBytes(vote)
    return { validator, bytes, digest: nobleHasher.keccak256(bytes), signature }
  })
  return {
    what,
    certificate: encodeCertificate(certificate),
    headerLeaves: headerLeaves(header),
    headerHash: blockId.hash,
    votes,
    sealItemHash: nobleHasher.sha256(encodeSeal(certificate.manifest)),
    manifestHash: manifestHash(nobleHasher, certificate.manifest),
    receipt: encodeReceiptProof(syntheticReceiptProof(block, 1)),
  }
}

function forgedCases(made: SyntheticCluster): { what: string; code: string; certificate: Uint8Array }[] {
  const block = syntheticBlock(made)
  const honest = syntheticCertificate(made, block, [0, 1, 2, 3])
  const forgedManifest = encodeManifest({ ...block.manifest, stateRoot: seededHash('a better state') })
  const smuggled = syntheticBlock(made, { items: (items) => [...items, encodeSeal(forgedManifest)] })
  const otherRound = signVote(made, block, 0, { round: 1 })
  const prevote = signVote(made, block, 0, { type: voteType.prevote })
  const forNil = signVote(made, block, 0, { blockId: null })
  const withFirst = (signature: Uint8Array): UnverifiedCertificate => ({
    ...honest,
    signatures: honest.signatures.map((entry, index) => (index === 0 ? { ...entry, signature } : entry)),
  })
  const [first] = honest.signatures as [UnverifiedCertificate['signatures'][number]]
  const cases: [string, string, UnverifiedCertificate][] = [
    ['a precommit of another round among the rest', 'bad-signature', withFirst(otherRound.signature)],
    ['a prevote among the precommits', 'bad-signature', withFirst(prevote.signature)],
    ['a precommit for nil', 'bad-signature', withFirst(forNil.signature)],
    ['S mirrored', 'bad-signature', withFirst(mirrored(first.signature))],
    [
      'three of five members, 70 of 90 of the power',
      'too-few-signatures',
      syntheticCertificate(made, block, [0, 1, 2]),
    ],
    [
      'exactly 60 of 90 of the power, four of five members',
      'too-few-signatures',
      syntheticCertificate(made, block, [1, 2, 3, 4]),
    ],
    ['a signer twice', 'certificate-form', { ...honest, signatures: [first, ...honest.signatures] }],
    ['signers out of order', 'certificate-form', { ...honest, signatures: [...honest.signatures].reverse() }],
    ['another manifest in place of the sealed one', 'wrong-seal', { ...honest, manifest: forgedManifest }],
    [
      'a seal as item 2 with its own proof',
      'wrong-seal',
      { ...syntheticCertificate(made, smuggled), manifest: forgedManifest, sealProof: itemProof(smuggled.items, 2) },
    ],
    ['an item count of another path length', 'wrong-seal', { ...honest, itemCount: 3 }],
    [
      'a manifest of another height',
      'wrong-manifest',
      syntheticCertificate(made, syntheticBlock(made, { manifest: { height: 4 } })),
    ],
    [
      'a header of another chain',
      'wrong-cluster',
      syntheticCertificate(made, syntheticBlock(made, { header: { chainId: 'onus-ffffffffffffffffffff-1' } })),
    ],
    [
      'a manifest of another membership version',
      'wrong-members',
      syntheticCertificate(made, syntheticBlock(made, { manifest: { membershipVersion: 9 } })),
    ],
  ]
  return cases.map(([what, code, certificate]) => ({ what, code, certificate: encodeCertificate(certificate) }))
}

export function certificateVectors(): VectorFile {
  const block = syntheticBlock(cluster)
  const first = syntheticBlock(cluster, {
    height: 1,
    calls: 3,
    header: { lastBlockId: null, appHash: new Uint8Array(0) },
  })
  const { genesis } = cluster
  return {
    note: 'spec/certificate.md. Trusted: the genesis file and the members file of its cluster. `verified` ones must be accepted with their receipt; `refused` ones must be refused with the code.',
    ...(jsonOf({
      genesis: encodeGenesis(genesis),
      members: encodeMembers(genesis.membershipVersion, genesis.validators),
      verified: [
        trueCase('all five members', block, syntheticCertificate(cluster, block)),
        trueCase(
          'four of five in round 2 of a first block',
          first,
          syntheticCertificate(cluster, first, [0, 1, 2, 4], { round: 2 }),
        ),
      ],
      refused: forgedCases(cluster),
    }) as object),
  }
}
