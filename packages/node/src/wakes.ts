/**
 * Wake transactions (`spec/consensus.md` 6, `consensus.md` Idle chain): CometBFT's mempool is used only to wake
 * consensus. A gateway with something to say puts one signed wake into it unless it knows of one; a proposer leaves
 * wakes out while more waits, so that blocks keep coming, and takes them in when nothing does, so that the chain rests.
 */
import { BinaryReader, BinaryWriter } from '@onus/protocol/binary'
import { equalBytes, wordOfText } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import type { Hasher } from '@onus/protocol/hash'
import { addressLength, type Curve, signatureLength } from '@onus/protocol/signature'
import type { Validator } from '@onus/protocol/validatorSet'
import { isWake, maximumWakes, wakeTag } from './worker/blockItems.js'

/** A wake older than this many heights is taken into a block whatever waits. */
const heightsLeftOut = 4
/** A wake that no block took after this long, or after so many blocks, is taken for lost. */
const lostAfterMilliseconds = 2000
const lostAfterHeights = 8
/**
 * Wakes of one member that may be out. One is what it sends unless it thinks that lost; where blocks are slow it does so
 * too early. If then some nodes took its next wake and others did not, those that did would vote nil before there is a
 * proposal, and the block after it would take another round.
 */
const mostOfMember = 4

function wakeDigest(hasher: Hasher, chainId: string, origin: Uint8Array, nonce: bigint): Uint8Array {
  return hasher.keccak256(
    new BinaryWriter().bytes(wordOfText('onus/wake/1')).shortText(chainId).bytes(origin).u64(nonce).finish(),
  )
}

export interface WakesOptions {
  readonly hasher: Hasher
  readonly curve: Curve
  readonly chainId: string
  readonly privateKey: Uint8Array
  /** Address of `privateKey`, 20 bytes. */
  readonly address: Uint8Array
  /** Who may wake the chain. */
  readonly members: readonly Validator[]
  readonly broadcast: (wake: Uint8Array) => Promise<void>
}

interface Outstanding {
  readonly origin: string
  /** When this node first saw it: the height, and milliseconds of `performance.now()`. */
  readonly height: number
  readonly seenAt: number
}

const keyOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

export class Wakes {
  readonly #options: WakesOptions
  /** Wakes in the mempool, by their bytes. */
  readonly #outstanding = new Map<string, Outstanding>()
  readonly #inBlocks = new Set<string>()
  #height = 0
  /** When our last wake was sent, while no block held it; null otherwise. */
  #ownSentAt: number | null = null
  /** Begins at random: a nonce must not repeat after a restart while the old wake is in a block. */
  #nonce: bigint = BigInt(Math.floor(Math.random() * 2 ** 40)) << 20n

  constructor(options: WakesOptions) {
    this.#options = options
  }

  /** Wakes the chain unless a wake is known to be out. */
  wake(): void {
    const now = performance.now()
    this.#dropLost(now)
    if (this.#outstanding.size > 0 || this.#ownSentAt !== null) return
    this.#ownSentAt = now
    this.#options.broadcast(this.#make()).catch(() => {
      this.#ownSentAt = null
    })
  }

  /**
   * Forgets wakes that no block took in their time: a mempool that lost one must not keep this node from waking the chain.
   * Each is judged by its own age, else the wakes of others would keep a lost one alive for ever.
   */
  #dropLost(now: number): void {
    for (const [key, { height, seenAt }] of this.#outstanding)
      if (now - seenAt >= lostAfterMilliseconds || this.#height - height > lostAfterHeights)
        this.#outstanding.delete(key)
    if (this.#ownSentAt !== null && now - this.#ownSentAt >= lostAfterMilliseconds) this.#ownSentAt = null
  }

  #make(): Uint8Array {
    const { hasher, curve, chainId, privateKey, address } = this.#options
    const nonce = this.#nonce++
    const signature = curve.sign(wakeDigest(hasher, chainId, address, nonce), privateKey)
    return new BinaryWriter().bytes(wakeTag).bytes(address).u64(nonce).bytes(signature).finish()
  }

  /** Whether CometBFT may take a transaction into its mempool. Rejects `wake-form`, `wake-known`, `wake-limit`. */
  check(transaction: Uint8Array, recheck: boolean): void {
    const key = keyOf(transaction)
    if (this.#inBlocks.has(key)) throw new OnusError('wake-known', 'this wake is in a block already')
    if (recheck || this.#outstanding.has(key)) return
    const origin = this.#verify(transaction)
    const now = performance.now()
    this.#dropLost(now)
    if ([...this.#outstanding.values()].filter((other) => other.origin === origin).length >= mostOfMember)
      throw new OnusError('wake-limit', `this member has ${mostOfMember} wakes out already`)
    this.#outstanding.set(key, { origin, height: this.#height, seenAt: now })
  }

  /** Hexadecimal address of the member that signed the wake. */
  #verify(transaction: Uint8Array): string {
    if (!isWake(transaction))
      throw new OnusError('wake-form', 'only wake transactions of members go through the mempool')
    const reader = new BinaryReader(transaction, 'wake')
    reader.take(wakeTag.length, 'tag')
    const origin = reader.take(addressLength, 'origin')
    const nonce = reader.bigU64('nonce')
    const signature = reader.take(signatureLength, 'signature')
    const { hasher, curve, chainId, members } = this.#options
    const member = members.find(({ address }) => equalBytes(address, origin))
    if (member === undefined || !curve.verify(wakeDigest(hasher, chainId, origin, nonce), signature, member.publicKey))
      throw new OnusError('wake-form', 'the wake is not signed by a member')
    return Buffer.from(origin).toString('hex')
  }

  /** Wakes of the mempool that a proposal should take in; `rests` when nothing will wait after it. */
  toInclude(mempool: readonly Uint8Array[], rests: boolean): Uint8Array[] {
    const included = mempool.filter((transaction) => {
      const known = this.#outstanding.get(keyOf(transaction))
      return isWake(transaction) && (rests || known === undefined || this.#height - known.height >= heightsLeftOut)
    })
    // A block with more is invalid; the others' turn comes with the next one.
    return included.slice(0, maximumWakes)
  }

  /** Tells of a decided block. */
  decided(height: number, items: readonly Uint8Array[]): void {
    this.#height = height
    for (const item of items) {
      if (!isWake(item)) continue
      const key = keyOf(item)
      this.#outstanding.delete(key)
      this.#inBlocks.add(key)
      if (equalBytes(item.subarray(wakeTag.length, wakeTag.length + addressLength), this.#options.address))
        this.#ownSentAt = null
    }
    if (this.#inBlocks.size > 10_000) this.#inBlocks.clear()
  }
}
