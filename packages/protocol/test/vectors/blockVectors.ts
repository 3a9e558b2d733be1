/** Vectors of a block: receipts, block data, manifest and seal, genesis and members. */
import { encodeBlockData } from '../../src/blockData.js'
import { chainIdOfGenesis, encodeGenesis } from '../../src/genesis.js'
import { nobleHasher } from '../../src/hash.js'
import { encodeManifest, encodeSeal, type Manifest, manifestHash } from '../../src/manifest.js'
import { encodeReceiptProof, outputRoot, receiptLeaf } from '../../src/receipt.js'
import { nobleCurve } from '../../src/signature.js'
import { swarmReference } from '../../src/swarm.js'
import { encodeEnvelope, envelopeKind, signEnvelope } from '../../src/transaction.js'
import { encodeMembers, validatorsHash } from '../../src/validatorSet.js'
import { sampleEnvelopes } from '../support/codecs.js'
import { seededBytes, seededHash, seededKey } from '../support/seeded.js'
import { syntheticBlock, syntheticCall, syntheticCluster, syntheticReceiptProof } from '../support/syntheticCluster.js'
import { jsonOf, type VectorFile } from './vectorFile.js'

export function receiptVectors(): VectorFile {
  const outputs = [0, 1, 32, 33, 1000].map((length) => {
    const output = seededBytes(`output ${length}`, length)
    return { output, root: outputRoot(nobleHasher, output) }
  })
  const block = syntheticBlock(syntheticCluster([10, 10, 10, 10]))
  const cases = block.receipts.map((receipt, index) => ({
    receipt,
    leaf: receiptLeaf(nobleHasher, receipt),
    file: encodeReceiptProof(syntheticReceiptProof(block, index)),
  }))
  return {
    note: 'spec/receipt.md. Roots over outputs; then the receipts of one block in order, the root of their tree, and the file of each with its proof.',
    ...(jsonOf({ outputs, height: block.header.height, receiptsRoot: block.manifest.receiptsRoot, cases }) as object),
  }
}

/** Block data of one call whose argument is `argumentLength` times the byte 61, signed by the key of `owner`. */
function paddingCase(argumentLength: number): object {
  const { domain, genesis } = syntheticCluster([10, 10, 10, 10])
  const call = syntheticCall(0, { argument: new Uint8Array(argumentLength).fill(0x61) })
  const key = seededKey('owner')
  const envelope = signEnvelope(nobleHasher, nobleCurve, domain, envelopeKind.accountCalls, [call], key)
  const { clusterId, epoch } = genesis
  const begin = {
    clusterId,
    epoch,
    height: 1,
    time: { seconds: 1, nanoseconds: 0 },
    previousManifest: new Uint8Array(32),
  }
  const bytes = encodeBlockData({ begin, envelopes: [encodeEnvelope(envelope)] })
  return {
    argumentLength,
    unpaddedLength: argumentLength + 400,
    length: bytes.length,
    signature: envelope.signature,
    reference: swarmReference(nobleHasher, bytes),
  }
}

export function blockDataVectors(): VectorFile {
  const cluster = syntheticCluster([10, 10, 10, 10])
  const { clusterId, epoch } = cluster.genesis
  const time = { seconds: 1_700_000_100, nanoseconds: 7 }
  const begin = { clusterId, epoch, height: 12, time, previousManifest: seededHash('previous') }
  const all = sampleEnvelopes(cluster)
  const cases = [all.slice(0, 1), all].map((envelopes) => {
    const bytes = encodeBlockData({ begin, envelopes })
    return { begin, envelopes, bytes, reference: swarmReference(nobleHasher, bytes) }
  })
  const group = 128 * 4096
  const padding = [group - 400, group - 399, group - 400 + 4096, group - 400 + 4097].map(paddingCase)
  const paddedCall = { ...syntheticCall(0), argument: '61 repeated argumentLength times' }
  return {
    note: 'spec/block-data.md. Block data with its Swarm reference; `padding`: blocks around 128 and 129 chunks, of one envelope of kind 1 with the call `paddedCall` at height 1, second 1 and no previous manifest.',
    ...(jsonOf({ domain: cluster.domain, cases, paddedCall, padding }) as object),
  }
}

export function manifestVectors(): VectorFile {
  const plain = syntheticBlock(syntheticCluster([10, 10, 10, 10])).manifest
  const full: Manifest = {
    ...plain,
    epoch: 2,
    membershipVersion: 3,
    nextMembershipVersion: 4,
    nextMembershipHeight: 1000,
    nextMembersHash: seededHash('next members'),
    time: { seconds: 18_446_744_073, nanoseconds: 709_551_615 },
    gasUsed: Number.MAX_SAFE_INTEGER,
    v8Version: 'x'.repeat(32),
    observation: { blockNumber: 20_000_000, blockHash: seededHash('Ethereum block'), membershipVersion: 4 },
  }
  const cases = [plain, full].map((manifest) => {
    const bytes = encodeManifest(manifest)
    return { manifest, bytes, hash: manifestHash(nobleHasher, bytes), seal: encodeSeal(bytes) }
  })
  return {
    note: 'spec/manifest.md. A manifest, its 1,024 bytes, its hash (the Swarm address of these bytes) and the seal that carries it.',
    ...(jsonOf({ cases }) as object),
  }
}

export function genesisVectors(): VectorFile {
  const cases = [
    [10, 10, 10, 10],
    [4, 3, 3, 2, 1, 1, 1],
  ].map((powers) => {
    const { genesis } = syntheticCluster(powers)
    const { membershipVersion, validators } = genesis
    return {
      genesis,
      bytes: encodeGenesis(genesis),
      chainId: chainIdOfGenesis(genesis),
      validatorsHash: validatorsHash(nobleHasher, validators),
      members: encodeMembers(membershipVersion, validators),
    }
  })
  return {
    note: 'spec/genesis.md. Genesis of a local cluster: its id is 5 zero bytes and the last 27 of keccak256 of the file with an id of 32 zero bytes. `members` is the members file.',
    ...(jsonOf({ cases }) as object),
  }
}
