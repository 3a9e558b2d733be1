/** The real CometBFT: four processes, blocks on demand, commits that verify, a dissenter, a killed node. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { medianTime } from '@onus/node/engines/embedded/chainState'
import {
  type Block,
  consensusHash,
  encodeBlock,
  lastCommitHash,
  noEvidenceHash,
  partSetHeaderOf,
  resultsHash,
} from '@onus/node/engines/records'
import { equalBytes, toHex, utf8Bytes } from '@onus/protocol/bytes'
import { blockIdFlag } from '@onus/protocol/commit'
import type { OnusError } from '@onus/protocol/errors'
import { nobleHasher } from '@onus/protocol/hash'
import { dataHash } from '@onus/protocol/header'
import {
  caughtUp,
  type DecidedBlock,
  signaturesFor,
  TestNet,
  testBinary,
  until,
  verifySignedHeader,
} from './enginesNet.js'

const binary = await testBinary()
const wake = (text: string): Uint8Array => utf8Bytes(`onus/wake/1\0${text}`)

function blockWith(net: TestNet, index: number, item: Uint8Array): DecidedBlock | undefined {
  return net.node(index).application.decided.find(({ items }) => items.some((one) => equalBytes(one, item)))
}

/** Sends `item` through node `from` and waits until every node of `who` has it in a decided block. */
async function decide(net: TestNet, item: Uint8Array, from: number, who: readonly number[]): Promise<DecidedBlock> {
  await net.node(from).engine.broadcast(item)
  await until(`a block with ${toHex(item)}`, () => who.every((index) => blockWith(net, index, item) !== undefined))
  const block = blockWith(net, who[0] as number, item)
  assert(block !== undefined)
  return block
}

const all = [0, 1, 2, 3]

describe('four CometBFT processes', { skip: binary === null, timeout: 240_000 }, () => {
  let net: TestNet
  before(async () => {
    net = await TestNet.create(binary ?? '', 4)
    await net.start()
  })
  after(async () => {
    await net.stop()
  })

  test('one transaction makes one block with a commit that verifies on every node', async () => {
    const block = await decide(net, wake('first'), 0, all)
    for (const { engine } of net.nodes) {
      const signed = await engine.commit(block.height)
      assert(verifySignedHeader(signed, net.genesis.validators, net.genesis.chainId) >= 3)
      assert.equal(toHex(signed.commit.blockId.hash), toHex(block.hash))
      assert.equal(toHex(signed.header.dataHash), toHex(dataHash(nobleHasher, block.items)))
    }
  })

  test('headers hold exactly the hashes that the embedded engine computes', async () => {
    for (const text of ['a', 'b']) await decide(net, wake(text), 1, all)
    const { engine, application } = net.node(2)
    const last = application.height
    assert(last >= 4)
    let before = await engine.commit(1)
    assert.equal(toHex(before.header.lastCommitHash), toHex(lastCommitHash(nobleHasher, null)))
    assert.equal(toHex(before.header.lastResultsHash), toHex(resultsHash(nobleHasher, 0)))
    let lastCommit: Block['lastCommit'] = null
    for (let height = 2; height <= last; height++) {
      const items = application.decided[height - 2]?.items ?? []
      const next = await engine.commit(height)
      const { header } = next
      assert.deepEqual(header.time, medianTime(before.commit, net.genesis.validators))
      assert.equal(toHex(header.lastCommitHash), toHex(lastCommitHash(nobleHasher, before.commit)))
      assert.equal(toHex(header.lastResultsHash), toHex(resultsHash(nobleHasher, items.length)))
      assert.equal(toHex(header.consensusHash), toHex(consensusHash(nobleHasher, net.genesis.maximumBlockBytes)))
      assert.equal(toHex(header.evidenceHash), toHex(noEvidenceHash(nobleHasher)))
      const parts = partSetHeaderOf(nobleHasher, encodeBlock({ header: before.header, items, lastCommit }))
      assert.deepEqual(header.lastBlockId?.partSetHeader, parts)
      lastCommit = before.commit
      before = next
    }
  })

  test('at rest no blocks are made', async () => {
    // The block that changed the application hash is followed by its proof block; wait until both are there.
    await new Promise((resolve) => setTimeout(resolve, 500))
    const heights = net.nodes.map(({ application }) => application.height)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.deepEqual(
      net.nodes.map(({ application }) => application.height),
      heights,
    )
  })

  test('a node whose application rejects a block signs nothing for it', async () => {
    const item = wake('lie')
    const dissenter = net.node(3)
    dissenter.application.rejects = (items) => items.some((one) => equalBytes(one, item))
    const block = await decide(net, item, 0, all)
    dissenter.application.rejects = () => false
    // It followed the block, so its CometBFT saw the polka and asked for a precommit.
    assert.deepEqual(signaturesFor(dissenter.signatures, block.hash), [])
    for (const index of [0, 1, 2]) assert(signaturesFor(net.node(index).signatures, block.hash).length >= 2)
    const refused = dissenter.signer.refusals.filter(
      ({ code, request }) =>
        code === 'signer-not-executed' && request.blockId !== null && equalBytes(request.blockId.hash, block.hash),
    )
    assert(refused.length >= 1, 'CometBFT asked the dissenter to sign')
    await decide(net, wake('after the lie'), 1, all)
    for (const { engine } of net.nodes) {
      const { commit } = await engine.commit(block.height)
      const own = commit.signatures.find(({ address }) => equalBytes(address, dissenter.signer.address))
      assert(own === undefined || own.flag !== blockIdFlag.commit)
    }
    // A fresh height: the dissenter signs again.
    const next = await decide(net, wake('honest again'), 2, all)
    await until('its vote', () => signaturesFor(dissenter.signatures, next.hash).length > 0)
  })

  test('a block locked without execution is fetched, executed, and gets its vote', async () => {
    // Node 3 rejects the block at first (it came too late), node 2 dies to the world after its prevote: two precommits
    // are too few, and CometBFT of all four has locked the block. From then on node 3's own verdict decides.
    const item = wake('late')
    const late = net.node(3)
    const silent = net.node(2)
    late.application.rejects = (items) => items.some((one) => equalBytes(one, item))
    const { executed } = silent.application
    const accepts = executed.allows.bind(executed)
    const executes = executed.allow.bind(executed)
    let once: Uint8Array | null = null
    executed.allow = (height, hash) => {
      executes(height, hash)
      if (silent.application.lastProposed.some((one) => equalBytes(one, item))) once ??= hash.slice()
    }
    let asked = 0
    executed.allows = (height, hash) =>
      accepts(height, hash) && !(once !== null && equalBytes(once, hash) && asked++ > 0)
    await net.node(0).engine.broadcast(item)
    const wanted = (): Uint8Array | null =>
      late.signer.refusals.flatMap(({ request, time }) =>
        request.kind === 'vote' && request.type === 2 && request.blockId !== null && time > started
          ? [request.blockId.hash]
          : [],
      )[0] ?? null
    const started = Date.now()
    await until('a refused precommit', () => wanted() !== null)
    const hash = wanted()
    assert(hash !== null)
    assert.equal(await late.engine.undecidedBlock(new Uint8Array(32)), null)
    const block = await late.engine.undecidedBlock(hash)
    assert(block !== null)
    assert(block.items.some((one) => equalBytes(one, item)))
    assert.equal(block.height, late.application.height + 1)
    assert.equal(block.lastCommit.votes.length, 4)
    assert(!blockWith(net, 0, item), 'undecided so far')
    late.application.rejects = () => false
    assert(await late.application.processProposal(block))
    // Replaying its log, CometBFT asks for the refused vote again.
    await late.engine.stop()
    await late.engine.start()
    const begun = performance.now()
    await until('the decision', () => all.every((index) => blockWith(net, index, item) !== undefined))
    console.log(`decided ${Math.round(performance.now() - begun)} ms after the restart`)
    executed.allows = accepts
    await decide(net, wake('goes on'), 2, all)
  })

  test('kill -9 of one node: the others go on, it is reported, it starts again and catches up', async () => {
    const victim = net.node(1)
    const { pid } = victim.engine
    assert(pid !== undefined)
    process.kill(pid, 'SIGKILL')
    await until('the failure', () => victim.failures.length === 1)
    assert.equal(victim.failures[0]?.code, 'engine-exit')
    assert.match(victim.failures[0]?.message ?? '', /SIGKILL/)
    const survivors = [0, 2, 3]
    for (const text of ['one dead', 'still']) await decide(net, wake(text), 0, survivors)
    const height = net.node(0).application.height
    const again = await net.replace(1)
    await again.engine.start()
    await until('the node to catch up', () => again.application.height >= height)
    await caughtUp(again)
    const block = await decide(net, wake('all again'), 1, all)
    verifySignedHeader(await again.engine.commit(block.height), net.genesis.validators, net.genesis.chainId)
    for (const { application } of net.nodes)
      assert.deepEqual(application.decided.slice(0, height), net.node(0).application.decided.slice(0, height))
  })

  test('an error of the application stops that node alone and is reported', async () => {
    const { application, engine, failures } = net.node(2)
    const before = failures.length
    application.prepareProposal = async () => {
      throw new Error('out of order')
    }
    application.processProposal = application.prepareProposal as never
    await net.node(0).engine.broadcast(wake('fatal'))
    await until('the failure', () => failures.length > before)
    assert.match(failures[before]?.message ?? '', /Proposal: out of order/)
    assert.equal(engine.pid, undefined)
    await decide(net, wake('three left'), 3, [0, 1, 3])
  })

  test('a port that another node holds: the start fails with a code and leaves nothing running', async () => {
    const intruder = await net.replace(2, net.node(0).rpcPort)
    await assert.rejects(intruder.engine.start(), (error: OnusError) =>
      ['engine-port', 'engine-exit'].includes(error.code),
    )
    assert.equal(intruder.engine.pid, undefined)
    await assert.rejects(intruder.engine.commit(1), { code: 'engine-stopped' })
    assert.deepEqual(intruder.failures.slice(1), [])
  })

  test('nothing bad ever came over a socket', () => {
    for (const { badInput } of net.nodes) assert.deepEqual(badInput, [])
  })
})
