/**
 * The tree over all sessions (`spec/session.md`), kept incrementally: sessions by slot, and the hashes of the levels
 * above the slots in use. Memory grows with the highest slot used, not with the depth of 24.
 */
import { wordLength } from '@onus/protocol/bytes'
import { assert } from '@onus/protocol/errors'
import { emptyRoot } from '@onus/protocol/fixedTree'
import type { Hasher } from '@onus/protocol/hash'
import { type Session, sessionLeaf, sessionTreeDepth } from '@onus/protocol/session'

/** Slots and what they held, for undoing. */
export type SessionUndo = readonly (readonly [slot: number, session: Session | null])[]

export class SessionTree {
  readonly #hasher: Hasher
  readonly #sessions: (Session | null)[] = []
  /** `#levels[d]` holds the nodes at height d over the slots in use, packed from the left. */
  #levels: Uint8Array[]
  readonly #before = new Map<number, Session | null>()

  constructor(hasher: Hasher) {
    this.#hasher = hasher
    this.#levels = Array.from({ length: sessionTreeDepth + 1 }, () => new Uint8Array(0))
  }

  get(slot: number): Session | null {
    return this.#sessions[slot] ?? null
  }

  /** Slots that were ever opened lie below this. */
  get slotsInUse(): number {
    return this.#sessions.length
  }

  set(slot: number, session: Session | null): void {
    assert(slot >= 0 && slot < 2 ** sessionTreeDepth, 'a slot is below 2^24')
    while (this.#sessions.length <= slot) this.#sessions.push(null)
    if (!this.#before.has(slot)) this.#before.set(slot, this.#sessions[slot] ?? null)
    this.#sessions[slot] = session
  }

  /** Hashes what changed since the last call; `undo` restores it. */
  endBlock(): { root: Uint8Array; undo: SessionUndo; changed: SessionUndo } {
    const undo = [...this.#before.entries()]
    this.#before.clear()
    const changed = undo.map(([slot]) => [slot, this.get(slot)] as const)
    this.#rehash(changed.map(([slot]) => slot))
    return { root: this.root(), undo, changed }
  }

  /** Drops what changed since the last `endBlock`. */
  revertBlock(): void {
    for (const [slot, session] of this.#before) this.#sessions[slot] = session
    this.#before.clear()
  }

  /** Sets slots as given and rehashes, outside a block. */
  apply(sessions: SessionUndo): void {
    assert(this.#before.size === 0, 'no block is open')
    for (const [slot, session] of sessions) this.set(slot, session)
    this.#before.clear()
    this.#rehash(sessions.map(([slot]) => slot))
  }

  root(): Uint8Array {
    const top = this.#levels[sessionTreeDepth] as Uint8Array
    return top.length === 0 ? emptyRoot(sessionTreeDepth) : top.slice(0, wordLength)
  }

  /** The 24 siblings of a slot from the bottom up: 768 bytes. */
  proof(slot: number): Uint8Array {
    const siblings = new Uint8Array(sessionTreeDepth * wordLength)
    for (let depth = 0; depth < sessionTreeDepth; depth++) {
      const at = ((slot >> depth) ^ 1) * wordLength
      const level = this.#levels[depth] as Uint8Array
      siblings.set(at < level.length ? level.subarray(at, at + wordLength) : emptyRoot(depth), depth * wordLength)
    }
    return siblings
  }

  #resizeLevel(depth: number, nodes: number): Uint8Array {
    const level = this.#levels[depth] as Uint8Array
    const length = nodes * wordLength
    if (level.length >= length) return level
    const larger = new Uint8Array(
      Math.max(length, Math.min(2 * level.length, 2 ** (sessionTreeDepth - depth) * wordLength)),
    )
    const empty = emptyRoot(depth)
    for (let at = level.length; at < larger.length; at += wordLength) larger.set(empty, at)
    larger.set(level)
    this.#levels[depth] = larger
    return larger
  }

  #rehash(slots: readonly number[]): void {
    if (slots.length === 0) return
    const last = slots.reduce((greatest, slot) => Math.max(greatest, slot), 0)
    const leaves = this.#resizeLevel(0, last + 2)
    for (const slot of slots) leaves.set(sessionLeaf(this.#hasher, this.get(slot)), slot * wordLength)
    let nodes = [...new Set(slots.map((slot) => slot >> 1))].sort((a, b) => a - b)
    for (let depth = 0; depth < sessionTreeDepth; depth++) {
      const last = nodes[nodes.length - 1] as number
      const below = this.#resizeLevel(depth, 2 * last + 2)
      const above = this.#resizeLevel(depth + 1, last + 1)
      const input = new Uint8Array(nodes.length * 2 * wordLength)
      nodes.forEach((node, i) => {
        input.set(below.subarray(node * 2 * wordLength, (node + 1) * 2 * wordLength), i * 2 * wordLength)
      })
      const output = new Uint8Array(nodes.length * wordLength)
      this.#hasher.hashPairs(input, output)
      nodes.forEach((node, i) => {
        above.set(output.subarray(i * wordLength, (i + 1) * wordLength), node * wordLength)
      })
      nodes = [...new Set(nodes.map((node) => node >> 1))]
    }
  }
}
