/**
 * A validator key behind policy and guard (S1, `spec/consensus.md` 7): the one place of a node where consensus messages
 * are signed, for CometBFT (`remoteSigner.ts`) and for the embedded engine alike. One request at a time; the state is
 * on disk before the signature is returned. Every refusal is an `OnusError` `signer-…`, counted and kept.
 */

import { OnusError } from '@onus/protocol/errors'
import { nobleHasher } from '@onus/protocol/hash'
import { addressOf, type Curve } from '@onus/protocol/signature'
import type { Timestamp } from '@onus/protocol/timestamp'
import { isPrivateKey, nativeCurve, nativePublicKeyOf } from './nativeCurve.js'
import type { SigningPolicy } from './signingPolicy.js'
import { checkSignRequest, type SignRequest, signBytesAt, stepOf } from './signRequest.js'
import { guardRequest, type SignedState } from './signState.js'
import { SignStateFile } from './signStateFile.js'

export interface SignerOptions {
  readonly chainId: string
  /** 32 bytes. */
  readonly privateKey: Uint8Array
  readonly policy: SigningPolicy
  readonly statePath: string
  /** True only where the key never signed on this chain: makes the state file. */
  readonly create: boolean
  /** A restored node signs nothing below this height (S4); 1 otherwise. */
  readonly firstHeight: number
  /** Told of each refusal. */
  readonly onRefusal?: (refusal: Refusal) => void
  /** Told of each signature that leaves, also one given again. */
  readonly onSigned?: (request: SignRequest, answer: SignedAnswer) => void
}

export interface Refusal {
  /** Code of the error that the asker got. */
  readonly code: string
  readonly message: string
  readonly request: SignRequest
  /** Milliseconds since 1970. */
  readonly time: number
}

export interface SignedAnswer {
  /** The earlier one when an earlier signature is given again. */
  readonly timestamp: Timestamp
  /** 65 bytes R ‖ S ‖ V. */
  readonly signature: Uint8Array
}

export interface SignerCounters {
  readonly signed: number
  readonly repeated: number
  /** By code. */
  readonly refused: Readonly<Record<string, number>>
}

/** Refusals kept for inspection; older ones only count. */
const refusalsKept = 100

export class Signer {
  readonly chainId: string
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array
  /** 20 bytes. */
  readonly address: Uint8Array
  readonly #options: SignerOptions
  readonly #curve: Curve = nativeCurve
  readonly #state: SignStateFile
  readonly #refusals: Refusal[] = []
  readonly #refused = new Map<string, number>()
  #signed = 0
  #repeated = 0
  /** End of the request before; requests of an old and a new connection may overlap. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: SignerOptions, publicKey: Uint8Array, state: SignStateFile) {
    this.chainId = options.chainId
    this.publicKey = publicKey
    this.address = addressOf(publicKey).slice()
    this.#options = options
    this.#state = state
  }

  /** Rejects `signer-key`, and `sign-state-…` of the state file. */
  static async open(options: SignerOptions): Promise<Signer> {
    if (!isPrivateKey(options.privateKey)) throw new OnusError('signer-key', 'expected a secp256k1 private key')
    const publicKey = nativePublicKeyOf(options.privateKey)
    const owner = { chainId: options.chainId, address: addressOf(publicKey) }
    const state = options.create
      ? await SignStateFile.create(options.statePath, owner)
      : await SignStateFile.open(options.statePath, owner)
    return new Signer(options, publicKey, state)
  }

  /** Signs `request`, or rejects with an `OnusError` `signer-…` and signs nothing. */
  async sign(request: SignRequest): Promise<SignedAnswer> {
    const answer = this.#turn.then(() => this.#signNow(request))
    this.#turn = answer.catch(() => undefined)
    return answer
  }

  get counters(): SignerCounters {
    return { signed: this.#signed, repeated: this.#repeated, refused: Object.fromEntries(this.#refused) }
  }

  /** The newest refusals, oldest first. */
  get refusals(): readonly Refusal[] {
    return this.#refusals
  }

  /** The last thing signed. */
  get last(): SignedState | null {
    return this.#state.last
  }

  async close(): Promise<void> {
    await this.#turn
    await this.#state.close()
  }

  async #signNow(request: SignRequest): Promise<SignedAnswer> {
    try {
      this.#check(request)
      const earlier = guardRequest(this.#state.last, this.chainId, request)
      const answer = earlier ?? (await this.#signFresh(request))
      if (earlier === null) this.#signed++
      else this.#repeated++
      this.#options.onSigned?.(request, answer)
      return { timestamp: answer.timestamp, signature: answer.signature }
    } catch (error) {
      this.#recordRefusal(request, error)
      throw error
    }
  }

  #check(request: SignRequest): void {
    checkSignRequest(request)
    const { height, blockId } = request
    if (height < this.#options.firstHeight)
      throw new OnusError(
        'signer-restored',
        `this restored node may have signed below ${this.#options.firstHeight} before, asked for ${height}`,
      )
    if (blockId === null) return
    const fresh = request.kind === 'proposal' && request.polRound < 0
    if (fresh && !this.#options.policy.composed(height))
      throw new OnusError('signer-not-composed', `this node composed no block for height ${height}`)
    if (!fresh && !this.#options.policy.allows(height, blockId.hash))
      throw new OnusError('signer-not-executed', 'this node has not executed that block with the result it claims')
  }

  async #signFresh(request: SignRequest): Promise<SignedState> {
    const signBytes = signBytesAt(this.chainId, request, request.timestamp)
    const signature = this.#curve.sign(nobleHasher.keccak256(signBytes), this.#options.privateKey)
    const { height, round, timestamp } = request
    const state = { height, round, step: stepOf(request), timestamp, signBytes, signature }
    try {
      await this.#state.save(state)
    } catch (cause) {
      throw new OnusError('signer-state-write', 'the sign state could not be made durable', {
        cause,
        remedy: 'Check that the disk of the data directory has room and works.',
      })
    }
    return state
  }

  #recordRefusal(request: SignRequest, error: unknown): void {
    const code = error instanceof OnusError ? error.code : 'signer-failure'
    const message = error instanceof Error ? error.message : String(error)
    const refusal = { code, message, request, time: Date.now() }
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
    this.#refusals.push(refusal)
    if (this.#refusals.length > refusalsKept) this.#refusals.shift()
    this.#options.onRefusal?.(refusal)
  }
}
