/** The embedded engine: the same blocks without CometBFT, refusals that hold, restarts that replay. */
import assert from 'node:assert/strict'
import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, test } from 'node:test'
import type { CometbftGenesis } from '@onus/node/engines/cometbft/genesisFile'
import { EmbeddedChain } from '@onus/node/engines/embedded/embeddedChain'
import type { Engine, EngineFailure } from '@onus/node/engines/engine'
import { type SignedAnswer, Signer } from '@onus/node/signer/signer'
import type { SignRequest } from '@onus/node/signer/signRequest'
import { equalBytes, toHex, utf8Bytes } from '@onus/protocol/bytes'
import { nobleHasher } from '@onus/protocol/hash'
import { dataHash } from '@onus/protocol/header'
import { publicKeyOf, randomPrivateKey } from '@onus/protocol/signature'
import { validatorSetOf } from '@onus/protocol/validatorSet'
import {
  signaturesFor,
  TestApplication,
  temporaryFolder,
  testGenesis,
  until,
  verifySignedHeader,
} from './enginesNet.js'

interface EmbeddedNode {
  readonly application: TestApplication
  readonly signer: Signer
  readonly engine: Engine
  readonly failures: EngineFailure[]
  readonly signatures: { request: SignRequest; answer: SignedAnswer }[]
}

interface EmbeddedNet {
  readonly chain: EmbeddedChain
  readonly nodes: EmbeddedNode[]
  close(): Promise<void>
}

const folders: string[] = []
const openNets: EmbeddedNet[] = []
afterEach(async () => {
  for (const net of openNets.splice(0)) await net.close()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function newFolder(): Promise<string> {
  const folder = await temporaryFolder()
  folders.push(folder)
  return folder
}

function newKeys(size: number): Uint8Array[] {
  return Array.from({ length: size }, () => randomPrivateKey())
}

async function openNet(
  folder: string,
  genesis: CometbftGenesis,
  keys: readonly Uint8Array[],
  create: boolean,
): Promise<EmbeddedNet> {
  const chain = await EmbeddedChain.open({ genesis, folder, hasher: nobleHasher })
  const nodes: EmbeddedNode[] = []
  for (const [index, privateKey] of keys.entries()) {
    const application = new TestApplication()
    const failures: EngineFailure[] = []
    const signatures: EmbeddedNode['signatures'] = []
    const signer = await Signer.open({
      chainId: genesis.chainId,
      privateKey,
      policy: application.executed,
      statePath: join(folder, `sign-state-${index}`),
      create,
      firstHeight: 1,
      onSigned: (request, answer) => signatures.push({ request, answer }),
    })
    const engine = chain.join({ application, signer, onFailure: (failure) => failures.push(failure) })
    nodes.push({ application, signer, engine, failures, signatures })
  }
  let closing: Promise<void> | null = null
  const close = async (): Promise<void> => {
    await chain.close()
    await Promise.all(nodes.map(({ signer }) => signer.close()))
  }
  const net = {
    chain,
    nodes,
    close: () => {
      closing ??= close()
      return closing
    },
  }
  openNets.push(net)
  await Promise.all(nodes.map(({ engine }) => engine.start()))
  return net
}

/** Waits until every running application has the last block and no block is under way. */
async function rest(net: EmbeddedNet): Promise<void> {
  for (let quiet = 0, height = 0; quiet < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    const still = net.chain.height === height && net.nodes.every(({ application }) => application.height === height)
    quiet = still ? quiet + 1 : 0
    height = net.chain.height
  }
}

async function decide(net: EmbeddedNet, text: string, from: number, who: readonly number[]): Promise<number> {
  const item = utf8Bytes(`onus/wake/1\0${text}`)
  const has = (index: number): boolean =>
    net.nodes[index]?.application.decided.some(({ items }) => items.some((one) => equalBytes(one, item))) ?? false
  await net.nodes[from]?.engine.broadcast(item)
  await until(`a block with ${text}`, () => who.every(has))
  const block = net.nodes[who[0] as number]?.application.decided.find(({ items }) =>
    items.some((one) => equalBytes(one, item)),
  )
  return block?.height ?? 0
}

const all = [0, 1, 2, 3]
const randomKey = randomPrivateKey()

describe('embedded engine', { timeout: 60_000 }, () => {
  test('blocks, headers and commits verify like those of CometBFT', async () => {
    const keys = newKeys(4)
    const genesis = testGenesis(keys)
    const net = await openNet(await newFolder(), genesis, keys, true)
    const started = performance.now()
    for (let i = 0; i < 20; i++) await decide(net, `item ${i}`, i % 4, all)
    console.log(`embedded: ${((performance.now() - started) / 20).toFixed(1)} ms per item`)
    await rest(net)
    let previous: Uint8Array | null = null
    for (let height = 1; height <= net.chain.height; height++) {
      const signed = await (net.nodes[height % 4] as EmbeddedNode).engine.commit(height)
      // The first block is made as soon as three have started.
      assert(verifySignedHeader(signed, genesis.validators, genesis.chainId) >= (height === 1 ? 3 : 4))
      assert.equal(signed.header.height, height)
      const block = net.nodes[0]?.application.decided[height - 1]
      assert.equal(toHex(signed.header.dataHash), toHex(dataHash(nobleHasher, block?.items ?? [])))
      assert.equal(
        signed.header.lastBlockId === null ? null : toHex(signed.header.lastBlockId.hash),
        previous && toHex(previous),
      )
      previous = signed.commit.blockId.hash
    }
    await assert.rejects((net.nodes[0] as EmbeddedNode).engine.commit(net.chain.height + 1), { code: 'engine-height' })
    const { height } = net.chain
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.equal(net.chain.height, height, 'no blocks at rest')
    await net.close()
  })

  test('a chain that is not local is refused', async () => {
    const keys = newKeys(4)
    const genesis = { ...testGenesis(keys), chainId: 'onus-00000000010123456789-1' }
    await assert.rejects(EmbeddedChain.open({ genesis, folder: await newFolder(), hasher: nobleHasher }), {
      code: 'embedded-not-local',
    })
  })

  test('a dissenter signs nothing for the block; what two of them reject is never decided', async () => {
    const keys = newKeys(4)
    const genesis = testGenesis(keys)
    const net = await openNet(await newFolder(), genesis, keys, true)
    await decide(net, 'peace', 0, all)
    const lie = utf8Bytes('onus/wake/1\0lie')
    const rejectLie = (node: EmbeddedNode): void => {
      node.application.rejects = (items) => items.some((one) => equalBytes(one, lie))
    }
    const [, , third, fourth] = net.nodes as [EmbeddedNode, EmbeddedNode, EmbeddedNode, EmbeddedNode]
    rejectLie(fourth)
    const height = await decide(net, 'lie', 0, all)
    const signed = await fourth.engine.commit(height)
    assert.equal(verifySignedHeader(signed, genesis.validators, genesis.chainId), 3)
    assert.deepEqual(signaturesFor(fourth.signatures, signed.commit.blockId.hash), [])
    assert((fourth.signer.counters.refused['signer-not-executed'] ?? 0) >= 1)

    const lie2 = utf8Bytes('onus/wake/1\0another lie')
    for (const node of [third, fourth]) node.application.rejects = (items) => items.some((one) => equalBytes(one, lie2))
    const decided = (): boolean =>
      net.nodes.some(({ application }) =>
        application.decided.some(({ items }) => items.some((one) => equalBytes(one, lie2))),
      )
    await net.nodes[0]?.engine.broadcast(lie2)
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert(!decided(), 'half of the members decide nothing')
    third.application.rejects = () => false
    await until('three of four to decide it', decided)
    await net.close()
  })

  test('stopped members miss nothing: one away, then too few, then all again', async () => {
    const keys = newKeys(4)
    const genesis = testGenesis(keys)
    const net = await openNet(await newFolder(), genesis, keys, true)
    const [first, second] = net.nodes as [EmbeddedNode, EmbeddedNode]
    await second.engine.stop()
    await assert.rejects(second.engine.broadcast(utf8Bytes('x')), { code: 'engine-stopped' })
    for (const text of ['a', 'b', 'c']) await decide(net, text, 0, [0, 2, 3])
    await new Promise((resolve) => setTimeout(resolve, 100))
    await first.engine.stop()
    const before = net.chain.height
    await net.nodes[2]?.engine.broadcast(utf8Bytes('onus/wake/1\0waits'))
    await new Promise((resolve) => setTimeout(resolve, 150))
    assert.equal(net.chain.height, before, 'two of four decide nothing')
    await Promise.all([first.engine.start(), second.engine.start()])
    await decide(net, 'together', 1, all)
    const height = net.chain.height
    await until('all at one height', () => net.nodes.every(({ application }) => application.height >= height))
    for (const { application, failures } of net.nodes) {
      assert.deepEqual(application.decided.slice(0, height), first.application.decided.slice(0, height))
      assert.deepEqual(failures, [])
    }
    await net.close()
  })

  test('after a restart new applications are given every block again', async () => {
    const folder = await newFolder()
    const keys = newKeys(4)
    const genesis = testGenesis(keys)
    const net = await openNet(folder, genesis, keys, true)
    for (const text of ['a', 'b', 'c']) await decide(net, text, 0, all)
    await net.close()
    const decided = net.nodes[0]?.application.decided
    const again = await openNet(folder, genesis, keys, false)
    for (const { application } of again.nodes) assert.deepEqual(application.decided.slice(0, decided?.length), decided)
    const height = await decide(again, 'd', 1, all)
    const signed = await (again.nodes[0] as EmbeddedNode).engine.commit(height)
    assert.equal(verifySignedHeader(signed, genesis.validators, genesis.chainId), 4)
    await again.close()
    const other = { ...genesis, chainId: genesis.chainId.replace(/1$/, '2') }
    await assert.rejects(EmbeddedChain.open({ genesis: other, folder, hasher: nobleHasher }), {
      code: 'embedded-genesis',
    })
  })

  test('the chain file: a cut tail is dropped, damage is refused', async () => {
    const folder = await newFolder()
    const keys = newKeys(4)
    const genesis = testGenesis(keys)
    const net = await openNet(folder, genesis, keys, true)
    for (const text of ['a', 'b']) await decide(net, text, 0, all)
    await rest(net)
    const height = net.chain.height
    await net.close()
    const path = join(folder, 'chain')
    const whole = await readFile(path)
    // The last record is a result: without it the block before is finalized again.
    await truncate(path, whole.length - 1)
    const cut = await openNet(folder, genesis, keys, false)
    assert(cut.nodes.every(({ application }) => application.height >= height))
    await decide(cut, 'c', 0, all)
    await cut.close()
    const damaged = Buffer.from(whole)
    damaged[200] = (damaged[200] as number) ^ 1
    await writeFile(path, damaged)
    await assert.rejects(EmbeddedChain.open({ genesis, folder, hasher: nobleHasher }), { code: 'embedded-log' })
  })

  test('an application that fails or diverges leaves; the rest goes on', async () => {
    const keys = newKeys(5)
    const genesis = testGenesis(keys)
    const net = await openNet(await newFolder(), genesis, keys, true)
    const last = net.nodes[4] as EmbeddedNode
    const finalize = last.application.finalizeBlock.bind(last.application)
    last.application.finalizeBlock = async (request) => {
      const result = await finalize(request)
      return request.items.length > 0 ? { ...result, appHash: new Uint8Array(32).fill(7) } : result
    }
    await decide(net, 'diverge', 0, all)
    await until('the failure', () => last.failures.length === 1)
    assert.equal(last.failures[0]?.code, 'embedded-divergence')
    await decide(net, 'four left', 1, all)
    await net.close()
  })

  test('validators change two heights after the result that names them', async () => {
    const keys = newKeys(5)
    const genesis = testGenesis(keys.slice(0, 4))
    const net = await openNet(await newFolder(), genesis, keys, true)
    const fifth = publicKeyOf(keys[4] as Uint8Array)
    let changed = 0
    for (const { application } of net.nodes) {
      const finalize = application.finalizeBlock.bind(application)
      application.finalizeBlock = async (request) => {
        const result = await finalize(request)
        const named = request.items.some((item) => equalBytes(item, utf8Bytes('onus/wake/1\0join')))
        if (named) changed = request.height
        return named ? { ...result, validatorUpdates: [{ publicKey: fifth, power: 1000 }] } : result
      }
    }
    await decide(net, 'join', 0, [...all, 4])
    for (const text of ['x', 'y', 'z']) await decide(net, text, 4, all)
    const larger = validatorSetOf([...genesis.validators.validators, { publicKey: fifth, power: 1000 }])
    const at = (height: number) => (net.nodes[0] as EmbeddedNode).engine.commit(height)
    verifySignedHeader(await at(changed + 1), genesis.validators, genesis.chainId)
    assert.equal(verifySignedHeader(await at(changed + 2), larger, genesis.chainId), 5)
    await net.close()
  })

  test('a result that no chain can follow ends every member with a code', async () => {
    const keys = newKeys(4)
    const net = await openNet(await newFolder(), testGenesis(keys), keys, true)
    for (const { application } of net.nodes) {
      const finalize = application.finalizeBlock.bind(application)
      application.finalizeBlock = async (request) => ({
        ...(await finalize(request)),
        validatorUpdates: request.items.length === 0 ? [] : [{ publicKey: publicKeyOf(randomKey), power: 0 }],
      })
    }
    await decide(net, 'impossible', 0, all)
    await until('the failures', () => net.nodes.every(({ failures }) => failures.length === 1))
    for (const { failures } of net.nodes) assert.equal(failures[0]?.code, 'validator-set')
    await assert.rejects((net.nodes[0] as EmbeddedNode).engine.start(), { code: 'engine-stopped' })
  })

  test('sixteen members', async () => {
    const keys = newKeys(16)
    const genesis = testGenesis(keys)
    const net = await openNet(await newFolder(), genesis, keys, true)
    const height = await decide(net, 'many', 7, [0, 15])
    assert.equal(
      verifySignedHeader(
        await (net.nodes[3] as EmbeddedNode).engine.commit(height),
        genesis.validators,
        genesis.chainId,
      ),
      16,
    )
    await net.close()
  })
})
