/** Vectors of what clients sign: envelopes of every kind, ids, digests, typed data; sessions and call headers. */
import { encodeCallInput } from '../../src/callHeader.js'
import type { ClusterDomain } from '../../src/chainId.js'
import { fixedTreeRoot } from '../../src/fixedTree.js'
import { nobleHasher } from '../../src/hash.js'
import { keccakTreeRoot } from '../../src/keccakTree.js'
import { openingTypedDataDigest } from '../../src/openingTypedData.js'
import { type Session, sessionLeaf, sessionTreeDepth } from '../../src/session.js'
import { addressOf, nobleCurve, publicKeyOf } from '../../src/signature.js'
import {
  type EnvelopeKind,
  encodeEnvelope,
  envelopeDigest,
  envelopeKind,
  signEnvelope,
  type Transaction,
  transactionIds,
} from '../../src/transaction.js'
import { syntheticOpening } from '../support/codecs.js'
import { openingTypes } from '../support/openingTypes.js'
import { seededBytes, seededHash, seededKey } from '../support/seeded.js'
import { syntheticCall } from '../support/syntheticCluster.js'
import { jsonOf, type VectorFile } from './vectorFile.js'

const domain: ClusterDomain = { clusterId: seededHash('cluster'), epoch: 1, ethereumChainId: 31_337 }
const owner = seededKey('owner')
const device = seededKey('device')

function envelopeCase(
  what: string,
  kind: EnvelopeKind,
  transactions: readonly Transaction[],
  privateKey: Uint8Array,
): object {
  const envelope = signEnvelope(nobleHasher, nobleCurve, domain, kind, transactions, privateKey)
  const ids = transactionIds(nobleHasher, domain, envelope)
  return {
    what,
    kind,
    transactions,
    bodies: envelope.bodies,
    ids,
    ...(transactions[0]?.type === 'call' ? { root: keccakTreeRoot(nobleHasher, ids) } : {}),
    digest: envelopeDigest(nobleHasher, domain, envelope, ids),
    privateKey,
    signer: addressOf(publicKeyOf(privateKey)),
    signature: envelope.signature,
    envelope: encodeEnvelope(envelope),
  }
}

export function transactionVectors(): VectorFile {
  const calls = (count: number): Transaction[] => Array.from({ length: count }, (_, index) => syntheticCall(index))
  const cases = [
    envelopeCase('one call of an account', envelopeKind.accountCalls, calls(1), owner),
    envelopeCase('one call of a session key', envelopeKind.sessionKeyCalls, calls(1), device),
    ...[2, 3, 5, 8].map((count) => envelopeCase(`a batch of ${count}`, envelopeKind.accountCalls, calls(count), owner)),
    envelopeCase(
      'an opening by the account that signs the calls',
      envelopeKind.accountOpening,
      [syntheticOpening(owner, owner)],
      owner,
    ),
    envelopeCase(
      'an opening by EIP-712 for a session key, with an admission',
      envelopeKind.typedOpening,
      [syntheticOpening(owner, device, seededBytes('admission', 21))],
      owner,
    ),
  ]
  return {
    note: 'spec/transaction.md. Under the domain, each envelope with the bodies, ids and digest that its signature is over.',
    ...(jsonOf({ domain, cases }) as object),
  }
}

export function openingTypedDataVectors(): VectorFile {
  const openings = [
    syntheticOpening(owner, device),
    syntheticOpening(owner, device, seededBytes('admission', 255)),
    {
      ...syntheticOpening(owner, owner),
      session: { slot: 2 ** 32 - 1, generation: 2 ** 32 - 1 },
      closes: { height: Number.MAX_SAFE_INTEGER, time: Number.MAX_SAFE_INTEGER },
      expiry: { height: 0, time: 0 },
    },
  ]
  const cases = openings.map((opening) => ({ opening, digest: openingTypedDataDigest(nobleHasher, domain, opening) }))
  const wallet = { name: 'Onus', version: '1', chainId: domain.ethereumChainId, salt: domain.clusterId }
  return {
    note: 'spec/transaction.md 4. EIP-712 typed data of an opening: types as a wallet gets them, domain, digests. Generic EIP-712 software must give the same.',
    ...(jsonOf({ types: openingTypes, primaryType: 'OpenSession', wallet, epoch: domain.epoch, cases }) as object),
  }
}

export function sessionVectors(): VectorFile {
  const sessions: readonly { slot: number; session: Session | null }[] = [
    { slot: 0, session: null },
    {
      slot: 1,
      session: {
        owner: seededBytes('owner', 20),
        key: seededBytes('owner', 20),
        callKind: envelopeKind.accountCalls,
        generation: 0,
        nextCounter: 0,
        closes: { height: 1000, time: 1_700_000_000_000 },
      },
    },
    {
      slot: 2,
      session: {
        owner: seededBytes('owner', 20),
        key: seededBytes('key', 20),
        callKind: envelopeKind.sessionKeyCalls,
        generation: 2 ** 32 - 1,
        nextCounter: Number.MAX_SAFE_INTEGER,
        closes: { height: Number.MAX_SAFE_INTEGER, time: Number.MAX_SAFE_INTEGER },
      },
    },
  ]
  const cases = sessions.map((entry) => ({ ...entry, leaf: sessionLeaf(nobleHasher, entry.session) }))
  const leaves = new Uint8Array(Buffer.concat(cases.map(({ leaf }) => leaf)))
  return {
    note: 'spec/session.md 1. Leaf of a session, and the root of the tree of depth 24 in which these slots hold them.',
    ...(jsonOf({ cases, root: fixedTreeRoot(nobleHasher, leaves, sessionTreeDepth) }) as object),
  }
}

export function callHeaderVectors(): VectorFile {
  const contexts = [
    {
      caller: seededBytes('owner', 20),
      session: { slot: 7, generation: 2 },
      counter: 41,
      height: 12,
      milliseconds: 1_700_000_000_123,
      transactionId: seededHash('transaction'),
      previousManifest: seededHash('previous'),
    },
    {
      caller: new Uint8Array(20),
      session: { slot: 0, generation: 0 },
      counter: 0,
      height: 12,
      milliseconds: 1_700_000_000_123,
      transactionId: new Uint8Array(32),
      previousManifest: seededHash('previous'),
    },
    {
      caller: new Uint8Array(20).fill(0xff),
      session: { slot: 2 ** 32 - 1, generation: 2 ** 32 - 1 },
      counter: Number.MAX_SAFE_INTEGER,
      height: Number.MAX_SAFE_INTEGER,
      milliseconds: Number.MAX_SAFE_INTEGER,
      transactionId: seededHash('transaction'),
      previousManifest: new Uint8Array(32),
    },
  ]
  const cases = contexts.map((context) => ({
    ...context,
    header: encodeCallInput(nobleHasher, context, new Uint8Array(0)),
  }))
  return {
    note: 'spec/transaction.md 5. The 256 bytes before the argument of a call; the second is the header of a query without caller.',
    ...(jsonOf({ cases }) as object),
  }
}
