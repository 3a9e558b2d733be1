/** The incremental state tree against the one-shot reference of the protocol. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fromHex, toHex, wordOfInteger } from '@onus/protocol/bytes'
import { fixedTreeRoot, rootOfFixedTreeProof } from '@onus/protocol/fixedTree'
import { nobleHasher, recordHash } from '@onus/protocol/hash'
import { MemoryTree, memoryTreeDepth } from '../src/state/memoryTree.js'
import { globalsTreeRoot, stateRootOf } from '../src/state/stateRoot.js'
import { nativeHasher } from './support/hasher.js'
import { seededRandom } from './support/randomModule.js'

/** Root by definition: the leaves from the left, the rest empty. Zero bytes at the end change nothing. */
function referenceRoot(memory: Uint8Array): Uint8Array {
  return fixedTreeRoot(nobleHasher, memory, memoryTreeDepth)
}

describe('memory tree', () => {
  test('an empty memory', () => {
    assert.deepEqual(new MemoryTree(nobleHasher).root, referenceRoot(new Uint8Array(0)))
  })

  test('random updates, growth over several capacities, both hashers', () => {
    const random = seededRandom(5)
    const memory = new Uint8Array(160 * 4_096)
    const trees = [new MemoryTree(nobleHasher), new MemoryTree(nativeHasher)]
    for (let round = 1; round <= 12; round++) {
      const reach = Math.min(160, round * 14)
      const dirty = [...Array(reach).keys()].filter(() => random() < 0.3)
      for (const page of dirty) {
        const value = random() < 0.2 ? 0 : Math.floor(random() * 256)
        memory.fill(value, page * 4_096, (page + 1) * 4_096)
        memory[page * 4_096 + Math.floor(random() * 4_096)] = round
      }
      for (const tree of trees) {
        tree.update(memory, dirty)
        assert.deepEqual(tree.root, referenceRoot(memory), `round ${round}`)
      }
    }
  })

  test('proofs of pages lead to the root, beyond the end of the memory too', () => {
    const memory = new Uint8Array(40 * 4_096).map((_, i) => i * 7)
    const tree = new MemoryTree(nativeHasher)
    tree.update(memory, [...Array(40).keys()])
    for (const page of [0, 1, 17, 39, 40, 4_000]) {
      const content = memory.slice(page * 4_096, (page + 1) * 4_096)
      const pageRoot = fixedTreeRoot(nobleHasher, content, 7)
      assert.deepEqual(tree.pageRoot(page), pageRoot)
      assert.equal(tree.pageProof(page).length, 640)
      assert.deepEqual(rootOfFixedTreeProof(nobleHasher, pageRoot, page, tree.pageProof(page)), tree.root)
    }
  })
})

interface StateCase {
  readonly memoryPages: number
  readonly writes: readonly { readonly address: number; readonly bytes: string }[]
  readonly globals: string
  readonly memoryRoot: string
  readonly globalsRoot: string
  readonly stateRoot: string
}

describe('state root', () => {
  test('equals the vectors of the protocol', () => {
    const file = new URL('../../../../spec/vectors/state.json', import.meta.url)
    const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly StateCase[] }
    assert.ok(cases.length >= 3)
    for (const { memoryPages, writes, globals, memoryRoot, globalsRoot, stateRoot } of cases) {
      const memory = new Uint8Array(memoryPages * 65_536)
      for (const { address, bytes } of writes) memory.set(fromHex(bytes), address)
      const tree = new MemoryTree(nativeHasher)
      tree.update(memory, [...Array(memoryPages * 16).keys()])
      const lanes = globalsTreeRoot(nativeHasher, fromHex(globals))
      assert.equal(toHex(tree.root), memoryRoot)
      assert.equal(toHex(lanes), globalsRoot)
      assert.equal(toHex(stateRootOf(nativeHasher, tree.root, memoryPages, lanes)), stateRoot)
    }
  })

  test('globals are lanes of 8 bytes, four a leaf, in a tree of depth 8', () => {
    const globals = Uint8Array.from({ length: 40 }, (_, i) => i + 1)
    const leaves = new Uint8Array(256 * 32)
    leaves.set(globals)
    assert.deepEqual(globalsTreeRoot(nobleHasher, globals), fixedTreeRoot(nobleHasher, leaves, 8))
  })

  test('the record', () => {
    const memoryRoot = new Uint8Array(32).fill(1)
    const globalsRoot = new Uint8Array(32).fill(2)
    assert.deepEqual(
      stateRootOf(nobleHasher, memoryRoot, 17, globalsRoot),
      recordHash(nobleHasher, 'onus/app', [memoryRoot, wordOfInteger(17), globalsRoot]),
    )
  })
})
