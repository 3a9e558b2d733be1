/** The parts around the CometBFT process without the real binary: build cache, files, supervision, RPC. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { cometbftBinary } from '@onus/node/engines/cometbft/build'
import { type CometbftConfig, cometbftConfigText } from '@onus/node/engines/cometbft/config'
import { cometbftGenesisText } from '@onus/node/engines/cometbft/genesisFile'
import { writeHome } from '@onus/node/engines/cometbft/home'
import { nodeKeyOf, randomNodeKey } from '@onus/node/engines/cometbft/nodeKey'
import { CometbftProcess, type ProcessExit } from '@onus/node/engines/cometbft/process'
import { CometbftRpc } from '@onus/node/engines/cometbft/rpc'
import { timeoutsFor } from '@onus/node/engines/cometbft/timeouts'
import { toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { nobleHasher } from '@onus/protocol/hash'
import { headerHash } from '@onus/protocol/header'
import { randomPrivateKey } from '@onus/protocol/signature'
import fc from 'fast-check'
import { parse } from 'smol-toml'
import { temporaryFolder, testGenesis, until } from './enginesNet.js'

let folder: string
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function script(path: string, text: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return path
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run
    return 'accepted'
  } catch (error) {
    assert(error instanceof OnusError, String(error))
    return error.code
  }
}

describe('build cache', () => {
  const path = process.env['PATH']
  let sourceFolder: string
  let cacheFolder: string
  let bin: string
  beforeEach(async () => {
    sourceFolder = join(folder, 'source')
    cacheFolder = join(folder, 'cache')
    bin = join(folder, 'bin')
    for (const made of [sourceFolder, bin]) await mkdir(made)
    for (const name of ['go.mod', 'go.sum']) await writeFile(join(sourceFolder, name), name)
    process.env['PATH'] = bin
  })
  afterEach(() => {
    process.env['PATH'] = path
  })

  /** A `go` that "builds" an executable and counts its builds. */
  async function fakeGo(version = 'go9.9'): Promise<void> {
    await script(
      join(bin, 'go'),
      `if [ "$1" = env ]; then echo ${version}; exit 0; fi
       echo built >> ${folder}/builds
       while [ "$1" != -o ]; do shift; done
       echo "#!/bin/sh" > "$2"; /bin/chmod 755 "$2"`,
    )
  }
  const builds = async (): Promise<number> => (await readFile(join(folder, 'builds'), 'utf8')).split('\n').length - 1

  test('without Go and without a cached build it says so', async () => {
    const result = await cometbftBinary({ sourceFolder, cacheFolder })
    assert(result.kind === 'no-go')
    assert.match(result.remedy, /Go 1\.26/)
  })

  test('builds once, then finds; other sources or another Go build again; without Go the old build serves', async () => {
    await fakeGo()
    const first = await cometbftBinary({ sourceFolder, cacheFolder })
    assert(first.kind === 'binary' && first.built && existsSync(first.path))
    assert.deepEqual(await cometbftBinary({ sourceFolder, cacheFolder }), { ...first, built: false })
    assert.equal(await builds(), 1)
    await fakeGo('go9.10')
    const second = await cometbftBinary({ sourceFolder, cacheFolder })
    assert(second.kind === 'binary' && second.built && second.path !== first.path)
    await rm(join(bin, 'go'))
    const cached = await cometbftBinary({ sourceFolder, cacheFolder })
    assert(cached.kind === 'binary' && !cached.built)
    await writeFile(join(sourceFolder, 'go.sum'), 'other')
    assert.equal((await cometbftBinary({ sourceFolder, cacheFolder })).kind, 'no-go')
    assert.deepEqual(
      (await readdir(cacheFolder)).filter((name) => name.startsWith('building')),
      [],
    )
  })

  test('two builds at once end with one binary', async () => {
    await fakeGo()
    const results = await Promise.all([1, 2, 3].map(() => cometbftBinary({ sourceFolder, cacheFolder })))
    for (const result of results) assert(result.kind === 'binary' && existsSync(result.path))
    assert.equal((await readdir(cacheFolder)).length, 1)
  })

  test('a failed build and missing sources are typed errors with a remedy, and leave nothing', async () => {
    await script(join(bin, 'go'), 'if [ "$1" = env ]; then echo go9; else echo no network; exit 1; fi')
    await assert.rejects(
      cometbftBinary({ sourceFolder, cacheFolder }),
      (error: OnusError) =>
        error.code === 'cometbft-build' && error.message.includes('no network') && error.remedy !== undefined,
    )
    assert.deepEqual(await readdir(cacheFolder), [])
    assert.equal(await codeOf(cometbftBinary({ sourceFolder: folder, cacheFolder })), 'cometbft-sources')
  })
})

describe('files of the home', () => {
  const nodeKey = nodeKeyOf(new Uint8Array(32).fill(1))
  const config: CometbftConfig = {
    moniker: 'n"0\n',
    abciSocket: '/tmp/a b.sock',
    signerSocket: '/tmp/s.sock',
    rpcPort: 1000,
    p2pHost: '0.0.0.0',
    p2pPort: 2000,
    peers: [{ nodeId: nodeKey.nodeId, host: '10.0.0.7', port: 2001 }],
    timeouts: timeoutsFor(4, 1),
    maximumTransactionBytes: 512,
  }

  test('the configuration is TOML with the tuned values, whatever the texts contain', () => {
    const read = parse(cometbftConfigText(config)) as Record<string, Record<string, unknown>>
    assert.equal(read['moniker'], 'n"0\n')
    assert.equal(read['proxy_app'], 'unix:///tmp/a b.sock')
    assert.equal(read['mempool']?.['type'], 'flood')
    assert.equal(read['mempool']?.['recheck'], false)
    assert.equal(read['consensus']?.['create_empty_blocks'], false)
    assert.equal(read['consensus']?.['timeout_propose'], '300ms')
    assert.equal(read['p2p']?.['persistent_peers'], `${nodeKey.nodeId}@10.0.0.7:2001`)
    assert.equal(read['rpc']?.['laddr'], 'tcp://127.0.0.1:1000')
  })

  test('ports, hosts and node ids that are none are refused', () => {
    const bad: Partial<CometbftConfig>[] = [
      { rpcPort: 0 },
      { p2pPort: 70_000 },
      { p2pHost: 'a,b' },
      { peers: [{ nodeId: 'x', host: 'h', port: 1 }] },
      { peers: [{ nodeId: nodeKey.nodeId, host: 'h/x', port: 1 }] },
    ]
    for (const change of bad)
      assert.throws(
        () => cometbftConfigText({ ...config, ...change }),
        (error: OnusError) => error.code === 'cometbft-config',
      )
  })

  test('timeouts grow with members and scale', () => {
    assert.deepEqual(
      [timeoutsFor(4, 1).propose, timeoutsFor(16, 1).propose, timeoutsFor(16, 2).propose],
      [300, 1200, 2400],
    )
    assert(timeoutsFor(1, 1).precommit >= 100)
  })

  test('a home keeps its genesis', async () => {
    const genesis = testGenesis([randomPrivateKey()])
    await writeHome(folder, config, genesis, nodeKey)
    const text = await readFile(join(folder, 'config/genesis.json'), 'utf8')
    assert.equal(text, cometbftGenesisText(genesis))
    await writeHome(folder, { ...config, rpcPort: 1001 }, genesis, nodeKey)
    assert.match(await readFile(join(folder, 'config/config.toml'), 'utf8'), /127\.0\.0\.1:1001/)
    assert.equal(await codeOf(writeHome(folder, config, { ...genesis, initialHeight: 2 }, nodeKey)), 'cometbft-genesis')
  })

  test('node keys: id and file of a seed', () => {
    const random = randomNodeKey()
    assert.deepEqual(nodeKeyOf(random.seed), random)
    assert.match(random.nodeId, /^[0-9a-f]{40}$/)
    const value = (JSON.parse(random.text) as { priv_key: { value: string } }).priv_key.value
    assert.equal(Buffer.from(value, 'base64').length, 64)
    assert.throws(
      () => nodeKeyOf(new Uint8Array(31)),
      (error: OnusError) => error.code === 'node-key',
    )
  })
})

describe('supervision of the process', { timeout: 40_000 }, () => {
  const alive = (pid: number): boolean =>
    existsSync(`/proc/${pid}`) && !/\) Z/.test(execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' }))

  async function fake(text: string): Promise<{ process: CometbftProcess; exits: ProcessExit[] }> {
    const binary = await script(join(folder, 'fake'), text)
    const exits: ProcessExit[] = []
    return { process: new CometbftProcess({ binary, home: folder, onExit: (exit) => exits.push(exit) }), exits }
  }

  test('an exit with code 0 is reported with the end of the log', async () => {
    const { process, exits } = await fake('echo first; echo last words; exit 0')
    await process.start()
    await until('the exit', () => exits.length === 1)
    assert.deepEqual(exits, [{ code: 0, signal: null, log: 'first\nlast words\n' }])
    assert(!process.running)
    assert(!existsSync(join(folder, 'cometbft.pid')))
  })

  test('a stop is not reported, and kills what ignores SIGTERM', async () => {
    const { process, exits } = await fake("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    await process.start()
    const { pid } = process
    assert(pid !== undefined)
    await until('its trap', () => existsSync(join(folder, 'cometbft.log')))
    await new Promise((resolve) => setTimeout(resolve, 200))
    await process.stop()
    assert(!alive(pid))
    assert.deepEqual(exits, [])
    await process.stop()
  })

  test('the environment does not reach it', async () => {
    process.env['CMT_MONIKER'] = 'evil'
    const { process: cometbft, exits } = await fake('echo "moniker=$CMT_MONIKER"')
    await cometbft.start()
    await until('the exit', () => exits.length === 1)
    delete process.env['CMT_MONIKER']
    assert.equal(exits[0]?.log, 'moniker=\n')
  })

  test('a process left by a killed node is ended, another one behind an old pid file is not', async () => {
    const left = await fake('while :; do sleep 0.1; done')
    await left.process.start()
    const { pid } = left.process
    assert(pid !== undefined)
    const next = new CometbftProcess({ binary: join(folder, 'fake'), home: folder, onExit: () => undefined })
    await next.start()
    assert(!alive(pid))
    assert(next.pid !== undefined && next.pid !== pid)
    await next.stop()
    await writeFile(join(folder, 'cometbft.pid'), `${process.pid}\n`)
    await next.start()
    await next.stop()
    await writeFile(join(folder, 'cometbft.pid'), 'no number')
    await next.start()
    await next.stop()
  })

  test('a binary that is none is a typed error', async () => {
    const cometbft = new CometbftProcess({ binary: join(folder, 'none'), home: folder, onExit: () => undefined })
    assert.equal(await codeOf(cometbft.start()), 'cometbft-start')
    await cometbft.stop()
  })
})

/** An answer to `commit` as CometBFT v0.40.0 gave it. */
const commitAnswer = {
  signed_header: {
    header: {
      version: { block: '11' },
      chain_id: 'onus-00000000000c171540a2-1',
      height: '4',
      time: '2026-11-23T03:06:10.553205168Z',
      last_block_id: {
        hash: '7E56E1E80F79B9F48C44524B90977CB60F58498C00B01DF3EAB0E559551591CE',
        parts: { total: 1, hash: '9F094DD0ECBEE8024E4FA0E658E0E44D64AC04388DDC71EEE45EA010B24DCCAC' },
      },
      last_commit_hash: '183C2392FC8DFEAFDB031987F54ED116188011205B8BAEDC8DC0F687CCC26BA1',
      data_hash: '8FFAEC2ED3C341DFBAE57013E9A4BB1822EEA10C6B9A2CD39758B654DEB88CE6',
      validators_hash: '32B42FA9CD489A0648FC0AFA173B652E7CFCD1AC1D9322B8CC89C15F5B855D1E',
      next_validators_hash: '32B42FA9CD489A0648FC0AFA173B652E7CFCD1AC1D9322B8CC89C15F5B855D1E',
      consensus_hash: 'BAB5041D16246E2757DB17AF4B55FAAFBFD8660F7EB32871C99F91D0E58D5BF2',
      app_hash: '8A837CEBFCE9051A20348665AB5D17377A06BCC73BF9E362E94DBABA9EA86E85',
      last_results_hash: 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855',
      evidence_hash: 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855',
      proposer_address: '82701C0498254E95C553BBF664960A4939619196',
    },
    commit: {
      height: '4',
      round: 2,
      block_id: {
        hash: 'B888D7B442BE02E6F5E565E5FE3033D96A4D2539028C54B71BFAFD0CE9FF9C24',
        parts: { total: 1, hash: 'D711E7E0FAF591327B69486A2BC7765BCCE015BA2E1D06A5DBCE221D423500BE' },
      },
      signatures: [
        {
          block_id_flag: 2,
          validator_address: '57BE110467A08854FE093DE5837917686815E86C',
          timestamp: '2026-11-23T03:06:10.553989535Z',
          signature: '1OG0gRdZDiM/War7/GTA3u9XthVXakVNCNO09Fjt5qFNvhb33jszENcvpezj8vfzl0HHqh4LC4rxhsYgLZWU7wA=',
        },
        { block_id_flag: 1, validator_address: '', timestamp: '0001-01-01T00:00:00Z', signature: null },
      ],
    },
  },
  canonical: true,
}

describe('RPC', { timeout: 40_000 }, () => {
  let server: Server
  let rpc: CometbftRpc
  let answer: (id: number) => string
  const requests: string[] = []

  beforeEach(async () => {
    requests.length = 0
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        requests.push(body)
        const text = answer((JSON.parse(body) as { id: number }).id)
        if (text !== 'silence') response.end(text)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    rpc = new CometbftRpc((server.address() as AddressInfo).port, 300, 1000)
  })
  afterEach(async () => {
    rpc.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const result = (value: unknown): void => {
    answer = (id) => JSON.stringify({ jsonrpc: '2.0', id, result: value })
  }
  const error = (data: string): void => {
    answer = (id) => JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32603, message: 'Internal error', data } })
  }

  test('a real answer to commit', async () => {
    result(commitAnswer)
    const { header, commit } = await rpc.commit(4)
    assert.equal(toHex(headerHash(nobleHasher, header)), toHex(commit.blockId.hash))
    assert.equal(commit.round, 2)
    assert.deepEqual(commit.signatures[1], {
      flag: 1,
      address: new Uint8Array(0),
      timestamp: { seconds: 0, nanoseconds: 0 },
      signature: new Uint8Array(0),
    })
    assert.deepEqual(JSON.parse(requests[0] ?? ''), {
      jsonrpc: '2.0',
      id: 1,
      method: 'commit',
      params: { height: '4' },
    })
    assert.equal(await codeOf(rpc.commit(5)), 'rpc-shape')
  })

  test('property: an answer with anything changed is refused or has the changed value, never a crash', async () => {
    /** All paths of leaves in the answer. */
    const paths: (string | number)[][] = []
    const walk = (value: unknown, path: (string | number)[]): void => {
      if (typeof value !== 'object' || value === null) paths.push(path)
      else
        for (const [key, inner] of Object.entries(value))
          walk(inner, [...path, Array.isArray(value) ? Number(key) : key])
    }
    walk(commitAnswer, [])
    let refused = 0
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.nat(20), fc.jsonValue(), async (path, up, value) => {
        const changed = structuredClone(commitAnswer) as unknown as Record<string | number, unknown>
        const depth = Math.max(1, path.length - (up % 3))
        let at = changed
        for (const key of path.slice(0, depth - 1)) at = at[key] as Record<string | number, unknown>
        at[path[depth - 1] as string | number] = value
        result(changed)
        const code = await codeOf(rpc.commit(4))
        if (code !== 'accepted') refused++
        assert(['accepted', 'rpc-shape', 'timestamp'].includes(code), code)
      }),
      { numRuns: 500, seed: 12 },
    )
    assert(refused > 350, `${refused} refused`)
  })

  test('errors of CometBFT by kind', async () => {
    error('height 9 must be less than or equal to the current blockchain height 4')
    assert.equal(await codeOf(rpc.commit(9)), 'engine-height')
    error('height 2 is not available, lowest height is 3')
    assert.equal(await codeOf(rpc.commit(2)), 'engine-height')
    error('endpoint is closed while node is catching up')
    assert.equal(await codeOf(rpc.broadcastTxAsync(new Uint8Array(3))), 'engine-catching-up')
    error('tx already exists in cache')
    assert.equal(await codeOf(rpc.broadcastTxAsync(new Uint8Array(3))), 'accepted')
    error('mempool is full')
    assert.equal(await codeOf(rpc.broadcastTxAsync(new Uint8Array(3))), 'rpc-error')
    result(null)
    assert.equal(await codeOf(rpc.commit(1)), 'engine-height')
  })

  test('silence, another answer, too much, and nobody there', async () => {
    answer = () => 'silence'
    assert.equal(await codeOf(rpc.status()), 'rpc-timeout')
    answer = () => 'not JSON'
    assert.equal(await codeOf(rpc.status()), 'rpc-shape')
    answer = (id) => JSON.stringify({ jsonrpc: '2.0', id: id + 1, result: {} })
    assert.equal(await codeOf(rpc.status()), 'rpc-shape')
    answer = () => 'x'.repeat(6_000_000)
    assert.equal(await codeOf(rpc.status()), 'rpc-shape')
    const nobody = new CometbftRpc(1, 300, 1000)
    assert.equal(await codeOf(nobody.status()), 'rpc-unreachable')
    nobody.close()
  })

  test('a connection that the server closed while idle is replaced', async () => {
    result(commitAnswer)
    await rpc.commit(4)
    server.closeIdleConnections()
    await rpc.commit(4)
    server.closeAllConnections()
    await rpc.commit(4)
  })

  test('random answers never crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        answer = () => (text === 'silence' ? '' : text)
        assert.match(await codeOf(rpc.status()), /^rpc-/)
        assert.match(await codeOf(rpc.undecidedBlock(new Uint8Array(32))), /^rpc-/)
      }),
      { numRuns: 200, seed: 13 },
    )
  })
})
