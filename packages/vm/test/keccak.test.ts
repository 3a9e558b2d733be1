/** Keccak-256 against noble, Swarm references against a real Bee node. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { toHex } from '@onus/protocol/bytes'
import { nobleHasher } from '@onus/protocol/hash'
import { createKeccak } from '../src/keccak/keccak.js'
import { keccakModuleBytes } from '../src/keccak/keccakModule.js'

const keccak = createKeccak()
const vectorsFile = new URL('../../../../../shared/testdata/swarm/references.json', import.meta.url)

interface Vectors {
  readonly vectors: readonly { readonly size: number; readonly fill?: string; readonly reference: string }[]
}

function content(size: number, fill: string | undefined): Uint8Array {
  const bytes = new Uint8Array(size)
  if (fill === 'zero') return bytes
  for (let i = 0; i < size; i++) bytes[i] = Math.imul(Math.imul(i, i), 31) + Math.imul(i, 7) + size
  return bytes
}

/** The tree over 128 segments by the reference hash. */
function slowRoot(chunk: Uint8Array): Uint8Array {
  let level = chunk
  while (level.length > 32) {
    const next = new Uint8Array(level.length / 2)
    for (let i = 0; i < level.length; i += 64) next.set(nobleHasher.keccak256(level.subarray(i, i + 64)), i / 2)
    level = next
  }
  return level
}

describe('keccak', () => {
  test('equals noble at every length around the block size and beyond the batch', () => {
    const lengths = [...Array(280).keys(), 4_096, 34_815, 34_816, 34_817, 100_000]
    for (const length of lengths) {
      const data = content(length, undefined)
      assert.equal(toHex(keccak.keccak256(data)), toHex(nobleHasher.keccak256(data)), `length ${length}`)
    }
  })

  test('roots of chunks equal the plain tree', () => {
    const chunks = content(3 * 4_096, undefined)
    const roots = keccak.bmtRoots(chunks)
    for (let i = 0; i < 3; i++)
      assert.deepEqual(roots.slice(32 * i, 32 * i + 32), slowRoot(chunks.slice(4_096 * i, 4_096 * i + 4_096)))
    assert.equal(keccak.bmtRoots(new Uint8Array(0)).length, 0)
  })

  test('references equal those of a Swarm node', (context) => {
    if (!existsSync(vectorsFile)) {
      context.skip('not run: ../shared/testdata/swarm/references.json is absent')
      return
    }
    const { vectors } = JSON.parse(readFileSync(vectorsFile, 'utf8')) as Vectors
    assert.equal(vectors.length, 17)
    for (const { size, fill, reference } of vectors)
      assert.equal(toHex(keccak.swarmReference(content(size, fill))), reference, `size ${size}`)
  })

  test('a lone chunk of a single size equals its address', () => {
    const data = content(1_000, undefined)
    assert.deepEqual(keccak.swarmReference(data), keccak.chunkAddress(data, 1_000n))
    assert.notDeepEqual(keccak.chunkAddress(data, 1_001n), keccak.chunkAddress(data, 1_000n))
    assert.deepEqual(keccak.swarmReference(new Uint8Array(0)), keccak.chunkAddress(new Uint8Array(0), 0n))
  })

  test('the module is valid and always the same bytes', () => {
    assert.ok(WebAssembly.validate(keccakModuleBytes() as Uint8Array<ArrayBuffer>))
    assert.deepEqual(keccakModuleBytes(), keccakModuleBytes())
  })
})
