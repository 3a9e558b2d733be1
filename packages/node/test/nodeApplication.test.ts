/** The node as consensus sees it: sizes of proposals after failed rounds (S10), what the key may sign (S1), dissent. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BlockRequest, PrepareProposalRequest } from '@onus/node/abci/application'
import { NodeApplication, type WrongBlock } from '@onus/node/nodeApplication'
import { nativeCurve, nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import { ExecutedBlocks } from '@onus/node/signer/signingPolicy'
import { Wakes } from '@onus/node/wakes'
import type { WorkerClient } from '@onus/node/worker/channel'
import type { Proposal } from '@onus/node/worker/execution'
import type { ExecutionMethods, FinalizeAnswer } from '@onus/node/worker/executionWorker'
import { OnusError } from '@onus/protocol/errors'
import { chainIdOfGenesis } from '@onus/protocol/genesis'
import { addressOf } from '@onus/protocol/signature'
import { seededBytes } from './support/seeded.js'
import { hashing, memberKeys, placeAt, testCluster } from './support/testNode.js'

const { genesis, genesisHash } = testCluster()
const chainId = chainIdOfGenesis(genesis)
const [own, other] = [0, 1].map((index) => addressOf(nativePublicKeyOf(memberKeys[index] as Uint8Array)).slice()) as [
  Uint8Array,
  Uint8Array,
]

interface Scripted {
  propose: Proposal
  equal: boolean
  finalize: FinalizeAnswer
  position: object
}

function application(script: Partial<Scripted> = {}) {
  const asked: { method: string; argument: unknown }[] = []
  const answers: Scripted = {
    propose: { content: { seal: seededBytes('seal'), blockData: seededBytes('data') }, left: 0, oversized: [] },
    equal: true,
    finalize: { kind: 'empty', appHash: seededBytes('app'), poolSize: 3 },
    position: { height: 0, appHash: genesisHash, chain: { height: 0, range: { size: 0 } } },
    ...script,
  }
  const execution = {
    call: async (method: string, argument: unknown): Promise<unknown> => {
      asked.push({ method, argument })
      if (method === 'process')
        return answers.equal ? { equal: true } : { equal: false, reason: 'result-differs: x', ownManifest: null }
      return answers[method as keyof Scripted]
    },
  } as unknown as WorkerClient<ExecutionMethods>
  const executed = new ExecutedBlocks()
  const told: unknown[] = []
  const made = new NodeApplication({
    chainId,
    address: own,
    genesisHash,
    members: genesis.validators,
    powers: null,
    execution,
    executed,
    wakes: new Wakes({
      hasher: hashing,
      curve: nativeCurve,
      chainId,
      privateKey: memberKeys[0] as Uint8Array,
      address: own,
      members: genesis.validators.validators,
      broadcast: async () => undefined,
    }),
    onDeciding: () => undefined,
    onDecided: (height, milliseconds, block, poolSize) => told.push(['decided', height, milliseconds, block, poolSize]),
    onDissent: async (wrong: WrongBlock) => {
      told.push(['dissent', wrong.reason])
    },
    onOversized: (ids) => told.push(['oversized', ids]),
    onRefused: (height, reason) => told.push(['refused', height, reason]),
    onPowers: (height) => told.push(['powers', height]),
  })
  return { made, asked, answers, executed, told }
}

function prepare(height: number, mempool: readonly Uint8Array[] = []): PrepareProposalRequest {
  return { ...placeAt(height), mempool } as unknown as PrepareProposalRequest
}

function block(height: number, proposer: Uint8Array, label = 'block'): BlockRequest {
  return {
    ...placeAt(height),
    hash: seededBytes(label),
    items: [seededBytes('item')],
    proposerAddress: proposer,
  } as unknown as BlockRequest
}

describe('application of a node', () => {
  test('proposals of a height get smaller with each round that had one, at last empty; the next height begins anew', async () => {
    const { made, asked } = application()
    const shareOf = async (height: number): Promise<number> => {
      const before = asked.length
      await made.prepareProposal(prepare(height))
      const call = asked.slice(before).find(({ method }) => method === 'propose')
      return call === undefined ? 0 : (call.argument as { share: number }).share
    }
    const shares: number[] = []
    for (let round = 0; round < 5; round++) {
      shares.push(await shareOf(7))
      await made.processProposal(block(7, own))
    }
    assert.deepEqual(shares, [1, 1, 0.5, 0.125, 0])
    assert.equal(await shareOf(8), 1)
    // Rounds of others count as well, whether their block was right or not.
    const { made: second, asked: askedOfSecond, answers } = application()
    for (const [round, equal] of [true, false, true].entries()) {
      answers.equal = equal
      await second.processProposal(block(9, other, `round ${round}`))
    }
    await second.prepareProposal(prepare(9))
    const { argument } = askedOfSecond[askedOfSecond.length - 1] ?? assert.fail('nothing was asked')
    assert.equal((argument as { share: number }).share, 0.125)
  })

  test('the key may sign a block only after its result was found equal', async () => {
    const { made, answers, executed, told } = application()
    answers.equal = false
    assert.equal(await made.processProposal(block(3, other, 'wrong')), false)
    assert.equal(executed.allows(3, seededBytes('wrong')), false)
    assert.ok(made.hasRejected(seededBytes('wrong')))
    assert.deepEqual(told, [['refused', 3, 'result-differs: x']])
    answers.equal = true
    assert.equal(await made.processProposal(block(3, other, 'right')), true)
    assert.ok(executed.allows(3, seededBytes('right')) && !executed.allows(4, seededBytes('right')))
    assert.equal(executed.composed(3), false)
    await made.prepareProposal(prepare(3))
    assert.ok(executed.composed(3))
    await made.finalizeBlock(block(5, other))
    assert.ok(!executed.allows(3, seededBytes('right')) && !executed.composed(3))
  })

  test('a decided block is told with its time; a wrong one stops the engine after its evidence is kept', async () => {
    const { made, answers, told } = application()
    const { appHash } = await made.finalizeBlock(block(4, other))
    assert.deepEqual(appHash, seededBytes('app'))
    assert.deepEqual(told, [['decided', 4, placeAt(4).time.seconds * 1000, null, 3]])
    answers.finalize = { kind: 'dissent', reason: 'result-differs', ownManifest: null }
    await assert.rejects(made.finalizeBlock(block(5, other)), { name: 'OnusError', code: 'dissent' })
    assert.deepEqual(told.slice(1), [['dissent', 'result-differs']])
  })

  test('what fits into no block is told, and a block without content takes the wakes in', async () => {
    const ids = [seededBytes('id')]
    const { made, told } = application({ propose: { content: null, left: 5, oversized: ids } })
    const wake = new Uint8Array(105)
    wake.set(Buffer.from('onus/wake/1\0'))
    assert.deepEqual(await made.prepareProposal(prepare(2, [wake, seededBytes('garbage')])), [wake])
    assert.deepEqual(told, [['oversized', ids]])
    const full = application()
    const items = await full.made.prepareProposal(prepare(2, [wake]))
    assert.deepEqual(items, [seededBytes('seal'), seededBytes('data'), wake])
  })

  test('garbage for the mempool is refused by its code, and another chain is refused at the start', async () => {
    const { made } = application()
    const answer = await made.checkTx({ transaction: seededBytes('garbage'), recheck: false })
    assert.equal(answer.code, 1)
    assert.match(answer.log, /^wake-form: /)
    const request = { chainId: 'onus-00000000000000000000-1', time: placeAt(0).time, initialHeight: 1, validators: [] }
    await assert.rejects(made.initChain(request), { code: 'chain-id' })
    assert.deepEqual(await made.initChain({ ...request, chainId }), { appHash: genesisHash })
    assert.equal((await made.query()).code, 1)
  })

  test('Info tells height 0 before the first block, and the position after it', async () => {
    const { made, answers } = application()
    assert.deepEqual(await made.info(), { lastBlockHeight: 0, lastBlockAppHash: new Uint8Array(0) })
    answers.position = { height: 1, appHash: genesisHash, chain: { height: 0, range: { size: 0 } } }
    assert.deepEqual(await made.info(), { lastBlockHeight: 1, lastBlockAppHash: genesisHash })
    answers.position = { height: 64, appHash: seededBytes('app'), chain: { height: 60, range: { size: 2 } } }
    assert.deepEqual(await made.info(), { lastBlockHeight: 64, lastBlockAppHash: seededBytes('app') })
  })

  test('a bug in the worker is no verdict: it passes on and stops the engine', async () => {
    const { made } = application()
    const broken = { ...block(1, other), items: null } as unknown as BlockRequest
    await assert.rejects(made.processProposal(broken), (error) => !(error instanceof OnusError))
  })
})
