/**
 * A session signed by hand, where a test needs the bytes of an envelope: to send them twice, late, changed, or to one
 * node only. What an ordinary caller does goes through `@onus/client` instead.
 */
import assert from 'node:assert/strict'
import type { Localnet } from '@onus/node/dev/localnet'
import { createHashing } from '@onus/node/hashing'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { toHex, utf8Text } from '@onus/protocol/bytes'
import { domainOfGenesis, type Genesis } from '@onus/protocol/genesis'
import { encodeCall } from '@onus/protocol/interface/call'
import type { Expiry, Opening } from '@onus/protocol/opening'
import { addressOf, publicKeyOf, randomPrivateKey } from '@onus/protocol/signature'
import {
  type Call,
  type Envelope,
  type EnvelopeKind,
  encodeEnvelope,
  envelopeKind,
  signEnvelope,
  type Transaction,
  transactionIds,
} from '@onus/protocol/transaction'
import { ledger } from './backend/ledger.interface.js'
import { post, request } from './gatewayClient.js'

export const hashing = createHashing()

/** A signed envelope and the id (64 hexadecimal digits) of its first transaction. */
export interface SignedBytes {
  readonly bytes: Uint8Array
  readonly id: string
  readonly envelope: Envelope
}

export interface Moment {
  readonly height: number
  readonly time: number
}

export function signTransactions(
  genesis: Genesis,
  kind: EnvelopeKind,
  transactions: readonly Transaction[],
  key: Uint8Array,
): SignedBytes {
  const domain = domainOfGenesis(genesis)
  const envelope = signEnvelope(hashing, nativeCurve, domain, kind, transactions, key)
  const [id] = transactionIds(hashing, domain, envelope)
  return { bytes: encodeEnvelope(envelope), id: toHex(id as Uint8Array), envelope }
}

export class TestSession {
  readonly genesis: Genesis
  readonly key: Uint8Array = randomPrivateKey()
  readonly owner: Uint8Array
  readonly slot: number
  readonly generation: number
  /** Height and time from which expiries are counted. */
  moment: Moment
  nextCounter = 0

  private constructor(genesis: Genesis, hint: { slot: number; generation: number } & Moment) {
    this.genesis = genesis
    this.owner = addressOf(publicKeyOf(this.key)).slice()
    this.slot = hint.slot
    this.generation = hint.generation
    this.moment = { height: hint.height, time: hint.time }
  }

  /** Asks `url` for a free slot; nothing is sent yet. */
  static async plan(localnet: Pick<Localnet, 'genesis'>, url: string): Promise<TestSession> {
    const { bytes } = await request(`${url}/v1/sessions/free`)
    const hint = JSON.parse(utf8Text(bytes)) as { slot: number; generation: number; height: number; time: number }
    const genesisTime = localnet.genesis.time.seconds * 1000
    return new TestSession(localnet.genesis, { ...hint, time: Math.max(hint.time, genesisTime) })
  }

  /** An open session. */
  static async open(localnet: Pick<Localnet, 'genesis'>, url: string): Promise<TestSession> {
    const session = await TestSession.plan(localnet, url)
    const { status, code } = await post(`${url}/v1/envelopes`, session.opening().bytes)
    assert.equal(status, 200, `the opening is certified: ${code}`)
    return session
  }

  /** Two seconds from now: for what waits in a pool until then. */
  get soon(): Expiry {
    return { height: this.moment.height + 1000, time: Date.now() + 2000 }
  }

  /** A minute and a thousand blocks after `moment`. */
  get expiry(): Expiry {
    return { height: this.moment.height + 1000, time: this.moment.time + 60_000 }
  }

  opening(changes: Partial<Opening> = {}): SignedBytes {
    const { height, time } = this.moment
    const opening: Opening = {
      type: 'opening',
      owner: this.owner,
      key: this.owner,
      session: { slot: this.slot, generation: this.generation },
      closes: { height: height + 100_000, time: time + 3_600_000 },
      expiry: this.expiry,
      admission: new Uint8Array(0),
      ...changes,
    }
    return signTransactions(this.genesis, envelopeKind.accountOpening, [opening], this.key)
  }

  /** The call of `argument` at the next counter, which is not used up; `changes` may spoil it. */
  callOf(argument: Uint8Array, changes: Partial<Call> = {}): Call {
    return {
      type: 'call',
      session: { slot: this.slot, generation: this.generation },
      counter: this.nextCounter,
      expiry: this.expiry,
      gasLimit: 1_000_000,
      argument,
      ...changes,
    }
  }

  /** `add(amount)` signed; uses up the next counter. */
  add(amount: number, changes: Partial<Call> = {}): SignedBytes {
    const call = this.callOf(encodeCall(ledger, 'add', [amount]), changes)
    this.nextCounter += 1
    return this.sign([call])
  }

  sign(calls: readonly Call[], key: Uint8Array = this.key): SignedBytes {
    return signTransactions(this.genesis, envelopeKind.accountCalls, calls, key)
  }
}
