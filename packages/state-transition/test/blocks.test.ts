/** A block from both sides: what a proposer built, a validator finds; and what it found, it can undo and prove. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fixedTreeProof, fixedTreeRoot, verifyFixedTreeProof } from '@onus/protocol/fixedTree'
import { nobleHasher } from '@onus/protocol/hash'
import { decodeManifest, manifestHash } from '@onus/protocol/manifest'
import { merkleRoot } from '@onus/protocol/merkleTree'
import { receiptLeaf, receiptStatus, receiptsTreeDepth } from '@onus/protocol/receipt'
import { sessionLeaf, sessionTreeDepth } from '@onus/protocol/session'
import { addressOf, publicKeyOf } from '@onus/protocol/signature'
import { swarmReference } from '@onus/protocol/swarm'
import { envelopeKind, transactionIds } from '@onus/protocol/transaction'
import type { BlockOutcome, SignedEnvelope } from '@onus/state-transition/blockExecution'
import { buildBlock } from '@onus/state-transition/buildBlock'
import type { ClusterState } from '@onus/state-transition/clusterState'
import { executeBlock } from '@onus/state-transition/executeBlock'
import { receiptsTree } from '@onus/state-transition/receiptsTree'
import type { VirtualMachine } from '@onus/state-transition/virtualMachine'
import fc from 'fast-check'
import { assertRejects, rejectionOf } from './support/rejection.js'
import {
  account,
  beginOf,
  blockDataOf,
  callOf,
  calls,
  genesisWith,
  genuineSigner,
  momentAt,
  opening,
  seededBytes,
  signed,
  signedForReal,
  standInSigner,
  stateOf,
} from './support/testCluster.js'
import { operation, request, ToyMachine } from './support/toyMachine.js'

const sessions = 4

function openState(): ClusterState {
  const state = stateOf(genesisWith())
  const begin = beginOf(state, momentAt(1))
  const openings = Array.from({ length: sessions }, (_, slot) => opening({ slot }))
  executeBlock(state, blockDataOf(begin, openings), 1, begin.time, standInSigner)
  return state
}

const argument = fc.oneof(
  fc.tuple(fc.constant(operation.add), fc.nat(100), fc.nat(5000)),
  fc.tuple(fc.constant(operation.output), fc.nat(300), fc.nat(255)),
  fc.tuple(fc.constant(operation.burn), fc.nat(1200), fc.constant(0)),
  fc.constant([operation.trap, 0, 0] as const),
)

/** Envelopes of several sessions whose counters are mostly, but not always, the next ones. */
const envelopes = fc
  .array(
    fc.record({
      slot: fc.nat(sessions),
      skip: fc.oneof(
        { weight: 8, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: -1, max: 2 }) },
      ),
      count: fc.integer({ min: 1, max: 4 }),
      argument,
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((plans) => {
    const next = new Map<number, number>()
    return plans.map(({ slot, skip, count, argument: [code, a, b] }): SignedEnvelope => {
      const from = Math.max(0, (next.get(slot) ?? 0) + skip)
      next.set(slot, Math.max(next.get(slot) ?? 0, from + count))
      const counters = Array.from({ length: count }, (_, index) => from + index)
      return calls(slot, counters, { argument: request(code, a, b) })
    })
  })

function snapshot(state: ClusterState): unknown {
  const { stateRoot } = state.machine.endBlock()
  return { stateRoot, sessionRoot: state.sessions.root(), position: state.position }
}

/** The sessions' root computed from all leaves at once. */
function sessionRootOf(state: ClusterState): Uint8Array {
  const leaves = new Uint8Array(32 * state.sessions.slotsInUse)
  for (let slot = 0; slot < state.sessions.slotsInUse; slot++)
    leaves.set(sessionLeaf(nobleHasher, state.sessions.get(slot)), slot * 32)
  return fixedTreeRoot(nobleHasher, leaves, sessionTreeDepth)
}

function checkManifest(state: ClusterState, outcome: BlockOutcome, manifestsBefore: readonly Uint8Array[]): void {
  const { manifest, receipts } = outcome
  assert.deepEqual(decodeManifest(outcome.encodedManifest), manifest)
  const leaves = receipts.map((receipt) => receiptLeaf(nobleHasher, receipt))
  const packed = new Uint8Array(Buffer.concat(leaves))
  assert.deepEqual(outcome.receiptLeaves, packed)
  assert.deepEqual(manifest.receiptsRoot, fixedTreeRoot(nobleHasher, packed, receiptsTreeDepth))
  const tree = receiptsTree(nobleHasher, outcome.receiptLeaves)
  for (const [index, leaf] of leaves.entries()) {
    const proof = tree.proof(index)
    assert.deepEqual(proof, fixedTreeProof(nobleHasher, packed, receiptsTreeDepth, index))
    assert.ok(verifyFixedTreeProof(nobleHasher, manifest.receiptsRoot, receiptsTreeDepth, leaf, index, proof))
  }
  assert.deepEqual(manifest.blockDataReference, swarmReference(nobleHasher, outcome.blockData))
  assert.equal(manifest.blockDataLength, outcome.blockData.length)
  assert.equal(
    manifest.gasUsed,
    receipts.reduce((sum, { gasUsed }) => sum + gasUsed, 0),
  )
  assert.equal(manifest.transactionCount, receipts.length)
  assert.equal(manifest.index, manifestsBefore.length)
  assert.deepEqual(manifest.rangeRoot, merkleRoot(nobleHasher, manifestsBefore))
  assert.deepEqual(manifest.previousManifest, manifestsBefore[manifestsBefore.length - 1])
  assert.deepEqual(manifest.sessionRoot, sessionRootOf(state))
  assert.deepEqual(outcome.manifestHash, manifestHash(nobleHasher, outcome.encodedManifest))
}

function execute(state: ClusterState, outcome: Pick<BlockOutcome, 'manifest' | 'blockData'>): BlockOutcome {
  const { height, time } = outcome.manifest
  return executeBlock(state, outcome.blockData, height, time, standInSigner)
}

describe('blocks', () => {
  test('a validator finds the bytes of the proposer, undoes them and does them again', () => {
    const met = { executed: 0, trapped: 0, blocks: 0 }
    fc.assert(
      fc.property(fc.array(envelopes, { minLength: 1, maxLength: 4 }), (blocks) => {
        const [proposer, validator] = [openState(), openState()]
        const manifests = [proposer.position.manifestHash]
        blocks.forEach((candidates, index) => {
          const before = snapshot(validator)
          const begin = beginOf(proposer, momentAt(2 + index))
          const { outcome: built, taken } = buildBlock(proposer, begin, candidates, 1)
          if (built === null) {
            assert.equal(taken.length, 0)
            return
          }
          const found = execute(validator, built)
          assert.deepEqual(found.encodedManifest, built.encodedManifest)
          assert.deepEqual(found.receipts, built.receipts)
          checkManifest(validator, found, manifests)
          manifests.push(found.manifestHash)
          const after = snapshot(validator)
          const undone = validator.apply(found.undo)
          assert.deepEqual(snapshot(validator), before)
          assert.deepEqual(undone.sessionRoot, validator.sessions.root())
          const redone = validator.apply(found.delta)
          assert.deepEqual(snapshot(validator), after)
          assert.deepEqual(redone.stateRoot, found.manifest.stateRoot)
          assert.deepEqual(redone.sessionRoot, found.manifest.sessionRoot)
          met.blocks += 1
          for (const { status } of found.receipts) met[status === receiptStatus.trapped ? 'trapped' : 'executed'] += 1
        })
        assert.deepEqual(snapshot(proposer), snapshot(validator))
      }),
      { seed: 3, numRuns: 40 },
    )
    assert.ok(met.blocks > 40 && met.executed > 200 && met.trapped > 20, JSON.stringify(met))
  })

  test('a trapped call uses its counter and its whole gas limit, writes nothing and puts nothing out', () => {
    const state = openState()
    const { stateRoot } = snapshot(state) as { stateRoot: Uint8Array }
    const begin = beginOf(state, momentAt(2))
    const trap = { argument: request(operation.trap), gasLimit: 777 }
    const outcome = executeBlock(state, blockDataOf(begin, [calls(0, [0, 1], trap)]), 2, begin.time, standInSigner)
    for (const { status, gasUsed, output } of outcome.receipts)
      assert.deepEqual([status, gasUsed, output.length], [receiptStatus.trapped, 777, 0])
    assert.equal(outcome.manifest.gasUsed, 1554)
    assert.deepEqual(outcome.manifest.stateRoot, stateRoot)
    assert.equal(state.sessions.get(0)?.nextCounter, 2)
    assert.deepEqual([...outcome.details.keys()], [0, 1])
  })

  test('a call is given its header of eight words, and its argument behind it', () => {
    const machine = new ToyMachine()
    const inputs: Uint8Array[] = []
    const spy = Object.assign(Object.create(machine) as VirtualMachine, {
      call: (input: Uint8Array, gasLimit: number) => {
        inputs.push(input)
        return machine.call(input, gasLimit)
      },
      accept: () => machine.accept(),
      endBlock: () => machine.endBlock(),
    })
    const state = stateOf(genesisWith(), spy)
    const first = beginOf(state, momentAt(1))
    executeBlock(state, blockDataOf(first, [opening({ slot: 5 }), calls(5, [0])]), 1, first.time, standInSigner)
    const moment = { height: 2, milliseconds: momentAt(2).milliseconds + 7 }
    const begin = beginOf(state, moment)
    const call = calls(5, [1], { argument: request(operation.add, 9, 9) })
    executeBlock(state, blockDataOf(begin, [call]), 2, begin.time, standInSigner)
    const word = (value: bigint): string => value.toString(16).padStart(64, '0')
    const [id] = transactionIds(nobleHasher, state.genesis, call.envelope).map((bytes) => Buffer.from(bytes))
    const seedTag = Buffer.alloc(32)
    seedTag.write('onus/seed/1')
    const seed = nobleHasher.sha256(Buffer.concat([seedTag, begin.previousManifest, id as Buffer]))
    assert.equal(
      Buffer.from(inputs[1] as Uint8Array).toString('hex'),
      [
        Buffer.from(account('owner of 5')).toString('hex').padStart(64, '0'),
        word(5n << 32n),
        word(1n),
        word(2n),
        word(BigInt(moment.milliseconds)),
        (id as Buffer).toString('hex'),
        Buffer.from(seed).toString('hex'),
        word(0n),
        Buffer.from(request(operation.add, 9, 9)).toString('hex'),
      ].join(''),
    )
    assert.notEqual(Buffer.compare(begin.previousManifest, new Uint8Array(32)), 0)
  })

  test('what a call sees is in the state: another height or time gives another root', () => {
    const roots = [
      [2, 0],
      [3, 0],
      [2, 1],
    ].map(([height, milliseconds]) => {
      const state = openState()
      const moment = { height: height as number, milliseconds: momentAt(2).milliseconds + (milliseconds as number) }
      const begin = beginOf(state, moment)
      const data = blockDataOf(begin, [calls(0, [0])])
      return Buffer.from(executeBlock(state, data, moment.height, begin.time, standInSigner).manifest.stateRoot)
    })
    assert.equal(new Set(roots.map(String)).size, 3)
  })

  test('the begin record must name this cluster, epoch, height, time and the manifest before', () => {
    const state = openState()
    const before = snapshot(state)
    const right = beginOf(state, momentAt(2))
    const wrong = [
      { ...right, clusterId: seededBytes('another cluster') },
      { ...right, epoch: right.epoch + 1 },
      { ...right, height: 3 },
      { ...right, time: { seconds: right.time.seconds, nanoseconds: 1 } },
      { ...right, time: { seconds: right.time.seconds + 1, nanoseconds: 0 } },
      { ...right, previousManifest: seededBytes('another manifest') },
      { ...right, previousManifest: new Uint8Array(32) },
    ]
    for (const begin of wrong)
      assertRejects('block-begin', () =>
        executeBlock(state, blockDataOf(begin, [calls(0, [0])]), 2, right.time, standInSigner),
      )
    assert.deepEqual(snapshot(state), before)
    executeBlock(state, blockDataOf(right, [calls(0, [0])]), 2, right.time, standInSigner)
  })

  test('any change of block data is refused, or shows in the manifest', () => {
    const model = openState()
    const begin = beginOf(model, momentAt(2))
    const inside = [calls(0, [0, 1]), opening({ slot: 9 }), calls(1, [0], { argument: request(operation.output, 50) })]
    const data = blockDataOf(begin, inside)
    const honest = executeBlock(model, data, 2, begin.time, standInSigner).encodedManifest
    const state = openState()
    const before = snapshot(state)
    const seen = { refused: 0, different: 0 }
    const change = fc.oneof(
      fc.record({ at: fc.nat(data.length - 1), bit: fc.nat(7) }).map(({ at, bit }) => {
        const changed = data.slice()
        changed[at] = (changed[at] as number) ^ (1 << bit)
        return changed
      }),
      fc.nat(data.length - 1).map((length) => data.slice(0, length)),
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((more) => new Uint8Array(Buffer.concat([data, more]))),
      fc
        .record({ at: fc.nat(data.length - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 32 }) })
        .map(({ at, bytes }) => {
          const changed = data.slice()
          changed.set(bytes.subarray(0, data.length - at), at)
          return changed
        }),
    )
    fc.assert(
      fc.property(change, (changed) => {
        if (Buffer.compare(changed, data) === 0) return
        let outcome: BlockOutcome | null = null
        const refusal = rejectionOf(() => {
          outcome = executeBlock(state, changed, 2, begin.time, standInSigner)
        })
        if (refusal === null) {
          const { encodedManifest, undo } = outcome as unknown as BlockOutcome
          assert.notDeepEqual(encodedManifest, honest)
          state.apply(undo)
          seen.different += 1
        } else seen.refused += 1
        assert.deepEqual(snapshot(state), before)
      }),
      { seed: 5, numRuns: 1500 },
    )
    assert.ok(seen.refused > 300 && seen.different > 100, JSON.stringify(seen))
  })

  test('genuine signatures: of another key rejected, of no key refused', () => {
    const genesis = genesisWith()
    const state = stateOf(genesis)
    const key = seededBytes('ann')
    const owner = addressOf(publicKeyOf(key)).slice()
    const begin = beginOf(state, momentAt(1))
    const open = signedForReal(genesis, envelopeKind.accountOpening, key, [
      (opening({ slot: 0, owner }).envelope.transactions[0] ?? assert.fail()) as never,
    ])
    const call = signedForReal(genesis, envelopeKind.accountCalls, key, [callOf(0, 0), callOf(0, 1)])
    const forged = signedForReal(genesis, envelopeKind.accountCalls, seededBytes('eve'), [callOf(0, 2)])
    const recover = genuineSigner(genesis)
    const data = blockDataOf(begin, [open, call, forged])
    const { receipts } = executeBlock(state, data, 1, begin.time, recover)
    assert.deepEqual(
      receipts.map(({ status, rejection }) => [status, rejection]),
      [
        [0, 0],
        [0, 0],
        [0, 0],
        [2, 2],
      ],
    )
    const ids = transactionIds(nobleHasher, genesis, call.envelope)
    assert.deepEqual(
      receipts.slice(1, 3).map(({ transactionId }) => transactionId),
      ids,
    )
    const ofOtherCluster = signedForReal({ ...genesis, epoch: 9 }, envelopeKind.accountCalls, key, [callOf(0, 2)])
    const next = beginOf(state, momentAt(2))
    const other = executeBlock(state, blockDataOf(next, [ofOtherCluster]), 2, next.time, recover)
    assert.equal(other.receipts[0]?.status, receiptStatus.rejected, 'a signature for another epoch is of another key')
    const noKey = signed(envelopeKind.accountCalls, owner, [callOf(0, 2)])
    noKey.bytes[noKey.bytes.length - 1] = 1
    const last = beginOf(state, momentAt(3))
    const before = snapshot(state)
    assertRejects('block-signature', () =>
      executeBlock(state, blockDataOf(last, [calls(0, [0]), noKey]), 3, last.time, standInSigner),
    )
    assert.deepEqual(snapshot(state), before)
  })

  test('block data without a transaction is refused', () => {
    const state = openState()
    const begin = beginOf(state, momentAt(2))
    const data = blockDataOf(begin, [])
    assert.ok(rejectionOf(() => executeBlock(state, data, 2, begin.time, standInSigner)) !== null)
  })
})
