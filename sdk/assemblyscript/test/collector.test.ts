/** The collector of the guest: frees what cannot be reached and nothing else, in steps, equal on all nodes. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { buildBackend } from '@onus/assemblyscript/build'
import { equalBytes } from '@onus/protocol/bytes'
import { decodeResult, encodeCall } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { packageFolder } from './echo.js'
import { startHost } from './host.js'

const isNightly = process.env['ONUS_NIGHTLY'] !== undefined

interface Node {
  id: number
  name: string
  next: Node | null
  children: Node[]
  tags: Map<string, Node>
  marks: Set<string>
}

/** `assembly/test/graph.ts` in TypeScript. */
class Model {
  readonly nodes = new Map<number, Node>()
  last: Node | null = null

  nodeOf(id: number): Node {
    const known = this.nodes.get(id)
    if (known !== undefined) return known
    const node: Node = { id, name: `node ${id}`, next: null, children: [], tags: new Map(), marks: new Set() }
    this.nodes.set(id, node)
    return node
  }

  drop(node: Node): void {
    this.nodes.delete(node.id)
    node.next = null
    node.children = []
    node.tags = new Map()
  }

  change(what: number, id: number, other: number): void {
    const a = this.nodeOf(id)
    const half = (length: number, by: number): number => Math.floor(length / by)
    if (what === 0) a.next = this.nodeOf(other)
    else if (what === 1) a.children.push(this.nodeOf(other))
    else if (what === 2) a.children.shift()
    else if (what === 3) a.children.reverse()
    else if (what === 4) a.children = a.children.slice(half(a.children.length, 2)).concat(this.nodeOf(other).children)
    else if (what === 5) a.tags.set(`tag ${other % 50}`, this.nodeOf(other))
    else if (what === 6) a.tags.delete(`tag ${other % 50}`)
    else if (what === 7) a.marks.add(`mark ${other % 300}`)
    else if (what === 8) a.marks.delete(`mark ${other % 300}`)
    else if (what === 9) a.name = `${a.name.slice(half(a.name.length, 3))}+${other}`
    else if (what === 10) this.drop(a)
    else if (what === 11) this.last = a
    else if (what === 12) a.tags = new Map()
    else if (what === 13) {
      const kept = a.children
      this.drop(a)
      this.nodeOf(id).children = kept
    } else a.next = null
    if (a.children.length > 40) a.children = a.children.slice(35)
  }

  /** Objects and entries that can be reached, those of dropped nodes too. */
  get reachable(): number {
    const seen = new Set<Node>()
    const left = [...this.nodes.values(), ...(this.last === null ? [] : [this.last])]
    let count = 0
    for (let node = left.pop(); node !== undefined; node = left.pop()) {
      if (seen.has(node)) continue
      seen.add(node)
      count += 8 + node.children.length + 2 * node.tags.size + 2 * node.marks.size
      left.push(...node.children, ...node.tags.values(), ...(node.next === null ? [] : [node.next]))
    }
    return count
  }

  show(id: number): string {
    const named = (node: Node | null): string => (node === null ? '-' : `${node.id}:${node.name}`)
    const describeNode = (node: Node): string => {
      const tags = [...node.tags.keys()].sort().map((tag) => `${tag}=${named(node.tags.get(tag) ?? null)},`)
      const children = node.children.map((child) => `${named(child)},`)
      return `${named(node)} > ${named(node.next)} [${children.join('')}] {${tags.join('')}} ${[...node.marks].sort().join(',')}`
    }
    const node = this.nodeOf(id)
    const seen = [node, ...(node.next === null ? [] : [node.next]), ...node.children]
    return `${seen.map(describeNode).join('\n')}\n${this.last === null ? '' : describeNode(this.last)}`
  }
}

/** Numbers below `limit` from a seed. */
function drawing(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

let wasm: Uint8Array<ArrayBuffer>
let description: Interface
before(async () => {
  const built = await buildBackend({ entryFile: join(packageFolder, 'assembly/test/graph.ts') })
  wasm = built.wasm
  description = built.interface
})

const request = (name: string, ...args: unknown[]): Uint8Array => encodeCall(description, name, args)

describe('collector', () => {
  for (const [nodeCount, rounds] of [
    [12, 8_000],
    [400, isNightly ? 200_000 : 12_000],
    [3_000, isNightly ? 100_000 : 4_000],
  ] as const)
    test(`a graph of ${nodeCount} objects stays what it is over ${rounds} calls that change it`, () => {
      const draw = drawing(nodeCount)
      const host = startHost(wasm)
      const model = new Model()
      let reachable = 0
      for (let round = 0; round < rounds; round++) {
        const operations = Array.from({ length: 1 + draw(20) }, () => [draw(15), draw(nodeCount), draw(nodeCount)])
        for (const [what = 0, a = 0, b = 0] of operations) model.change(what, a, b)
        const output = host.invoke(request('change', operations.flat()))
        assert.equal(decodeResult(description, 'change', output), model.nodes.size)
        if (round % 10 === 0) {
          const id = draw(nodeCount)
          assert.equal(decodeResult(description, 'show', host.invoke(request('show', id))), model.show(id))
        }
        if (round % 100 === 0) reachable = Math.max(reachable, model.reachable)
      }
      for (let id = 0; id < nodeCount; id++)
        assert.equal(decodeResult(description, 'show', host.invoke(request('show', id))), model.show(id))
      const size = host.memoryBytes()
      assert.ok(size <= 2 ** 21 + 300 * reachable, `${size} bytes for ${reachable} objects and entries`)
    })

  test('a call that wastes much is paid for over the next calls, and memory stays flat', () => {
    const host = startHost(wasm)
    const twin = startHost(wasm)
    const sizes: number[] = []
    for (let i = 0; i < 2_000; i++) {
      const call = i % 100 === 0 ? request('waste', 40_000) : request('change', [1, i % 50, i % 7])
      host.invoke(call)
      twin.invoke(call)
      if (i % 200 === 199) sizes.push(host.memoryBytes())
    }
    assert.ok(equalBytes(host.memory(), twin.memory()))
    assert.equal(sizes.at(-1), sizes[1], sizes.join(' '))
    assert.ok(Math.max(...sizes) <= 16 * 2 ** 20)
  })
})
