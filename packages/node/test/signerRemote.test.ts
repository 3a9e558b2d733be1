/** The remote signer against a listener of our own in CometBFT's place: requests, refusals, redialling, garbage. */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { decodeUnion } from '@onus/node/protobuf/decode'
import { encodeUnionFrame } from '@onus/node/protobuf/encode'
import { FrameSplitter } from '@onus/node/protobuf/frames'
import type { MessageInit, Union } from '@onus/node/protobuf/types'
import { RemoteSigner } from '@onus/node/signer/remoteSigner'
import { Signer } from '@onus/node/signer/signer'
import { ExecutedBlocks } from '@onus/node/signer/signingPolicy'
import { toHex } from '@onus/protocol/bytes'
import { voteSignBytes } from '@onus/protocol/commit'
import { OnusError } from '@onus/protocol/errors'
import { nobleHasher } from '@onus/protocol/hash'
import { nobleCurve, randomPrivateKey } from '@onus/protocol/signature'
import fc from 'fast-check'
import { temporaryFolder, until } from './enginesNet.js'

const chainId = 'onus-00000000000000000001-1'
const blockId = { hash: new Uint8Array(32).fill(1), partSetHeader: { total: 2, hash: new Uint8Array(32).fill(2) } }
const nil = { partSetHeader: {} }
const timestamp = { seconds: 1_700_000_000, nanoseconds: 7 }

describe('remote signer', { timeout: 60_000 }, () => {
  let folder: string
  let path: string
  let server: Server
  let sockets: Socket[]
  let answers: Union<'SignerMessage'>[]
  let signer: Signer
  let policy: ExecutedBlocks
  let remote: RemoteSigner
  let badInput: Error[]

  async function listen(): Promise<void> {
    server = createServer((socket) => {
      const splitter = new FrameSplitter(1 << 20)
      sockets.push(socket)
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        for (const frame of splitter.push(chunk)) answers.push(decodeUnion('SignerMessage', frame))
      })
    })
    await new Promise<void>((resolve) => server.listen(path, resolve))
  }

  async function unlisten(): Promise<void> {
    for (const socket of sockets.splice(0)) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }

  async function ask(frame: Uint8Array): Promise<Union<'SignerMessage'>> {
    await until('a connection', () => sockets.some((socket) => !socket.destroyed))
    const count = answers.length
    sockets.at(-1)?.write(frame)
    await until('an answer', () => answers.length > count)
    return answers.at(-1) as Union<'SignerMessage'>
  }

  async function askVote(
    vote: Partial<MessageInit<'Vote'>>,
    chain = chainId,
  ): Promise<{ error: string; vote: { signature: Uint8Array } }> {
    const whole = {
      type: 1,
      height: 5,
      round: 0,
      blockId,
      timestamp,
      validatorAddress: signer.address,
      validatorIndex: 3,
      ...vote,
    }
    const answer = await ask(encodeUnionFrame('SignerMessage', 'signVoteRequest', { vote: whole, chainId: chain }))
    assert(answer.kind === 'signedVoteResponse')
    return { error: answer.value.error?.description ?? '', vote: answer.value.vote }
  }

  beforeEach(async () => {
    folder = await temporaryFolder()
    path = join(folder, 'signer.sock')
    sockets = []
    answers = []
    badInput = []
    policy = new ExecutedBlocks()
    signer = await Signer.open({
      chainId,
      privateKey: randomPrivateKey(),
      policy,
      statePath: join(folder, 'state'),
      create: true,
      firstHeight: 1,
    })
    remote = new RemoteSigner({ signer, socketPath: path, onBadInput: (error) => badInput.push(error) })
    remote.start()
    await listen()
  })
  afterEach(async () => {
    remote.stop()
    await unlisten()
    await signer.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('gives its key for its chain, answers pings', async () => {
    const key = await ask(encodeUnionFrame('SignerMessage', 'pubKeyRequest', { chainId }))
    assert(key.kind === 'pubKeyResponse')
    assert.equal(toHex(key.value.pubKey.secp256k1eth), toHex(signer.publicKey))
    assert.equal(key.value.error, undefined)
    const other = await ask(encodeUnionFrame('SignerMessage', 'pubKeyRequest', { chainId: 'other' }))
    assert(other.kind === 'pubKeyResponse' && other.value.error?.description.startsWith('signer-chain-id'))
    assert.equal((await ask(encodeUnionFrame('SignerMessage', 'pingRequest', {}))).kind, 'pingResponse')
  })

  test('signs an allowed vote over bytes of its own, echoing every other field', async () => {
    policy.allow(5, blockId.hash)
    const answer = await ask(
      encodeUnionFrame('SignerMessage', 'signVoteRequest', {
        vote: { type: 2, height: 5, round: 1, blockId, timestamp, validatorAddress: signer.address, validatorIndex: 3 },
        chainId,
      }),
    )
    assert(answer.kind === 'signedVoteResponse' && answer.value.error === undefined)
    const { vote } = answer.value
    assert.deepEqual([vote.type, vote.height, vote.round, vote.validatorIndex], [2, 5, 1, 3])
    assert.deepEqual(vote.timestamp, timestamp)
    const bytes = voteSignBytes({ type: 2, height: 5, round: 1, blockId, timestamp, chainId })
    const key = nobleCurve.recover(nobleHasher.keccak256(bytes), vote.signature)
    assert.equal(key && toHex(key), toHex(signer.publicKey))
  })

  test('refusals are RemoteSignerErrors without a signature, and the connection stays', async () => {
    const cases: [Awaited<ReturnType<typeof askVote>>, string][] = [
      [await askVote({}), 'signer-not-executed'],
      [await askVote({}, 'another-chain'), 'signer-chain-id'],
      [await askVote({ type: 0 }), 'signer-type'],
      [await askVote({ type: 32 }), 'signer-type'],
      [await askVote({ validatorAddress: new Uint8Array(20) }), 'signer-address'],
      [await askVote({ extension: new Uint8Array(3) }), 'signer-extension'],
      [await askVote({ blockId: { ...blockId, hash: new Uint8Array(31) } }), 'signer-block-id'],
      [await askVote({ blockId: { hash: blockId.hash, partSetHeader: {} } }), 'signer-block-id'],
      [await askVote({ height: -5, blockId: nil }), 'signer-height'],
      [await askVote({ round: -1, blockId: nil }), 'signer-round'],
      [await askVote({ timestamp: { seconds: -62_135_596_800 }, blockId: nil }), 'signer-timestamp'],
    ]
    for (const [{ error, vote }, code] of cases) {
      assert(error.startsWith(`${code}: `), `${error} for ${code}`)
      assert.equal(vote.signature.length, 0)
    }
    const none = await ask(encodeUnionFrame('SignerMessage', 'signVoteRequest', { chainId }))
    assert(none.kind === 'signedVoteResponse' && none.value.error?.description.startsWith('signer-request'))
    const proposal = await ask(
      encodeUnionFrame('SignerMessage', 'signProposalRequest', {
        proposal: { type: 32, height: 5, round: 0, polRound: -1, blockId, timestamp },
        chainId,
      }),
    )
    assert(proposal.kind === 'signedProposalResponse')
    assert(proposal.value.error?.description.startsWith('signer-not-composed'))
    assert.equal((await askVote({ blockId: nil })).error, '')
    assert.equal(remote.connections, 1)
    assert.deepEqual(badInput, [])
  })

  test('dials again when CometBFT goes and comes', async () => {
    for (let i = 0; i < 3; i++) {
      await until('a connection', () => sockets.length > 0)
      await unlisten()
      await listen()
      assert.equal((await ask(encodeUnionFrame('SignerMessage', 'pingRequest', {}))).kind, 'pingResponse')
    }
    assert(remote.connections >= 4)
  })

  test('answers keep their order when requests come together', async () => {
    await until('a connection', () => sockets.length > 0)
    const frames = [
      encodeUnionFrame('SignerMessage', 'signVoteRequest', {
        vote: { type: 1, height: 1, blockId: nil, timestamp, validatorAddress: signer.address },
        chainId,
      }),
      encodeUnionFrame('SignerMessage', 'pingRequest', {}),
    ]
    for (const frame of frames) sockets[0]?.write(frame)
    await until('two answers', () => answers.length === 2)
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ['signedVoteResponse', 'pingResponse'],
    )
  })

  test('garbage and answers in place of requests close the connection; the next one works; nothing is signed', async () => {
    const inputs: Uint8Array[] = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 60 }), { numRuns: 60, seed: 11 })
    inputs.push(encodeUnionFrame('SignerMessage', 'pingResponse', {}))
    inputs.push(Uint8Array.of(0xff, 0xff, 0x7f))
    for (const garbage of inputs) {
      await until('a connection', () => sockets.some((socket) => !socket.destroyed))
      const socket = sockets.at(-1)
      socket?.end(garbage)
      await until('the end', () => socket?.destroyed === true)
      sockets.splice(0)
    }
    assert(badInput.length > 20)
    for (const error of badInput)
      assert(error instanceof OnusError && /^(protobuf|frame|signer)-/.test(error.code), String(error))
    assert.equal((await ask(encodeUnionFrame('SignerMessage', 'pingRequest', {}))).kind, 'pingResponse')
    assert.equal(signer.counters.signed, 0)
  })
})
