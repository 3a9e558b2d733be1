/** The folder of a node is read strictly: every field that is missing or of a wrong kind is named, and nothing else fails. */
import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { defaultLogSettings, defaultSettings } from '@onus/node/gateway/settings'
import { type NodeConfigFile, nodeFileNames, readNodeFiles } from '@onus/node/nodeConfig'
import { nativePublicKeyOf } from '@onus/node/signer/nativeCurve'
import { toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import fc from 'fast-check'
import { seededBytes, withFolder } from './support/seeded.js'

const config: NodeConfigFile = {
  name: 'node 1',
  gateway: { host: '127.0.0.1', port: 8001 },
  link: {
    host: '127.0.0.1',
    port: 8002,
    peers: [
      { name: 'node 2', host: 'b.example', port: 9002, publicKey: toHex(nativePublicKeyOf(seededBytes('peer'))) },
    ],
  },
  cometbft: {
    rpcPort: 8003,
    p2pHost: '127.0.0.1',
    p2pPort: 8004,
    peers: [{ nodeId: 'ab'.repeat(20), host: 'b.example', port: 9004 }],
    timeoutScale: 2,
  },
  lie: false,
}

const keyFiles = [nodeFileNames.validatorKey, nodeFileNames.linkKey, nodeFileNames.p2pSeed]

async function writeFolder(home: string, json: unknown = config): Promise<void> {
  await writeFile(join(home, nodeFileNames.config), typeof json === 'string' ? json : JSON.stringify(json))
  await writeFile(join(home, nodeFileNames.genesis), seededBytes('genesis', 100))
  await writeFile(join(home, nodeFileNames.module), seededBytes('module', 100))
  for (const name of keyFiles) await writeFile(join(home, name), `${toHex(seededBytes(name))}\n`)
}

async function refusalOf(home: string): Promise<OnusError> {
  try {
    await readNodeFiles(home)
  } catch (error) {
    if (error instanceof OnusError) return error
    throw error
  }
  return assert.fail('the folder was read')
}

type Path = readonly (string | number)[]

/** Paths of all members and elements. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  const below = entries.flatMap(([name, member]) => pathsIn(member, [...path, name]))
  return path.length === 0 ? below : [path, ...below]
}

function nameOf(path: Path): string {
  return path.reduce<string>(
    (name, part) => (typeof part === 'number' ? `${name}[${part}]` : name === '' ? part : `${name}.${part}`),
    '',
  )
}

/** A copy of the configuration with the value at `path` put in by `put`. */
function changed(path: Path, put: (parent: Record<string | number, unknown>, last: string | number) => void): unknown {
  const copy = structuredClone(config) as unknown
  const parent = path.slice(0, -1).reduce((value, part) => (value as Record<string | number, unknown>)[part], copy)
  put(parent as Record<string | number, unknown>, path[path.length - 1] as string | number)
  return copy
}

describe('the folder of a node', () => {
  test('is read', () =>
    withFolder(async (home) => {
      await writeFolder(home)
      const files = await readNodeFiles(home)
      const [peer] = config.link.peers
      assert.deepEqual(files.config, {
        ...config,
        gateway: { ...config.gateway, settings: defaultSettings },
        log: defaultLogSettings,
        link: { ...config.link, peers: [{ ...peer, publicKey: nativePublicKeyOf(seededBytes('peer')) }] },
      })
      assert.deepEqual(files.validatorKey, seededBytes(nodeFileNames.validatorKey))
      assert.deepEqual(new Uint8Array(files.genesis), seededBytes('genesis', 100))
    }))

  test('names every field that is missing or of a wrong kind', () =>
    withFolder(async (home) => {
      await writeFolder(home)
      const wrong: readonly unknown[] = [null, true, 'text', -1, 1.5, 2 ** 60, [], {}, [1]]
      let tried = 0
      for (const path of pathsIn(config)) {
        const original = path.reduce<unknown>(
          (value, part) => (value as Record<string | number, unknown>)[part],
          config,
        )
        const isElement = typeof path[path.length - 1] === 'number'
        const values = wrong.filter((value) => {
          if (Array.isArray(original)) return !(Array.isArray(value) && value.length === 0)
          return typeof value !== typeof original || typeof value === 'number' || value === null || Array.isArray(value)
        })
        const variants = values.map((value) => changed(path, (parent, last) => (parent[last] = value)))
        if (!isElement) variants.push(changed(path, (parent, last) => delete parent[last]))
        for (const variant of variants) {
          await writeFile(join(home, nodeFileNames.config), JSON.stringify(variant))
          const { code, message } = await refusalOf(home)
          assert.equal(code, 'node-config')
          assert.ok(
            message.includes(`node.json of ${home}: `) && message.includes(nameOf(path)),
            `${nameOf(path)}: ${message}`,
          )
          tried += 1
        }
      }
      assert.ok(tried > 150, `${tried} variants`)
    }))

  test('names what is out of range: ports, the scale of timeouts, public keys', () =>
    withFolder(async (home) => {
      await writeFolder(home)
      const cases: readonly [Path, unknown][] = [
        [['gateway', 'port'], 65_536],
        [['link', 'port'], 70_000],
        [['link', 'peers', 0, 'port'], 65_536],
        [['cometbft', 'rpcPort'], 65_536],
        [['cometbft', 'p2pPort'], 65_536],
        [['cometbft', 'timeoutScale'], 0],
        [['link', 'peers', 0, 'publicKey'], ''],
        [['link', 'peers', 0, 'publicKey'], 'xyz'],
        [['link', 'peers', 0, 'publicKey'], `0x${toHex(nativePublicKeyOf(seededBytes('peer')))}`],
        [['link', 'peers', 0, 'publicKey'], `05${'ab'.repeat(32)}`],
        [['link', 'peers'], Array.from({ length: 65 }, () => config.link.peers[0])],
      ]
      for (const [path, value] of cases) {
        await writeFile(
          join(home, nodeFileNames.config),
          JSON.stringify(changed(path, (parent, last) => (parent[last] = value))),
        )
        const { code, message } = await refusalOf(home)
        assert.equal(code, 'node-config')
        assert.ok(message.includes(nameOf(path)), `${nameOf(path)}: ${message}`)
      }
    }))

  test('names files that are missing, and keys that are none', () =>
    withFolder(async (home) => {
      for (const name of Object.values(nodeFileNames)) {
        await writeFolder(home)
        await rm(join(home, name))
        const { code, message } = await refusalOf(home)
        assert.equal(code, 'node-folder')
        assert.ok(message.startsWith(name))
      }
      for (const name of keyFiles)
        for (const content of ['', 'ab', 'zz'.repeat(32), 'ab'.repeat(33), `0x${'ab'.repeat(31)}`, 'ab'.repeat(31)]) {
          await writeFolder(home)
          await writeFile(join(home, name), content)
          const { code, message } = await refusalOf(home)
          assert.equal(code, 'node-folder')
          assert.ok(message.startsWith(name))
        }
      assert.equal((await refusalOf(join(home, 'nowhere'))).code, 'node-folder')
    }))

  test('of garbage is refused and never fails in another way', () =>
    withFolder(async (home) => {
      await writeFolder(home)
      const text = JSON.stringify(config)
      const garbage = fc.oneof(
        fc.json(),
        fc.string(),
        fc.nat(text.length - 1).map((length) => text.slice(0, length)),
        fc.constantFrom('null', '[]', '{}', '{"__proto__": {"name": "x"}}', '"x"'),
      )
      await fc.assert(
        fc.asyncProperty(garbage, async (content) => {
          await writeFile(join(home, nodeFileNames.config), content)
          assert.equal((await refusalOf(home)).code, 'node-config')
        }),
        { seed: 1, numRuns: 150 },
      )
    }))
})
