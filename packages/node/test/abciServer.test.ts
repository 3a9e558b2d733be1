/** The ABCI server against a client of our own: order, flush, limits, garbage, errors of the application. */
import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { AbciFailure } from '@onus/node/abci/connection'
import { AbciServer } from '@onus/node/abci/server'
import { decodeUnion } from '@onus/node/protobuf/decode'
import { encodeUnionFrame } from '@onus/node/protobuf/encode'
import { FrameSplitter } from '@onus/node/protobuf/frames'
import type { Union } from '@onus/node/protobuf/types'
import { concatBytes } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import fc from 'fast-check'
import { TestApplication, temporaryFolder, until } from './enginesNet.js'

class Client {
  readonly socket: Socket
  readonly responses: Union<'Response'>[] = []
  closed = false

  constructor(path: string) {
    const splitter = new FrameSplitter(1 << 20)
    this.socket = connect(path)
    this.socket.on('data', (chunk) => {
      for (const frame of splitter.push(chunk)) this.responses.push(decodeUnion('Response', frame))
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.closed = true
    })
  }

  async responseCount(count: number): Promise<void> {
    await until(`${count} responses, have ${this.responses.length}`, () => this.responses.length >= count, 5000)
  }
}

const echo = (message: string): Uint8Array => encodeUnionFrame('Request', 'echo', { message })
const flush = encodeUnionFrame('Request', 'flush', {})

function codesOf(failures: readonly AbciFailure[]): string[] {
  return failures.map(({ error }) => (error instanceof OnusError ? error.code : 'no code'))
}

describe('ABCI server', { timeout: 30_000 }, () => {
  let folder: string
  let server: AbciServer
  let application: TestApplication
  let failures: AbciFailure[]
  let path: string

  beforeEach(async () => {
    folder = await temporaryFolder()
    path = join(folder, 'abci.sock')
    application = new TestApplication()
    failures = []
    server = new AbciServer({
      socketPath: path,
      application,
      maximumFrameBytes: 10_000,
      onFailure: (failure) => failures.push(failure),
    })
    await server.start()
  })
  afterEach(async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('answers in order, also when an early call is slow and later ones are not', async () => {
    let release: () => void = () => undefined
    application.checkTx = async ({ transaction }) => {
      if (transaction[0] === 0)
        await new Promise<void>((resolve) => {
          release = resolve
        })
      return { code: transaction[0] ?? 99, log: '' }
    }
    const client = new Client(path)
    const check = (first: number): Uint8Array =>
      encodeUnionFrame('Request', 'checkTx', { tx: Uint8Array.of(first), type: 0 })
    client.socket.write(concatBytes(check(0), check(1), echo('x'), flush))
    await until('the slow call', () => release.length >= 0 && server.connections === 1)
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal(client.responses.length, 0)
    release()
    await client.responseCount(4)
    assert.deepEqual(
      client.responses.map(({ kind, value }) => (kind === 'checkTx' ? value.code : kind)),
      [0, 1, 'echo', 'flush'],
    )
    client.socket.destroy()
  })

  test('every call that CometBFT may make has its answer', async () => {
    const client = new Client(path)
    const hash = new Uint8Array(32)
    const block = { height: 1, time: {}, hash, nextValidatorsHash: hash, proposerAddress: new Uint8Array(20) }
    const frames = [
      encodeUnionFrame('Request', 'info', { version: '0.39.0' }),
      encodeUnionFrame('Request', 'initChain', { time: {}, chainId: 'x', initialHeight: 1 }),
      encodeUnionFrame('Request', 'query', { path: '/x' }),
      encodeUnionFrame('Request', 'prepareProposal', {
        ...block,
        localLastCommit: {},
        txs: [Uint8Array.of(1)],
        maxTxBytes: 99,
      }),
      encodeUnionFrame('Request', 'processProposal', { ...block, proposedLastCommit: {}, txs: [] }),
      encodeUnionFrame('Request', 'finalizeBlock', {
        ...block,
        decidedLastCommit: {},
        txs: [Uint8Array.of(1), Uint8Array.of(2)],
      }),
      encodeUnionFrame('Request', 'commit', {}),
      encodeUnionFrame('Request', 'listSnapshots', {}),
      encodeUnionFrame('Request', 'offerSnapshot', { snapshot: {} }),
      encodeUnionFrame('Request', 'loadSnapshotChunk', {}),
      encodeUnionFrame('Request', 'applySnapshotChunk', {}),
      flush,
    ]
    client.socket.write(concatBytes(...frames))
    await client.responseCount(frames.length)
    assert.deepEqual(
      client.responses.map(({ kind }) => kind),
      [
        'info',
        'initChain',
        'query',
        'prepareProposal',
        'processProposal',
        'finalizeBlock',
        'commit',
        'listSnapshots',
        'offerSnapshot',
        'loadSnapshotChunk',
        'applySnapshotChunk',
        'flush',
      ],
    )
    const process = client.responses[4]
    assert(process?.kind === 'processProposal' && process.value.status === 1)
    const finalize = client.responses[5]
    assert(finalize?.kind === 'finalizeBlock' && finalize.value.txResults.length === 2)
    assert.deepEqual(failures, [])
    client.socket.destroy()
  })

  test('an error of the application is an exception response, reported, and ends that connection', async () => {
    application.info = async () => {
      throw new Error('no disk')
    }
    const client = new Client(path)
    const other = new Client(path)
    client.socket.write(concatBytes(encodeUnionFrame('Request', 'info', {}), flush))
    await client.responseCount(1)
    assert.deepEqual(client.responses, [{ kind: 'exception', value: { error: 'no disk' } }])
    await until('the end', () => client.closed)
    assert.equal(failures.length, 1)
    assert.deepEqual([failures[0]?.cause, failures[0]?.call], ['application', 'info'])
    other.socket.write(concatBytes(echo('still here'), flush))
    await other.responseCount(2)
    other.socket.destroy()
  })

  test('calls that our genesis switches off are refused', async () => {
    for (const frame of [
      encodeUnionFrame('Request', 'extendVote', { time: {}, proposedLastCommit: {} }),
      encodeUnionFrame('Request', 'insertTx', {}),
      encodeUnionFrame('Request', 'reapTxs', {}),
    ]) {
      const client = new Client(path)
      client.socket.write(frame)
      await until('the end', () => client.closed)
    }
    assert.deepEqual(codesOf(failures), ['abci-unsupported', 'abci-unsupported', 'abci-unsupported'])
  })

  test('a frame above the limit and hashes of another length are refused', async () => {
    for (const bytes of [
      Uint8Array.of(0x91, 0x4e),
      encodeUnionFrame('Request', 'processProposal', {
        time: {},
        proposedLastCommit: {},
        proposerAddress: new Uint8Array(19),
      }),
    ]) {
      const client = new Client(path)
      client.socket.write(bytes)
      await until('the end', () => client.closed)
    }
    assert.deepEqual(codesOf(failures), ['frame-too-long', 'abci-length'])
  })

  test('garbage closes its own connection only and is reported with a code', async () => {
    const healthy = new Client(path)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (garbage) => {
        const client = new Client(path)
        client.socket.end(garbage)
        await until('the end', () => client.closed, 5000)
      }),
      { numRuns: 300, seed: 5 },
    )
    assert(failures.length > 50, `${failures.length} failures`)
    for (const code of codesOf(failures)) assert.match(code, /^(protobuf|frame|abci)-/)
    healthy.socket.write(concatBytes(echo('alive'), flush))
    await healthy.responseCount(2)
    healthy.socket.destroy()
  })

  test('a flood is held back, not piled up', async () => {
    let running = 0
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    application.checkTx = async () => {
      running++
      await held
      return { code: 0, log: '' }
    }
    const client = new Client(path)
    const frame = encodeUnionFrame('Request', 'checkTx', { tx: new Uint8Array(100), type: 0 })
    const many = concatBytes(...Array.from({ length: 20_000 }, () => frame), flush)
    client.socket.write(many)
    await until('the first call', () => running === 1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert(client.socket.writableLength > many.length / 2, 'most of it is not read while the first call runs')
    release()
    await until('all answers', () => client.responses.length === 20_001, 20_000)
    assert.equal(running, 20_000)
    client.socket.destroy()
  })

  test('a ninth connection is refused, a socket path in use by another file too', async () => {
    const clients = Array.from({ length: 9 }, () => new Client(path))
    await until('the refusal', () => failures.length === 1)
    assert.deepEqual(codesOf(failures), ['abci-connections'])
    for (const { socket } of clients) socket.destroy()
    const file = join(folder, 'file')
    await writeFile(file, 'precious')
    const options = { socketPath: file, application, maximumFrameBytes: 1, onFailure: () => undefined }
    await assert.rejects(new AbciServer(options).start(), { code: 'socket-path' })
    await assert.rejects(new AbciServer({ ...options, socketPath: `/${'x'.repeat(200)}` }).start(), {
      code: 'socket-path',
    })
  })
})
