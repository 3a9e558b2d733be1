/** What a person is told of failures: plain words, remedies that name the options of the command line. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BuildError } from '@onus/assemblyscript/transform/problems'
import { type ClusterFile, clusterOf } from '@onus/cli/cluster/clusterFile'
import { explainFailure, readGenesis } from '@onus/cli/cluster/connectCluster'
import { describeCluster } from '@onus/cli/cluster/describeCluster'
import { describeError, errorJson, failureText } from '@onus/cli/command/output'
import { newKey } from '@onus/cli/keys/keyStore'
import { trapText } from '@onus/cli/operations/explainTrap'
import { NoNodeError } from '@onus/client/clientErrors'
import { OnusError } from '@onus/protocol/errors'
import type { Interface } from '@onus/protocol/interface/description'
import { formatInterface } from '@onus/protocol/interface/parseInterface'

let folder = ''
const servers: Server[] = []
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onus-cli-test-'))
})
after(async () => {
  for (const server of servers) server.close()
  await rm(folder, { recursive: true, force: true })
})

async function failure(run: () => Promise<unknown>): Promise<OnusError> {
  const error = await run().then(
    () => assert.fail('nothing was thrown'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof OnusError)
  return error
}

function clusterWith(nodes: readonly string[]): ClusterFile {
  return { file: '', nodes, genesis: join(folder, 'none.bin'), interface: null, dev: null }
}

const description: Interface = { version: 1, types: {}, entries: [] }

async function node(): Promise<string> {
  const server = createServer((_request, response) => response.end(formatInterface(description)))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('the interface from nodes', () => {
  test('a dead node is called dead, and how many are needed is said', async () => {
    const error = await failure(() => describeCluster(clusterWith(['http://127.0.0.1:1']), 2))
    assert.equal(error.code, 'no-interface')
    assert.equal(
      error.message,
      '2 nodes must give the same interface and 1 is named: http://127.0.0.1:1 does not answer',
    )
    assert.match(`${error.remedy}`, /--nodes URL,URL/)
  })

  test('needs two nodes; one that is named twice is one', async () => {
    const [first, second] = [await node(), await node()]
    assert.deepEqual(await describeCluster(clusterWith([first, second]), 2), description)
    for (const nodes of [[first], [first, `${first}/`]])
      assert.equal((await failure(() => describeCluster(clusterWith(nodes), 2))).code, 'no-interface')
    assert.deepEqual(await describeCluster(clusterWith([first]), 1), description)
  })
})

describe('failures', () => {
  test('of the client name options of the command line', async () => {
    const cluster = clusterWith(['http://127.0.0.1:1'])
    const few = new OnusError('too-few-nodes', '2 nodes must agree', { remedy: 'give connect more nodes' })
    const named = await explainFailure(few, cluster)
    assert.ok(named instanceof OnusError)
    assert.match(`${named.remedy}`, /^name more nodes: --nodes URL/)
    const dead = {
      node: 'http://127.0.0.1:1',
      kind: 'dead',
      code: 'unreachable',
      message: '',
      passing: true,
      retryAfter: null,
    } as const
    const none = await explainFailure(
      new NoNodeError('x', [dead], { remedy: 'check; it may still execute up to block 7' }),
      cluster,
    )
    assert.ok(none instanceof OnusError)
    assert.equal(
      none.message,
      'http://127.0.0.1:1 does not answer; the call was signed and it may still execute up to block 7',
    )
  })

  test('of files are plain', async () => {
    const none = { positionals: [], flags: new Set<string>() }
    const missing = await failure(() => clusterOf({ ...none, values: new Map([['cluster', 'no.json']]) }, folder))
    assert.equal(missing.message, `no such file: ${join(folder, 'no.json')}`)
    const genesis = await failure(() => readGenesis(clusterWith([])))
    assert.equal(genesis.message, `no such file: ${join(folder, 'none.bin')}`)
    assert.match(`${genesis.remedy}`, /--genesis FILE/)
    const isFolder = await failure(() => readGenesis({ ...clusterWith([]), genesis: folder }))
    assert.equal(isFolder.message, `${folder} is no genesis: it is a folder`)
  })

  test('carry what mends them also as JSON', async () => {
    const error = await failure(() => newKey(folder, '../x'))
    assert.match(String(errorJson(error).error['remedy']), /onus keys new alice/)
    const inSentence = new OnusError('argument-type', 'argument 1 is a number. Try: onus call add 1', {
      remedy: 'onus call add 1',
    })
    assert.equal(describeError(inSentence), inSentence.message)
    assert.equal(errorJson(inSentence).error['remedy'], 'onus call add 1')
  })

  test('of a build all have the same mark', () => {
    const problem = { file: 'src/backend.ts', line: 3, column: 4, message: 'Identifier expected.' }
    const error = new BuildError('build-source', [problem, { ...problem, line: 5 }])
    assert.equal(
      failureText(error),
      '✖ src/backend.ts:3:4: Identifier expected.\n✖ src/backend.ts:5:4: Identifier expected.',
    )
    assert.equal(failureText(new OnusError('x', 'one\n  two', { remedy: 'three' })), '✖ one\n  two\n  three')
  })
})

describe('a trap', () => {
  const source =
    'function check(x: i32): void {\n  throw new Error("no")\n}\nexport function add(x: i32): void {\n  check(x)\n}\n'

  test('shows function, file and line once', async () => {
    await writeFile(join(folder, 'backend.ts'), source)
    const inner = 'no\n    at backend.ts:2:9\n    at backend/check'
    const shown = 'no\n    at check (backend.ts:2:9)\n        throw new Error("no")'
    assert.equal(await trapText('add', inner, folder), shown)
    assert.equal(await trapText('add', `${inner}\n    at backend/add`, folder), `${shown}\n    at add (backend.ts)`)
    // Inlined: the engine knows of the caller only.
    const inlined = 'no\n    at backend.ts:2:9\n    in backend/add'
    assert.equal(await trapText('add', inlined, folder), `${shown}\n    at add (backend.ts)`)
  })

  test("without the source the name is the engine's", async () => {
    assert.equal(
      await trapText('add', 'no\n    at backend.ts:2:9\n    at backend/check', null),
      'no\n    at check (backend.ts:2:9)',
    )
    assert.equal(
      await trapText('add', 'Index out of range\n    at ~lib/array.ts:114:42\n    at src/backend/Note#grow', null),
      'Index out of range\n    at ~lib/array.ts:114:42\n    at Note#grow (src/backend.ts)',
    )
    assert.equal(await trapText('add', 'no', null), 'no\n    in add')
  })
})
